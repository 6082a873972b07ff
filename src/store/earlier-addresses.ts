/** The index by address as it was after an earlier block. */
import { StoreError } from '../errors/errors.js';
import { concatBytes, toHex, u32Bytes } from '../util/bytes.js';
import { newBytes } from '../util/row-bytes.js';
import type { AddressLists } from './address-lists.js';
import {
  ADDRESS_TAGS,
  HASH_BYTES,
  outputRow,
  outputValue,
  placeOfTransaction,
  unspentKey,
  unspentRow,
  unspentValue,
} from './address-rows.js';
import type { DatabaseBatch, Row } from './database.js';
import { readBeU32 } from './keys.js';
import { corrupt } from './records.js';

export class EarlierAddresses {
  readonly #lists: AddressLists;
  readonly #height: number;

  constructor(lists: AddressLists, height: number) {
    this.#lists = lists;
    this.#height = height;
  }

  /** Puts what a row of the newer database was. Throws StoreError STORE_CORRUPT. */
  put(batch: DatabaseBatch, row: Row): void {
    const [key, value] = row;
    switch (key[0]) {
      case ADDRESS_TAGS.output:
        this.#putOutput(batch, row);
        return;
      case ADDRESS_TAGS.unspent:
        // Those that were spent since come with their outputs.
        this.#copyUpTo(batch, row, unspentRow(value).height);
        return;
      case ADDRESS_TAGS.history:
        this.#copyUpTo(batch, row, readBeU32(key, 1 + HASH_BYTES));
        return;
      case ADDRESS_TAGS.transaction:
        this.#copyUpTo(batch, row, placeOfTransaction(key).height);
        return;
      case ADDRESS_TAGS.txids:
        this.#copyUpTo(batch, row, readBeU32(key, 1));
        return;
      default:
        throw new StoreError('STORE_CORRUPT', 'a row of the index by address has no known kind', {
          facts: { key: toHex(key) },
        });
    }
  }

  #copyUpTo(batch: DatabaseBatch, [key, value]: Row, height: number): void {
    if (height <= this.#height) batch.put('addresses', key, value);
  }

  #putOutput(batch: DatabaseBatch, row: Row): void {
    const [key, value] = row;
    const { height, index, vout, amount, spender } = outputRow(row);
    if (height > this.#height) return;
    if (spender === undefined || spender.height <= this.#height) {
      batch.put('addresses', key, value);
      return;
    }
    const txid = this.#lists.txidAt(height, index);
    if (txid === undefined) throw corrupt('list of txids', height);
    const script = key.slice(1, 1 + HASH_BYTES);
    batch.put('addresses', key, outputValue(amount, undefined, newBytes));
    const outpoint = concatBytes(txid, u32Bytes(vout));
    batch.put('addresses', unspentKey(outpoint, 0), unspentValue({ script, height, index, amount }, newBytes));
  }
}
