/**
 * The rows of undo records (touched.ts). The record of a block that touched many keys lies in several rows, each a
 * record of its own for the next of the keys, so that none is large: the first under the height, the others under the
 * height and their number, from 1 on. What an index by address has of its own: address-undo.ts.
 */

import { compareBytes } from '../util/bytes.js';
import { delAddressUndo } from './address-undo.js';
import type { Database, DatabaseBatch } from './database.js';
import { beU32, undoPartKey } from './keys.js';
import { corrupt } from './records.js';
import { decodeTouched, encodeTouched, endOfTouched, type Touched, type TouchedKey } from './touched.js';
import type { Namespace } from './types.js';

/** A piece of a block has room for so many rows of its undo record. */
export const UNDO_PARTS = 16;
/** Numbers of keys, by namespace. */
type KeyNumbers = Readonly<Record<Namespace, number>>;

/** Keys that follow each other, which one row names: from `from` to `end` of each namespace. */
export interface UndoPart {
  readonly from: KeyNumbers;
  readonly end: KeyNumbers;
}

/**
 * Puts the rows of the record of block `height`, one at least, and yields what each names when it is put. `bytes`:
 * after so many a row ends.
 */
export function* putUndo(
  pieces: Pick<DatabaseBatch, 'put'>,
  height: number,
  touched: Readonly<Record<Namespace, Touched>>,
  bytes: number,
): Generator<UndoPart, void, void> {
  for (let number = 0, from: KeyNumbers = { S: 0, P: 0 }; isLeft(touched, from, number); number++) {
    const { row, end } = encodeTouched(touched, from, bytes);
    pieces.put('undo', undoKey(height, number), row);
    yield { from, end };
    from = end;
  }
}

/** The same, but that each row is put by the function that is announced. */
export function* announceUndo(
  pieces: { announce(put: (batch: Pick<DatabaseBatch, 'put'>) => void): void },
  height: number,
  touched: Readonly<Record<Namespace, Touched>>,
  bytes: number,
): Generator<UndoPart, void, void> {
  for (let number = 0, from: KeyNumbers = { S: 0, P: 0 }; isLeft(touched, from, number); number++) {
    const [key, first] = [undoKey(height, number), from];
    pieces.announce((batch) => batch.put('undo', key, encodeTouched(touched, first, bytes).row));
    const end = endOfTouched(touched, from, bytes);
    yield { from, end };
    from = end;
  }
}

/** Whether row `number` is the first or has a key to name. */
function isLeft(touched: Readonly<Record<Namespace, Touched>>, from: KeyNumbers, number: number): boolean {
  return number === 0 || from.S < touched.S.count || from.P < touched.P.count;
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

/** Deletes the record of block `height`, with that of the index by address. */
export function delUndo(database: Database, batch: Pick<DatabaseBatch, 'del'>, height: number): void {
  batch.del('undo', beU32(height));
  for (let number = 1; database.get('undo', undoKey(height, number)) !== undefined; number++) {
    batch.del('undo', undoKey(height, number));
  }
  delAddressUndo(database, batch, height);
}

/** Whether a key comes after another one in a record. */
function follows({ ns, key }: TouchedKey, before: TouchedKey): boolean {
  return ns === before.ns ? compareBytes(key, before.key) > 0 : before.ns === 'S';
}

function undoKey(height: number, number: number): Uint8Array {
  return number === 0 ? beU32(height) : undoPartKey(height, number);
}
