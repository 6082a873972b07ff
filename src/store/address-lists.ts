/** What listings read of the index by address. All of it tells of any height: rows say when something came and went. */

import { bytesEqual, compareBytes, concatBytes } from '../util/bytes.js';
import type { AddressMove, AddressOutput, UnspentRow } from './address-rows.js';
import { HASH_BYTES, historyRowKey, moveRow, outputKey, outputRow, unspentKey, unspentRow } from './address-rows.js';
import { AddressTxids } from './address-txids.js';
import { addressUndoRows, decodeAddressUndo } from './address-undo.js';
import type { Database, Range, Row } from './database.js';
import { rowPortions } from './row-portions.js';

/** Rows of a script up to a height, from the first on or backwards, behind a place of {@link ListedRow}. */
export interface ScriptRange {
  /** SHA-256 of the script. */
  readonly script: Uint8Array;
  /** The last height. */
  readonly to: number;
  readonly after: Uint8Array | undefined;
  readonly reverse: boolean;
}

/** A row with its place among those of the script, and the bytes that were read. */
export type ListedRow<T> = T & { readonly place: Uint8Array; readonly bytes: number };

/** Bytes of the place of a transaction, and of an output, among those of a script. */
export const MOVE_PLACE_BYTES = 8;
export const OUTPUT_PLACE_BYTES = 12;

export class AddressLists {
  readonly #database: Database;
  readonly #txids: AddressTxids;

  constructor(database: Database) {
    this.#database = database;
    this.#txids = new AddressTxids(database);
  }

  /** Outputs that blocks up to a height created, in the order of their creation. */
  outputs(range: ScriptRange): Generator<ListedRow<AddressOutput>, void, void> {
    const [from, to] = [outputKey(range.script, 0, 0, 0), outputKey(range.script, range.to, 0xffffffff, 0xffffffff)];
    return this.#rows(from, to, range, outputRow);
  }

  /** Transactions up to a height that created or spent outputs of the script, in the order of the chain. */
  moves(range: ScriptRange): Generator<ListedRow<AddressMove>, void, void> {
    const [from, to] = [historyRowKey(range.script, 0, 0), historyRowKey(range.script, range.to, 0xffffffff)];
    return this.#rows(from, to, range, moveRow);
  }

  /** An output that no block has spent, by its outpoint (36 bytes, as in an input); undefined if there is none. */
  unspent(outpoint: Uint8Array): UnspentRow | undefined {
    const value = this.#database.get('addresses', unspentKey(outpoint, 0));
    return value && unspentRow(value);
  }

  /**
   * An output that block `height` spent, by its outpoint; undefined if it did not, or has no undo data. Throws
   * StoreError STORE_CORRUPT.
   */
  spentIn(height: number, outpoint: Uint8Array): UnspentRow | undefined {
    for (const row of addressUndoRows(this.#database, height)) {
      const found = decodeAddressUndo(height, row).spent.find((coin) => bytesEqual(coin.outpoint, outpoint));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The txid (32 bytes, wire order) of a transaction by its place; undefined if there is none. */
  txidAt(height: number, index: number): Uint8Array | undefined {
    return this.#txids.at(height, index);
  }

  *#rows<T>(
    first: Uint8Array,
    last: Uint8Array,
    { after, reverse }: ScriptRange,
    read: (row: Row) => T,
  ): Generator<ListedRow<T>, void, void> {
    const head = 1 + HASH_BYTES;
    let range: Range = { gte: first, lt: concatBytes(last, Uint8Array.of(0)), reverse };
    if (after !== undefined) {
      const at = concatBytes(first.subarray(0, head), after);
      if (!reverse) range = { ...range, gte: concatBytes(at, Uint8Array.of(0)) };
      // Clients may say anything: backwards, nothing above the last height is listed.
      else if (compareBytes(at, last) <= 0) range = { ...range, lt: at };
    }
    for (const row of rowPortions(this.#database, 'addresses', range)) {
      const place = row[0].slice(head);
      yield { ...read(row), place, bytes: row[0].length + row[1].length };
    }
  }
}
