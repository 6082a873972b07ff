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
  SCRIPT_HEAD_BYTES,
  transactionKey,
  txidsKey,
  txidsPrefix,
  unspentKey,
  unspentValue,
} from './address-rows.js';
import { AddressTxids } from './address-txids.js';
import { addressUndoKey, addressUndoRows, decodeAddressUndo, encodeAddressUndo } from './address-undo.js';
import type { Database, DatabaseBatch, PutRows } from './database.js';
import { afterPrefix, readBeU32 } from './keys.js';
import { corrupt } from './records.js';

/** Outputs of one row of the undo record, at most. */
const PART = 2_048;
/** Above the number of outputs that a block can have, and of inputs; times 2^32 a number knows it exactly. */
const MOST_OF_A_BLOCK = 2 ** 21;

type Rows = Pick<DatabaseBatch, 'put' | 'del'>;

interface StoreWithIndex {
  readonly keepsAddresses: boolean;
  readonly database: Database;
}

/** A batch copies its arguments. */
const keyRoom = reusingAllocator();
const valueRoom = reusingAllocator();
const OUTPOINT = new Uint8Array(OUTPOINT_BYTES);

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
  for (let from = 0; from < spent.length; from += PART) nameNext([], spent.slice(from, from + PART));
  for (let from = 0; from < created.length; from += PART) nameNext(created.slice(from, from + PART), []);
  putTransactions(rows, changes);
  // Those that go before those that come, of which one may have the outpoint of one that it replaces.
  for (const i of inOrder(spent.length, (i) => readBeU32(spent[i].outpoint, 0))) {
    rows.del('addresses', unspentKey(spent[i].outpoint, 0, keyRoom));
  }
  for (const i of inOrder(created.length, (i) => readBeU32(txids, created[i].index * HASH_BYTES))) {
    putUnspent(rows, created[i], txids);
  }
  const outputs: readonly (CreatedOutput | SpentOutput)[] = [...spent, ...created];
  for (const i of inOrder(outputs.length, (i) => readBeU32(outputs[i].script, 0))) putOutput(rows, outputs[i]);
  for (const i of inOrder(moved.length, (i) => readBeU32(moved[i].script, 0))) {
    const { script, index, received, spent: gone } = moved[i];
    rows.put('addresses', historyRowKey(script, height, index, keyRoom), moveValue(received, gone, valueRoom));
  }
}

/**
 * Numbers from 0 to `count` in the order of the first four bytes of what they stand for: a database takes rows in about
 * half of the time if neighbours come one after the other.
 */
function inOrder(count: number, head: (i: number) => number): Float64Array {
  const order = new Float64Array(count);
  for (let i = 0; i < count; i++) order[i] = head(i) * MOST_OF_A_BLOCK + i;
  order.sort();
  for (let i = 0; i < count; i++) order[i] %= MOST_OF_A_BLOCK;
  return order;
}

function putTransactions(rows: Rows, { height, txids, firstOutput, scriptHeads }: AddressChanges): void {
  const count = txids.length / HASH_BYTES;
  for (const index of inOrder(count, (i) => readBeU32(txids, i * HASH_BYTES))) {
    const key = transactionKey(txids, index * HASH_BYTES, height, index, keyRoom);
    const [from, to] = [firstOutput[index], firstOutput[index + 1]];
    rows.put('addresses', key, scriptHeads.subarray(from * SCRIPT_HEAD_BYTES, to * SCRIPT_HEAD_BYTES));
  }
}

function putOutput(rows: Rows, output: CreatedOutput | SpentOutput): void {
  const { script, height, index, amount, spender } = output;
  const vout = 'vout' in output ? output.vout : voutOf(output.outpoint);
  rows.put('addresses', outputKey(script, height, index, vout, keyRoom), outputValue(amount, spender, valueRoom));
}

/** Unless the block itself spends it. */
function putUnspent(rows: Rows, output: CreatedOutput, txids: Uint8Array): void {
  if (output.spender !== undefined) return;
  OUTPOINT.set(txids.subarray(output.index * HASH_BYTES, (output.index + 1) * HASH_BYTES));
  setVout(OUTPOINT, output.vout);
  rows.put('addresses', unspentKey(OUTPOINT, 0, keyRoom), unspentValue(output, valueRoom));
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

/** Deletes the txids of a block, which {@link takeBackAddresses} needs, and what finds its transactions by them. */
export function delTxids(database: Database, rows: Pick<DatabaseBatch, 'del'>, height: number): void {
  const gte = txidsPrefix(height);
  let index = 0;
  for (const [key, txids] of database.scan('addresses', { gte, lt: afterPrefix(gte) })) {
    rows.del('addresses', new Uint8Array(key));
    for (let at = 0; at < txids.length; at += HASH_BYTES) {
      rows.del('addresses', transactionKey(txids, at, height, index++, keyRoom));
    }
  }
}
