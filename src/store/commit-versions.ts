import { copyBytes } from '../util/copy-bytes.js';
import type { PackedEntry, PackedWrites, RowsBefore } from '../util/packed-writes.js';
import { reusingAllocator, slabAllocator } from '../util/row-bytes.js';
import { sortedByKey } from '../util/sort-packed.js';
import type { Database } from './database.js';
import { historyKey, latestKeyAt } from './keys.js';
import type { PieceWriter } from './pieces.js';
import { corrupt } from './records.js';
import { latestRowAt, writtenAt } from './rows.js';
import type { Touched } from './touched.js';
import type { Namespace } from './types.js';

/** Keys whose rows are in memory at a time: a block may write millions, and a value may have megabytes. */
const PORTION = 4_096;

/** A batch copies its arguments. */
const keyRoom = reusingAllocator();
const valueRoom = reusingAllocator();
const rowRoom = reusingAllocator();

/**
 * The writes of a block to one namespace that change something, in the order of their keys: the database gives and
 * takes rows that come in order in half the time. Deletions of absent keys change nothing and leave no trace.
 */
export class SortedWrites implements Touched {
  readonly #writes: PackedWrites;
  /** Of the entries, in their order. */
  readonly #addresses: Uint32Array;
  readonly #existed: Uint8Array;
  /** Places in both, in the order of the keys. */
  readonly #places: Uint32Array;
  readonly #before: RowsBefore | undefined;

  /** `existed`: by write, in their order, 1 if its key had a value before, as the state tree tells. */
  constructor(writes: PackedWrites, existed: Uint8Array) {
    this.#writes = writes;
    this.#existed = existed;
    this.#addresses = writes.addresses();
    this.#before = writes.rowsBefore();
    const places = writes.prepared()?.order.slice() ?? sortedByKey(writes, this.#addresses);
    let count = 0;
    for (const place of places) {
      if (existed[place] === 1 || writes.read(this.#addresses[place]).valueEnd >= 0) places[count++] = place;
    }
    this.#places = places.subarray(0, count);
  }

  get count(): number {
    return this.#places.length;
  }

  /** The write at `index`: good until the next call. */
  entry(index: number): PackedEntry {
    return this.#writes.read(this.#addresses[this.#places[index]]);
  }

  key(index: number): Uint8Array {
    const { bytes, keyStart, keyEnd } = this.entry(index);
    return bytes.subarray(keyStart, keyEnd);
  }

  isPresent(index: number): boolean {
    return this.#existed[this.#places[index]] === 1;
  }

  /** Whether the row that the write at `index` replaces is known, if there is one. */
  knowsRow(index: number): boolean {
    return this.#before !== undefined && this.#before.places[2 * this.#places[index] + 1] > 0;
  }

  /** The row that is known: good until the next call. */
  knownRow(index: number): Uint8Array | undefined {
    if (this.#before === undefined) return undefined;
    const { bytes, places } = this.#before;
    const start = places[2 * this.#places[index]];
    const end = places[2 * this.#places[index] + 1];
    const row = rowRoom(end - start);
    copyBytes(bytes, start, end, row, 0);
    return row;
  }
}

/** Of both namespaces. */
export function sortedWrites(
  writes: Readonly<Record<Namespace, PackedWrites>>,
  existed: Readonly<Record<Namespace, Uint8Array>>,
): Readonly<Record<Namespace, SortedWrites>> {
  return { S: new SortedWrites(writes.S, existed.S), P: new SortedWrites(writes.P, existed.P) };
}

/**
 * Writes of block `height`, from number `first` to `last`, into `latest`; the rows that they replace go to `history`,
 * before or together with what replaces them: whoever finds the new one finds the old one there. Only keys that had a
 * value are read. Throws StoreError STORE_CORRUPT if one of them has no row.
 */
export function commitVersions(
  database: Database,
  pieces: PieceWriter,
  ns: Namespace,
  writes: SortedWrites,
  height: number,
  first = 0,
  last = writes.count,
): void {
  for (let from = first; from < last; from += PORTION) {
    const end = Math.min(last, from + PORTION);
    supersede(database, pieces, ns, writes, from, end, height);
    for (let i = from; i < end; i++) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = writes.entry(i);
      const key = latestKeyAt(ns, bytes, keyStart, keyEnd, keyRoom);
      if (valueEnd < 0) pieces.del('latest', key);
      else pieces.put('latest', key, latestRowAt(height, bytes, valueStart, valueEnd, valueRoom));
    }
  }
}

/** Moves the rows of the keys that had a value to `history`. */
function supersede(
  database: Database,
  pieces: PieceWriter,
  ns: Namespace,
  writes: SortedWrites,
  from: number,
  end: number,
  height: number,
): void {
  const unknown = unknownRows(database, ns, writes, from, end);
  for (let i = from, next = 0; i < end; i++) {
    if (!writes.isPresent(i)) continue;
    const row = writes.knowsRow(i) ? writes.knownRow(i) : unknown[next++];
    if (row === undefined || writtenAt(row) >= height) throw corrupt('row of a key that was written before', height);
    pieces.put('history', historyKey(ns, writes.key(i), height, keyRoom), row);
  }
}

/** The rows of the keys that had a value, in their order, but for those that are known. */
function unknownRows(
  database: Database,
  ns: Namespace,
  writes: SortedWrites,
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
