/** What listings read of the index by address. All of it tells of any height: rows say when something came and went. */

import { bytesEqual, compareBytes, concatBytes } from '../util/bytes.js';
import {
  ADDRESS_TAGS,
  type AddressMove,
  type AddressOutput,
  HASH_BYTES,
  historyRowKey,
  moveRow,
  OUTPUT_KEY_BYTES,
  outputKey,
  outputRow,
  placeOfTransaction,
  SCRIPT_HEAD_BYTES,
  transactionKey,
} from './address-rows.js';
import { AddressTxids } from './address-txids.js';
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

/** Scripts whose names may begin alike: to find two takes 2^32 hashes, and a third is more than anybody can try. */
const MOST_ALIKE = 8;
const OUTPUT_TAG = Uint8Array.of(ADDRESS_TAGS.output);
const BEHIND_OUTPUTS = Uint8Array.of(ADDRESS_TAGS.output + 1);
/** More than what stands behind the script in a key. */
const BEHIND_SCRIPT = new Uint8Array(OUTPUT_KEY_BYTES).fill(0xff);

interface PlaceInChain {
  readonly height: number;
  /** Position of the transaction in its block. */
  readonly index: number;
}

/** An output with its script's SHA-256. */
type ScriptOutput = AddressOutput & { readonly script: Uint8Array };

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

  /**
   * Where the transaction with a txid (wire order) stands, of several the last one up to a height; undefined if there
   * is none.
   */
  placeOf(txid: Uint8Array, to: number): PlaceInChain | undefined {
    return this.#transaction(txid, to)?.place;
  }

  /**
   * The output of the last transaction with a txid (wire order) up to a height, as it is now: what spent it may be
   * above. Undefined if there is none, or it can never be spent. Throws StoreError STORE_CORRUPT.
   */
  output(txid: Uint8Array, vout: number, to: number): ScriptOutput | undefined {
    const found = this.#transaction(txid, to);
    if (found === undefined) return undefined;
    const { place, heads } = found;
    const head = heads.subarray(vout * SCRIPT_HEAD_BYTES, (vout + 1) * SCRIPT_HEAD_BYTES);
    return head.length < SCRIPT_HEAD_BYTES ? undefined : this.outputAt(place, vout, head);
  }

  /** An output by its place; `head`: first bytes of its script's name. Throws StoreError STORE_CORRUPT. */
  outputAt({ height, index }: PlaceInChain, vout: number, head: Uint8Array): ScriptOutput | undefined {
    let gte = concatBytes(OUTPUT_TAG, head);
    for (let looks = 0; looks < MOST_ALIKE; looks++) {
      const first = this.#database.first('addresses', { gte, lt: BEHIND_OUTPUTS });
      if (first === undefined || !bytesEqual(first[0].subarray(1, 1 + SCRIPT_HEAD_BYTES), head)) return undefined;
      const script = first[0].slice(1, 1 + HASH_BYTES);
      const key = outputKey(script, height, index, vout);
      const value = this.#database.get('addresses', key);
      if (value !== undefined) return { ...outputRow([key, value]), script };
      gte = concatBytes(OUTPUT_TAG, script, BEHIND_SCRIPT);
    }
    return undefined;
  }

  /** The txid (32 bytes, wire order) of a transaction by its place; undefined if there is none. */
  txidAt(height: number, index: number): Uint8Array | undefined {
    return this.#txids.at(height, index);
  }

  #transaction(txid: Uint8Array, to: number): { place: PlaceInChain; heads: Uint8Array } | undefined {
    const gte = transactionKey(txid, 0, 0, 0);
    const lt = concatBytes(transactionKey(txid, 0, to, 0xffffffff), Uint8Array.of(0));
    for (const [key, heads] of this.#database.scan('addresses', { gte, lt, reverse: true })) {
      const place = placeOfTransaction(key);
      // A key has half of the txid.
      if (bytesEqual(this.#txids.at(place.height, place.index), txid)) return { place, heads: heads.slice() };
    }
    return undefined;
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
