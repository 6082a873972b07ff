import { ReusedRow, reusingAllocator, slabAllocator } from '../util/row-bytes.js';
import { LastView } from '../util/words.js';
import type { WritesToCommit } from './copied-writes.js';
import type { Database, DatabaseBatch } from './database.js';
import { historyKeyAt, latestKeyAt, latestKeyIn } from './keys.js';
import { corrupt } from './records.js';
import { latestRowIn, writtenAt } from './rows.js';
import type { Namespace } from './types.js';

/** Keys whose rows are in memory at a time: a block may write millions, and a value may have megabytes. */
const PORTION = 4_096;

/** A batch copies its arguments. */
const keyRow = new ReusedRow();
const valueRow = new ReusedRow();
const keyRoom = reusingAllocator();

type RowsOf = Pick<DatabaseBatch, 'put' | 'del'>;

/**
 * Writes of block `height`, from number `first` to `last`, into `latest`; the rows that they replace go to `history`,
 * before or together with what replaces them: whoever finds the new one finds the old one there. Only keys that had a
 * value are read. Throws StoreError STORE_CORRUPT if one of them has no row.
 */
export function commitVersions(
  database: Database,
  rows: RowsOf,
  ns: Namespace,
  writes: WritesToCommit,
  height: number,
  first = 0,
  last = writes.count,
): void {
  const views = new LastView();
  for (let from = first; from < last; from += PORTION) {
    const end = Math.min(last, from + PORTION);
    supersede(database, rows, ns, writes, from, end, height);
    for (let i = from; i < end; i++) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = writes.entry(i);
      const view = views.of(bytes);
      const key = latestKeyIn(keyRow, ns, view, keyStart, keyEnd);
      if (valueEnd < 0) rows.del('latest', key);
      else rows.put('latest', key, latestRowIn(valueRow, height, view, valueStart, valueEnd));
    }
  }
}

/** Moves the rows of the keys that had a value to `history`. */
function supersede(
  database: Database,
  rows: RowsOf,
  ns: Namespace,
  writes: WritesToCommit,
  from: number,
  end: number,
  height: number,
): void {
  const unknown = unknownRows(database, ns, writes, from, end);
  for (let i = from, next = 0; i < end; i++) {
    if (!writes.isPresent(i)) continue;
    const row = writes.knowsRow(i) ? writes.knownRow(i) : unknown[next++];
    if (row === undefined || writtenAt(row) >= height) throw corrupt('row of a key that was written before', height);
    const { bytes, keyStart, keyEnd } = writes.entry(i);
    rows.put('history', historyKeyAt(ns, bytes, keyStart, keyEnd, height, keyRoom), row);
  }
}

/** The rows of the keys that had a value, in their order, but for those that are known. */
function unknownRows(
  database: Database,
  ns: Namespace,
  writes: WritesToCommit,
  from: number,
  end: number,
): (Uint8Array | undefined)[] {
  const unknown: number[] = [];
  let keyBytes = 0;
  for (let i = from; i < end; i++) {
    if (!writes.isPresent(i) || writes.knowsRow(i)) continue;
    unknown.push(i);
    const { keyStart, keyEnd } = writes.entry(i);
    keyBytes += 1 + keyEnd - keyStart;
  }
  const allocate = slabAllocator(keyBytes);
  return database.getMany(
    'latest',
    unknown.map((i) => {
      const { bytes, keyStart, keyEnd } = writes.entry(i);
      return latestKeyAt(ns, bytes, keyStart, keyEnd, allocate);
    }),
  );
}
