import { writeBinaryString } from '../util/bytes.js';
import { reusingAllocator, slabAllocator } from '../util/row-bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { historyKey, latestKey } from './keys.js';
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
 * `existed`: whether the key at a place of the sorted keys had a value before, where that is known: then only those
 * that had one are read. Returns the keys for the undo record. A deletion of an absent key must not be among `writes`.
 */
export function commitVersions(
  database: Database,
  batch: DatabaseBatch,
  ns: Namespace,
  writes: Writes,
  height: number,
  existed?: (index: number) => boolean,
): Touched {
  // One unit of a binary string is a byte, so this is the order of the bytes.
  const names = [...writes.keys()].sort();
  const present = new Uint8Array(names.length);
  for (let from = 0; from < names.length; from += PORTION) {
    const end = Math.min(names.length, from + PORTION);
    supersede(database, batch, ns, names, present, { from, end, height, existed });
    for (let at = from; at < end; at++) {
      const key = bytesOf(names[at]);
      const value = writes.get(names[at]);
      if (value === undefined) batch.del('latest', latestKey(ns, key, keyRoom));
      else batch.put('latest', latestKey(ns, key, keyRoom), latestRow(height, value, valueRoom));
    }
  }
  return { names, present };
}

interface Portion {
  readonly from: number;
  readonly end: number;
  readonly height: number;
  readonly existed: ((index: number) => boolean) | undefined;
}

/** Moves the rows of a portion's keys to `history` and marks in `present` which had one. */
function supersede(
  database: Database,
  batch: DatabaseBatch,
  ns: Namespace,
  names: readonly string[],
  present: Uint8Array,
  { from, end, height, existed }: Portion,
): void {
  const places: number[] = [];
  for (let at = from; at < end; at++) if (existed?.(at) ?? true) places.push(at);
  const rows = database.getMany('latest', latestKeys(ns, names, places));
  for (let i = 0; i < places.length; i++) {
    const row = rows[i];
    if (row === undefined) continue;
    present[places[i]] = 1;
    batch.put('history', historyKey(ns, bytesOf(names[places[i]]), height, keyRoom), row);
  }
}

function latestKeys(ns: Namespace, names: readonly string[], places: readonly number[]): Uint8Array[] {
  const allocate = slabAllocator(places.reduce((sum, place) => sum + 1 + names[place].length, 0));
  return places.map((place) => latestKey(ns, bytesOf(names[place]), allocate));
}

/** Valid until its next call. */
function bytesOf(name: string): Uint8Array {
  const bytes = nameRoom(name.length);
  writeBinaryString(bytes, 0, name);
  return bytes;
}
