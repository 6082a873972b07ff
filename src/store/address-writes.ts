/** Writes the rows of the index of addresses with their block, and takes them back. */
import { reusingAllocator } from '../util/row-bytes.js';
import { type AddressChanges, AddressIndex, type CreatedOutput, type SpentOutput, voutOf } from './address-block.js';
import {
  HASH_BYTES,
  historyRowKey,
  moveValue,
  OUTPOINT_BYTES,
  outputKey,
  outputValue,
  PAGE_TXIDS,
  txidsKey,
  txidsPrefix,
  unspentKey,
  unspentValue,
} from './address-rows.js';
import { AddressTxids } from './address-txids.js';
import { addressUndoKey, addressUndoRows, decodeAddressUndo, encodeAddressUndo } from './address-undo.js';
import type { Database, DatabaseBatch, PutRows } from './database.js';
import { afterPrefix } from './keys.js';
import { corrupt } from './records.js';

/** Outputs of one row of the undo record, at most. */
const PART = 2_048;

type Rows = Pick<DatabaseBatch, 'put' | 'del'>;

interface StoreWithIndex {
  readonly keepsAddresses: boolean;
  readonly database: Database;
}

/** A batch copies its arguments. */
const keyRoom = reusingAllocator();
const valueRoom = reusingAllocator();

/**
 * Puts the rows that a block changes. `name` gets what puts each row of the undo record, before the rows that it names
 * are put.
 */
export function putAddressRows(rows: Rows, changes: AddressChanges, name: (put: PutRows) => void): void {
  const { height, txids, created, spent, moved } = changes;
  for (let page = 0; page * PAGE_TXIDS * HASH_BYTES < txids.length; page++) {
    const from = page * PAGE_TXIDS * HASH_BYTES;
    rows.put('addresses', txidsKey(height, page), txids.slice(from, from + PAGE_TXIDS * HASH_BYTES));
  }
  let number = 0;
  const nameNext = (made: readonly CreatedOutput[], gone: readonly SpentOutput[]): void => {
    const key = addressUndoKey(height, number++);
    name((batch) => batch.put('undo', key, encodeAddressUndo(made, gone)));
  };
  for (let from = 0; from < spent.length; from += PART) {
    const part = spent.slice(from, from + PART);
    nameNext([], part);
    for (const output of part) putSpent(rows, output);
  }
  const outpoint = new Uint8Array(OUTPOINT_BYTES);
  for (let from = 0; from < created.length; from += PART) {
    const part = created.slice(from, from + PART);
    nameNext(part, []);
    for (const output of part) putCreated(rows, output, txids, outpoint);
  }
  for (const { script, index, received, spent: gone } of moved) {
    rows.put('addresses', historyRowKey(script, height, index, keyRoom), moveValue(received, gone));
  }
}

function putSpent(rows: Rows, { script, height, index, amount, outpoint, spender }: SpentOutput): void {
  const key = outputKey(script, height, index, voutOf(outpoint), keyRoom);
  rows.put('addresses', key, outputValue(amount, spender, valueRoom));
  rows.del('addresses', unspentKey(outpoint, 0, keyRoom));
}

function putCreated(rows: Rows, output: CreatedOutput, txids: Uint8Array, outpoint: Uint8Array): void {
  const { script, height, index, vout, amount, spender } = output;
  const key = outputKey(script, height, index, vout, keyRoom);
  rows.put('addresses', key, outputValue(amount, spender, valueRoom));
  if (spender !== undefined) return;
  outpoint.set(txids.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
  setVout(outpoint, vout);
  rows.put('addresses', unspentKey(outpoint, 0, keyRoom), unspentValue(output, valueRoom));
}

function setVout(outpoint: Uint8Array, vout: number): void {
  for (let i = 0; i < 4; i++) outpoint[HASH_BYTES + i] = (vout >>> (8 * i)) & 0xff;
}

/** What finds the rows that blocks change; undefined in a database without the index. */
export function addressIndexOf(store: StoreWithIndex): AddressIndex | undefined {
  return store.keepsAddresses ? new AddressIndex(store.database) : undefined;
}

/** Bytes that {@link takeBackAddresses} works from. */
export function addressUndoBytes(database: Database, height: number): number {
  let bytes = 0;
  for (const row of addressUndoRows(database, height)) bytes += row.length;
  return bytes;
}

/**
 * Takes the rows of block `height`, the last one, back, as far as they were written; saying it again changes nothing.
 * Its undo record stays. Throws StoreError STORE_CORRUPT.
 */
export function takeBackAddresses(database: Database, rows: Rows, height: number): void {
  const txids = new AddressTxids(database);
  for (const row of addressUndoRows(database, height)) {
    for (const { script, index, vout, spentBy } of decodeAddressUndo(height, row).created) {
      rows.del('addresses', outputKey(script, height, index, vout, keyRoom));
      rows.del('addresses', historyRowKey(script, height, index, keyRoom));
      if (spentBy !== undefined) rows.del('addresses', historyRowKey(script, height, spentBy, keyRoom));
      const txid = txids.at(height, index);
      if (txid === undefined) throw corrupt('list of txids', height);
      const outpoint = new Uint8Array(OUTPOINT_BYTES);
      outpoint.set(txid);
      setVout(outpoint, vout);
      rows.del('addresses', unspentKey(outpoint, 0, keyRoom));
    }
  }
  // Behind the created ones, of which one may have the outpoint of an output that it replaced.
  for (const row of addressUndoRows(database, height)) {
    for (const { outpoint, spentBy, ...coin } of decodeAddressUndo(height, row).spent) {
      const key = outputKey(coin.script, coin.height, coin.index, voutOf(outpoint), keyRoom);
      rows.put('addresses', key, outputValue(coin.amount, undefined, valueRoom));
      rows.put('addresses', unspentKey(outpoint, 0, keyRoom), unspentValue(coin, valueRoom));
      rows.del('addresses', historyRowKey(coin.script, height, spentBy, keyRoom));
    }
  }
}

/** The same with the txids, for a block that is undone in one batch. */
export function undoAddresses(database: Database, rows: Rows, height: number): void {
  takeBackAddresses(database, rows, height);
  delTxids(database, rows, height);
}

/** Deletes the txids of a block, which {@link takeBackAddresses} needs. */
export function delTxids(database: Database, rows: Pick<DatabaseBatch, 'del'>, height: number): void {
  const gte = txidsPrefix(height);
  for (const [key] of database.scan('addresses', { gte, lt: afterPrefix(gte) })) {
    rows.del('addresses', new Uint8Array(key));
  }
}
