/**
 * Rows of the column `addresses`, which has some in a database with `--index addresses` only. A script is named by its
 * SHA-256; a place is the height of a block, and the position of a transaction in it; all numbers are u32 BE.
 *
 * 'o' ++ script 32 ++ place ++ output number → the output: its amount, u64 LE; once it is spent, behind it the place of
 * the transaction that did, and the number of the input. Those two say when, so that rows tell of any height.
 * 'u' ++ outpoint 36 (as in an input) → an output that is not spent: script 32 ++ place ++ amount.
 * 'h' ++ script 32 ++ place → a transaction that has to do with the script: what its outputs get and its inputs spend
 * of it, two varints.
 * 'x' ++ height ++ number of the page → txids of the transactions of a block, {@link PAGE_TXIDS} of them on a page.
 * 't' ++ first 16 bytes of a txid ++ place → a transaction: of each of its outputs the first 8 bytes of the script's
 * name, which with the place find the row of the output, also once it is spent.
 *
 * Outputs that can never be spent have no rows. Nothing is ever dropped but with its block; what undoes one stands in
 * the column `undo` (address-undo.ts).
 */
import { decodeVarints } from '../protocol/varint.js';
import { copyBytes } from '../util/copy-bytes.js';
import { newBytes, type RowAllocator } from '../util/row-bytes.js';
import type { Row } from './database.js';
import { readBeU32, writeBeU32 } from './keys.js';
import { corrupt } from './records.js';

export const ADDRESS_TAGS = { history: 0x68, output: 0x6f, transaction: 0x74, unspent: 0x75, txids: 0x78 } as const;

export const HASH_BYTES = 32;
export const OUTPOINT_BYTES = 36;
const AMOUNT_BYTES = 8;
export const PAGE_TXIDS = 64;
export const OUTPUT_KEY_BYTES = 45;
export const UNSPENT_KEY_BYTES = 37;
const HISTORY_KEY_BYTES = 41;
/** Of a script's name, in the row of a transaction. */
export const SCRIPT_HEAD_BYTES = 8;
const TXID_HEAD_BYTES = 16;
const TRANSACTION_KEY_BYTES = 1 + TXID_HEAD_BYTES + 8;
const SPENT_BYTES = AMOUNT_BYTES + 12;
const COIN_BYTES = HASH_BYTES + 8 + AMOUNT_BYTES;
/** In the place of an input's number: the output was lost to one of a later transaction with the same txid. */
export const NO_INPUT = 0xffffffff;

/** Where an output was spent. */
export interface Spender {
  readonly height: number;
  /** Position of the transaction in its block. */
  readonly index: number;
  /** Number of the input, or {@link NO_INPUT}. */
  readonly vin: number;
}

/** An output as its row has it. */
export interface AddressOutput {
  readonly height: number;
  readonly index: number;
  readonly vout: number;
  /** Satoshis. */
  readonly amount: bigint;
  readonly spender: Spender | undefined;
}

/** An output that is not spent, as it is found by its outpoint. */
export interface UnspentRow {
  /** 32 bytes. */
  readonly script: Uint8Array;
  readonly height: number;
  readonly index: number;
  readonly amount: bigint;
}

/** A transaction of a script, and what of the script it moves, in satoshis. */
export interface AddressMove {
  readonly height: number;
  readonly index: number;
  readonly received: bigint;
  readonly spent: bigint;
}

/** Key of an output, or, without `vout`, of a transaction of a script: `tag` says which. */
function placed(tag: number, script: Uint8Array, height: number, index: number, out: Uint8Array): void {
  out[0] = tag;
  copyBytes(script, 0, HASH_BYTES, out, 1);
  writeBeU32(out, 1 + HASH_BYTES, height);
  writeBeU32(out, 5 + HASH_BYTES, index);
}

export function outputKey(
  script: Uint8Array,
  height: number,
  index: number,
  vout: number,
  allocate: RowAllocator = newBytes,
): Uint8Array {
  const out = allocate(OUTPUT_KEY_BYTES);
  placed(ADDRESS_TAGS.output, script, height, index, out);
  writeBeU32(out, OUTPUT_KEY_BYTES - 4, vout);
  return out;
}

export function historyRowKey(
  script: Uint8Array,
  height: number,
  index: number,
  allocate: RowAllocator = newBytes,
): Uint8Array {
  const out = allocate(HISTORY_KEY_BYTES);
  placed(ADDRESS_TAGS.history, script, height, index, out);
  return out;
}

/** Of the outpoint that begins at `at`. */
export function unspentKey(bytes: Uint8Array, at: number, allocate: RowAllocator = newBytes): Uint8Array {
  const out = allocate(UNSPENT_KEY_BYTES);
  out[0] = ADDRESS_TAGS.unspent;
  copyBytes(bytes, at, at + OUTPOINT_BYTES, out, 1);
  return out;
}

/** Of the txid (wire order) that begins at `at`. */
export function transactionKey(
  bytes: Uint8Array,
  at: number,
  height: number,
  index: number,
  allocate: RowAllocator = newBytes,
): Uint8Array {
  const out = allocate(TRANSACTION_KEY_BYTES);
  out[0] = ADDRESS_TAGS.transaction;
  copyBytes(bytes, at, at + TXID_HEAD_BYTES, out, 1);
  writeBeU32(out, 1 + TXID_HEAD_BYTES, height);
  writeBeU32(out, 5 + TXID_HEAD_BYTES, index);
  return out;
}

