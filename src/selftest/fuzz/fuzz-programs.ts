import { PROGRAM_NAMES } from '../../util/built-wasm.js';

/** What random worlds deploy: the bundled contracts, and one that calls others. */
export const FUZZ_PROGRAMS = [...PROGRAM_NAMES, 'actor'] as const;
export type FuzzProgram = (typeof FUZZ_PROGRAMS)[number];
