/** Options of the database by column, for the binding that rocks.ts uses. */
import type { ColumnName } from './database.js';

/** Of one column: the binding takes 32 bits. */
const MAX_CACHE_BYTES = 2 ** 32 - 1;

const MIB = 1 << 20;

interface ColumnSettings {
  /** Part of the cache: point reads of state and of tree pages are the hot ones, the rest is read rarely. */
  readonly cacheShare: number;
  /**
   * What is not yet in files, in bytes: a quarter makes one memtable, two of which are written together; six are the
   * most before writes wait, and there are three in general. Files are an eighth: a smaller one makes more files, all
   * of which are open. Below the first two levels they are compressed. Undefined: two memtables of 64 MiB, files as
   * large, and no compression: for columns that are read one by one tens of thousands of times a block, where unpacking
   * a block of the file takes longer than finding it, and whose rows are mostly hashes.
   */
  readonly memtables: number | undefined;
  /**
   * Read one by one, and half of the keys that are asked for are not there: memtables get filters as well, so that they
   * are hardly ever searched for what is not in them, and blocks of the files an index by hash.
   */
  readonly points?: boolean;
}

const SETTINGS: Readonly<Record<ColumnName, ColumnSettings>> = {
  latest: { cacheShare: 0.375, memtables: undefined, points: true },
  tree: { cacheShare: 0.375, memtables: undefined },
  history: { cacheShare: 0.125, memtables: 64 * MIB },
  blocks: { cacheShare: 0.075, memtables: 32 * MIB },
  // Beyond the cache as a whole: empty unless the database has the index, half of whose reads are of absent keys.
  addresses: { cacheShare: 0.25, memtables: 64 * MIB, points: true },
  // Dropped again after as many blocks as can be undone: it stays small.
  undo: { cacheShare: 0.025, memtables: 4 * MIB },
  meta: { cacheShare: 0.025, memtables: MIB / 4 },
};

/**
 * Columns of which a block writes so little that their memtables would not be full for days, and bytes that fill two of
 * them, which are written together.
 */
export const SELDOM_FULL: readonly (readonly [ColumnName, number])[] = (['undo', 'meta'] as const).map((name) => [
  name,
  (SETTINGS[name].memtables ?? 0) / 2,
]);

/** Of the column that every RocksDB database has, and that this one leaves empty. */
export const DEFAULT_COLUMN_OPTIONS: object = { compaction: 'level', memtableMemoryBudget: MIB };

export function columnOptions(name: ColumnName, cacheBytes: number): object {
  const { cacheShare, memtables, points = false } = SETTINGS[name];
  return {
    cacheSize: Math.min(MAX_CACHE_BYTES, Math.floor(cacheBytes * cacheShare)),
    cacheIndexAndFilterBlocks: true,
    filterPolicy: 'bloomfilter:10',
    ...(points && { optimize: 'point-lookup' }),
    ...(memtables === undefined ? { compression: false } : { compaction: 'level', memtableMemoryBudget: memtables }),
  };
}
