/**
 * The rows of undo records (touched.ts). The record of a block that touched many keys lies in several rows, each a
 * record of its own for the next of the keys, so that none is large: the first under the height, the others under the
 * height and their number, from 1 on.
 */

import { compareBytes } from '../util/bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { beU32, undoPartKey } from './keys.js';
import { corrupt } from './records.js';
import { decodeTouched, encodeTouched, type KeyPlace, type Touched, type TouchedKey } from './touched.js';
import type { Namespace } from './types.js';

/** A piece of a block has room for so many rows of its undo record. */
export const UNDO_PARTS = 16;
/** Bytes that a key takes beside its own, at most. */
const KEY_BYTES = 10;

/** Some of the keys of a block that follow each other: from `from` to `end` of each namespace. */
export interface UndoPart {
  readonly from: Readonly<Record<Namespace, number>>;
  readonly end: Readonly<Record<Namespace, number>>;
}

/** The rows of a record, in their order: one at least. `bytes`: after so many a row ends. */
export function* undoParts(
  touched: Readonly<Record<Namespace, Touched>>,
  bytes: number,
): Generator<UndoPart, void, void> {
  let from = { S: 0, P: 0 };
  do {
    const standard = endOfPart(touched.S, from.S, bytes);
    // The keys of S come first.
    const end = { S: standard, P: standard < touched.S.count ? 0 : endOfPart(touched.P, from.P, bytes) };
    yield { from, end };
    from = end;
  } while (from.S < touched.S.count || from.P < touched.P.count);
}

function endOfPart(touched: Touched, from: number, most: number): number {
  let end = from;
  for (let bytes = 0; end < touched.count && bytes < most; end++) {
    const { keyStart, keyEnd } = touched.entry(end);
    bytes += KEY_BYTES + keyEnd - keyStart;
  }
  return end;
}

/** Puts row `number` of the record of block `height`. */
export function putUndoPart(
  pieces: Pick<DatabaseBatch, 'put'>,
  height: number,
  number: number,
  touched: Readonly<Record<Namespace, Touched>>,
  { from, end }: UndoPart,
): void {
  const S = new TouchedRange(touched.S, from.S, end.S);
  const P = new TouchedRange(touched.P, from.P, end.P);
  pieces.put('undo', undoKey(height, number), encodeTouched({ S, P }));
}

/** The rows of the record of block `height`, in their order; undefined if there is none. */
export function undoRows(database: Database, height: number): Iterable<Uint8Array> | undefined {
  const first = database.get('undo', beU32(height));
  return first && rowsFrom(database, height, first);
}

function* rowsFrom(database: Database, height: number, first: Uint8Array): Generator<Uint8Array, void, void> {
  yield first;
  for (let number = 1; ; number++) {
    const row = database.get('undo', undoKey(height, number));
    if (row === undefined) return;
    yield row;
  }
}

/** All keys that the record of block `height` names. Throws StoreError STORE_CORRUPT unless it is as it was written. */
export function* touchedIn(height: number, rows: Iterable<Uint8Array>): Generator<TouchedKey, void, void> {
  let last: TouchedKey | undefined;
  for (const row of rows) {
    let isFirst = true;
    for (const key of decodeTouched(height, row)) {
      if (isFirst && last !== undefined && !follows(key, last)) throw corrupt('undo record', height);
      isFirst = false;
      last = key;
      yield key;
    }
  }
}

/** Deletes the record of block `height`. */
export function delUndo(database: Database, batch: Pick<DatabaseBatch, 'del'>, height: number): void {
  batch.del('undo', beU32(height));
  for (let number = 1; database.get('undo', undoKey(height, number)) !== undefined; number++) {
    batch.del('undo', undoKey(height, number));
  }
}

/** Whether a key comes after another one in a record. */
function follows({ ns, key }: TouchedKey, before: TouchedKey): boolean {
  return ns === before.ns ? compareBytes(key, before.key) > 0 : before.ns === 'S';
}

function undoKey(height: number, number: number): Uint8Array {
  return number === 0 ? beU32(height) : undoPartKey(height, number);
}

/** A part of what is touched. */
class TouchedRange implements Touched {
  constructor(
    readonly all: Touched,
    readonly from: number,
    readonly end: number,
  ) {}

  get count(): number {
    return this.end - this.from;
  }

  entry(index: number): KeyPlace {
    return this.all.entry(this.from + index);
  }

  isPresent(index: number): boolean {
    return this.all.isPresent(this.from + index);
  }
}
