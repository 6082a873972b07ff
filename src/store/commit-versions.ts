import { writeBinaryString } from '../util/bytes.js';
import { reusingAllocator, slabAllocator } from '../util/row-bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { historyKey, latestKey } from './keys.js';
import { corrupt } from './records.js';
import { latestRow } from './rows.js';
import type { Touched } from './touched.js';
import type { Namespace } from './types.js';

/** By key as a binary string; undefined = deleted. */
export type Writes = ReadonlyMap<string, Uint8Array | undefined>;

/** Keys whose rows are in memory at a time: a block may write millions, and a value may have megabytes. */
const PORTION = 4_096;

/** A batch copies its arguments. */
const nameRoom = reusingAllocator();
const keyRoom = reusingAllocator();
const valueRoom = reusingAllocator();

/**
 * Writes of block `height` into `latest`; the rows that they replace go to `history`. Everything in the order of the
 * keys: the database gives and takes rows that come in order in half the time. Nothing is made per key but what the
 * database itself asks for or answers.
 *
 * `existed`: by write, in their order, 1 if its key had a value before, as the state tree tells: only those are read.
 * Deletions of absent keys change nothing and leave no trace. Returns the keys for the undo record. Throws StoreError
 * STORE_CORRUPT if a key that had a value has no row.
 */
export function commitVersions(
  database: Database,
  batch: DatabaseBatch,
  ns: Namespace,
  writes: Writes,
  height: number,
  existed: Uint8Array,
): Touched {
  const replaced: string[] = [];
  const added: string[] = [];
  let index = 0;
  for (const [name, value] of writes) {
    if (existed[index++] === 1) replaced.push(name);
    else if (value !== undefined) added.push(name);
  }
  // One unit of a binary string is a byte, so this is the order of the bytes.
  replaced.sort();
  const touched = merged(replaced, added.sort());
  supersede(database, batch, ns, replaced, height);
  for (const name of touched.names) {
    const key = bytesOf(name);
    const value = writes.get(name);
    if (value === undefined) batch.del('latest', latestKey(ns, key, keyRoom));
    else batch.put('latest', latestKey(ns, key, keyRoom), latestRow(height, value, valueRoom));
  }
  return touched;
}

/** Moves the rows of keys, which are sorted, to `history`. */
function supersede(
  database: Database,
  batch: DatabaseBatch,
  ns: Namespace,
  names: readonly string[],
  height: number,
): void {
  for (let from = 0; from < names.length; from += PORTION) {
    const end = Math.min(names.length, from + PORTION);
    const rows = database.getMany('latest', latestKeys(ns, names, from, end));
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (row === undefined) throw corrupt('row of a key that was written before', height);
      batch.put('history', historyKey(ns, bytesOf(names[from + i]), height, keyRoom), row);
    }
  }
}

/** The keys of two sorted lists, which share none, in their order; 1 for those of the first. */
function merged(replaced: readonly string[], added: readonly string[]): Touched {
  const names = new Array<string>(replaced.length + added.length);
  const present = new Uint8Array(names.length);
  let left = 0;
  let right = 0;
  for (let at = 0; at < names.length; at++) {
    const isReplaced = right === added.length || (left < replaced.length && replaced[left] < added[right]);
    present[at] = isReplaced ? 1 : 0;
    names[at] = isReplaced ? replaced[left++] : added[right++];
  }
  return { names, present };
}

function latestKeys(ns: Namespace, names: readonly string[], from: number, end: number): Uint8Array[] {
  let bytes = 0;
  for (let at = from; at < end; at++) bytes += 1 + names[at].length;
  const allocate = slabAllocator(bytes);
  return Array.from({ length: end - from }, (_, i) => latestKey(ns, bytesOf(names[from + i]), allocate));
}

/** Valid until its next call. */
function bytesOf(name: string): Uint8Array {
  const bytes = nameRoom(name.length);
  writeBinaryString(bytes, 0, name);
  return bytes;
}
