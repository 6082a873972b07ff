import { readFileSync } from 'node:fs';
import { InternalError } from '../errors/errors.js';
import { shipped } from './shipped.js';

export const PROGRAM_NAMES = ['claim', 'amm', 'mint', 'ledger', 'names', 'probe'] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];

const CALLS_PROGRAM_NAMES = [
  'actor',
  'bank',
  'burner',
  'factory',
  'limits',
  'pool',
  'proxy',
  'recursion',
  'thief',
] as const;
export type CallsProgram = (typeof CALLS_PROGRAM_NAMES)[number];

function readBuilt(path: string): Uint8Array {
  const file = shipped(path);
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new InternalError(`${path} is not built`, {
      cause,
      hint: 'run npm run build',
      facts: { file: file.pathname },
    });
  }
}

/** WASM of the bundled contracts of the parallel lane (docs/programs.md). */
export function builtPrograms(): Record<ProgramName, Uint8Array> {
  const entries = PROGRAM_NAMES.map((name) => [name, readBuilt(`wasm/programs/${name}.wasm`)] as const);
  return Object.fromEntries(entries) as Record<ProgramName, Uint8Array>;
}

/** A contract for tests of inner calls alone (wasm/calls/). */
export function callsProgram(name: CallsProgram): Uint8Array {
  return readBuilt(`wasm/calls/${name}.wasm`);
}

/** All of them. */
export function callsPrograms(): Record<CallsProgram, Uint8Array> {
  const entries = CALLS_PROGRAM_NAMES.map((name) => [name, callsProgram(name)] as const);
  return Object.fromEntries(entries) as Record<CallsProgram, Uint8Array>;
}

/** A contract for the benchmarks alone: heavy calls that change counters (wasm/bench/heavy.ts). */
export function heavyContract(): Uint8Array {
  return readBuilt('wasm/bench/heavy.wasm');
}

/** The project's own indexer, used if no module is given (docs/programs.md). */
export function defaultIndexer(): Uint8Array {
  return readBuilt('wasm/indexers/default.wasm');
}

/** What the host hashes blocks with (src/bitcoin/block-hash.ts). */
export function blockHashModule(): Uint8Array {
  return readBuilt('wasm/native/block-hash.wasm');
}

/** What reads common lane transactions (src/lane/columns/scan-columns.ts). */
export function laneScanModule(): Uint8Array {
  return readBuilt('wasm/native/lane-scan.wasm');
}

/** What the state tree is kept with (src/store/tree/tree-memory.ts). */
export function stateTreeModule(): Uint8Array {
  return readBuilt('wasm/native/state-tree.wasm');
}

/** What runs programs that are not compiled (src/program/interpreter.ts). */
export function interpreterModule(): Uint8Array {
  return readBuilt('wasm/native/interpreter.wasm');
}

/** What host functions do inside of a program's memory (src/program/guest-memory.ts). */
export function guestModule(): Uint8Array {
  return readBuilt('wasm/native/guest.wasm');
}
