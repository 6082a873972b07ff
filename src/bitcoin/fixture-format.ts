import { InputError } from '../errors/errors.js';
import { MAX_BLOCK_LENGTH } from './limits.js';

/** Name and version of the format; another value is refused. */
export const FIXTURE_FORMAT = 'warpshrew-fixture/1';
export const INDEX_FILE = 'chain.json';
export const BLOCKS_FILE = 'blocks.dat';
/** Expected state roots, one line per height: `height root`. */
export const ROOTS_FILE = 'roots.txt';

/** Of `chain.json`: about 150 bytes a block, so far more blocks than a fixture should have. */
export const MAXIMUM_INDEX_BYTES = 32 * 1024 * 1024;

export const REBUILD_HINT =
  'Restore the folder from where it came, or build it again with `npm run fixtures` in the repository.';

const SMALLEST_BLOCK_BYTES = 81;

/** Where one block lies in {@link BLOCKS_FILE}. */
export interface FixtureBlock {
  readonly height: number;
  /** Display order, hex. */
  readonly hash: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Content of {@link INDEX_FILE}: heights ascend by one from `firstHeight`, blocks lie one after the other from offset
 * 0.
 */
export interface FixtureIndex {
  readonly format: typeof FIXTURE_FORMAT;
  readonly network: string;
  readonly seed: string;
  readonly firstHeight: number;
  readonly blocks: readonly FixtureBlock[];
}

/** Reads the text of {@link INDEX_FILE}. Throws InputError FIXTURE_INDEX with what is wrong. */
export function parseFixtureIndex(text: string, path: string): FixtureIndex {
  const bad = (why: string): InputError =>
    new InputError('FIXTURE_INDEX', `the index of the fixture chain is not valid: ${why}`, {
      facts: { path },
      hint: REBUILD_HINT,
    });
  const value = parseJson(text);
  if (!isRecord(value)) throw bad('not a JSON object');
  if (value.format !== FIXTURE_FORMAT)
    throw bad(`format is ${JSON.stringify(value.format)}, expected "${FIXTURE_FORMAT}"`);
  const { network, seed, firstHeight, blocks } = value;
  if (typeof network !== 'string' || network === '') throw bad('network is missing');
  if (typeof seed !== 'string') throw bad('seed is missing');
  if (!isCount(firstHeight)) throw bad('firstHeight is not a height');
  if (!Array.isArray(blocks) || blocks.length === 0) throw bad('blocks is empty or missing');
  let offset = 0;
  const entries = blocks.map((entry: unknown, i): FixtureBlock => {
    if (!isRecord(entry)) throw bad(`entry ${i} is not an object`);
    const { height, hash, length } = entry;
    if (height !== firstHeight + i) throw bad(`entry ${i} has height ${String(height)}, expected ${firstHeight + i}`);
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) throw bad(`entry ${i} has no hash of 64 hex digits`);
    if (entry.offset !== offset) throw bad(`entry ${i} has offset ${String(entry.offset)}, expected ${offset}`);
    if (!isCount(length) || length < SMALLEST_BLOCK_BYTES || length > MAX_BLOCK_LENGTH)
      throw bad(`entry ${i} has no possible length`);
    offset += length;
    return { height, hash, offset: offset - length, length };
  });
  return { format: FIXTURE_FORMAT, network, seed, firstHeight, blocks: entries };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
