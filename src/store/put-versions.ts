import { writeBinaryString } from '../util/bytes.js';
import { reusingAllocator } from '../util/row-bytes.js';
import type { DatabaseBatch } from './database.js';
import { historyKey, latestKey } from './keys.js';
import { historyRow, latestRow } from './reader.js';
import type { Namespace } from './types.js';

/** By key as a binary string; undefined = deleted. */
export type Writes = ReadonlyMap<string, Uint8Array | undefined>;

/** A batch copies its arguments. */
const nameRoom = reusingAllocator();
const keyRoom = reusingAllocator();
const valueRoom = reusingAllocator();

/**
 * Rows of `history`, then of `latest`; returns the keys for the undo record. All in the order of the keys: the database
 * takes rows that come in order in half the time. Nothing is made per key: a block may write millions.
 */
export function putVersions(batch: DatabaseBatch, ns: Namespace, writes: Writes, height: number): readonly string[] {
  // One unit of a binary string is a byte, so this is the order of the bytes.
  const names = [...writes.keys()].sort();
  for (const name of names) {
    const key = bytesOf(name);
    batch.put('history', historyKey(ns, key, height, keyRoom), historyRow(writes.get(name), valueRoom));
  }
  for (const name of names) {
    const key = bytesOf(name);
    const value = writes.get(name);
    if (value === undefined) batch.del('latest', latestKey(ns, key, keyRoom));
    else batch.put('latest', latestKey(ns, key, keyRoom), latestRow(height, value, valueRoom));
  }
  return names;
}

function bytesOf(name: string): Uint8Array {
  const bytes = nameRoom(name.length);
  writeBinaryString(bytes, 0, name);
  return bytes;
}