/** Where the transaction of such a key stands. Throws StoreError STORE_CORRUPT unless it is one. */
export function placeOfTransaction(key: Uint8Array): { readonly height: number; readonly index: number } {
  if (key.length !== TRANSACTION_KEY_BYTES) throw broken(undefined);
  return { height: readBeU32(key, 1 + TXID_HEAD_BYTES), index: readBeU32(key, 5 + TXID_HEAD_BYTES) };
}

export function txidsKey(height: number, page: number): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = ADDRESS_TAGS.txids;
  writeBeU32(out, 1, height);
  writeBeU32(out, 5, page);
  return out;
}

/** Bytes of the keys of all pages of a height. */
export function txidsPrefix(height: number): Uint8Array {
  return txidsKey(height, 0).slice(0, 5);
}

export function outputValue(amount: bigint, spender: Spender | undefined, allocate: RowAllocator): Uint8Array {
  const out = allocate(spender === undefined ? AMOUNT_BYTES : SPENT_BYTES);
  writeAmount(out, 0, amount);
  if (spender !== undefined) {
    writeBeU32(out, AMOUNT_BYTES, spender.height);
    writeBeU32(out, AMOUNT_BYTES + 4, spender.index);
    writeBeU32(out, AMOUNT_BYTES + 8, spender.vin);
  }
  return out;
}

/** Throws StoreError STORE_CORRUPT unless it is a row of an output. */
export function outputRow([key, value]: Row): AddressOutput {
  const height = readBeU32(key, 1 + HASH_BYTES);
  const isSpent = value.length === SPENT_BYTES;
  if (key.length !== OUTPUT_KEY_BYTES || !(isSpent || value.length === AMOUNT_BYTES)) throw broken(height);
  return {
    height,
    index: readBeU32(key, OUTPUT_KEY_BYTES - 8),
    vout: readBeU32(key, OUTPUT_KEY_BYTES - 4),
    amount: readAmount(value, 0),
    spender: isSpent
      ? {
          height: readBeU32(value, AMOUNT_BYTES),
          index: readBeU32(value, AMOUNT_BYTES + 4),
          vin: readBeU32(value, AMOUNT_BYTES + 8),
        }
      : undefined,
  };
}

export function unspentValue({ script, height, index, amount }: UnspentRow, allocate: RowAllocator): Uint8Array {
  const out = allocate(COIN_BYTES);
  copyBytes(script, 0, HASH_BYTES, out, 0);
  writeBeU32(out, HASH_BYTES, height);
  writeBeU32(out, HASH_BYTES + 4, index);
  writeAmount(out, HASH_BYTES + 8, amount);
  return out;
}

/** Throws StoreError STORE_CORRUPT unless it is the value of an unspent output. */
export function unspentRow(value: Uint8Array): UnspentRow {
  if (value.length !== COIN_BYTES) throw broken(undefined);
  return {
    script: value.slice(0, HASH_BYTES),
    height: readBeU32(value, HASH_BYTES),
    index: readBeU32(value, HASH_BYTES + 4),
    amount: readAmount(value, HASH_BYTES + 8),
  };
}

export function moveValue(received: bigint, spent: bigint, allocate: RowAllocator): Uint8Array {
  const split = varintLength(received);
  const out = allocate(split + varintLength(spent));
  writeVarint(received, out, 0, split);
  writeVarint(spent, out, split, out.length);
  return out;
}

function varintLength(value: bigint): number {
  let length = 1;
  for (let rest = Number(value); rest >= 0x80; rest /= 0x80) length++;
  return length;
}

/** LEB128 in the bytes from `at` to `end`. */
function writeVarint(value: bigint, out: Uint8Array, at: number, end: number): void {
  let rest = value;
  for (let i = at; i < end; i++) {
    out[i] = Number(rest & 0x7fn) | (i === end - 1 ? 0 : 0x80);
    rest >>= 7n;
  }
}

/** Throws StoreError STORE_CORRUPT unless it is a row of a transaction of a script. */
export function moveRow([key, value]: Row): AddressMove {
  const height = readBeU32(key, 1 + HASH_BYTES);
  const sums = decodeVarints(value);
  if (key.length !== HISTORY_KEY_BYTES || !sums.ok || sums.values.length !== 2) throw broken(height);
  const [received, spent] = sums.values;
  return { height, index: readBeU32(key, HISTORY_KEY_BYTES - 4), received, spent };
}

/** The amount (u64 LE) at `at`: of what a block can hold, none is above 2^53. */
export function readAmount(bytes: Uint8Array, at: number): bigint {
  let amount = 0;
  for (let i = AMOUNT_BYTES - 1; i >= 0; i--) amount = amount * 256 + bytes[at + i];
  return BigInt(amount);
}

function writeAmount(bytes: Uint8Array, at: number, amount: bigint): void {
  let left = Number(amount);
  for (let i = 0; i < AMOUNT_BYTES; i++) {
    bytes[at + i] = left % 256;
    left = Math.floor(left / 256);
  }
}

function broken(height: number | undefined): Error {
  return corrupt('row of the index of addresses', height ?? -1);
}
