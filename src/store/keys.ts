/**
 * Keys of the columns. Numbers in keys are big-endian, so that RocksDB's byte order is their order.
 *
 * latest: namespace ++ key → height u32 BE ++ value, for every key that has a value.
 * history: namespace ++ escaped key ++ 00 01 ++ height u32 BE of the block that ended a value → that value's row of
 * `latest`. Nothing else: a current value is in `latest` only, a first value ends nothing, a deletion has no row.
 * blocks: 'b' ++ height → record; 'p' ++ height → plan; 'r' ++ height ++ index of the first → a page of receipts
 * (receipt-pages.ts); 't' ++ txid (wire) ++ height ++ index → nothing; 'c' ++ id ++ height ++ index of a page's first
 * → see contract-rows.ts.
 * addresses: see address-rows.ts.
 * undo: height → the keys that the block touched (touched.ts); height ++ number → more of them (undo-rows.ts), or what
 * the index by address needs (address-undo.ts). Final blocks have none (final.ts).
 * tree: see state-tree.ts.
 * meta: 'identity' → JSON; 'tip' → height; 'genesis' → hash of block 0 (wire); 'label' → text; 'history' → see
 * floor.ts; 'unfinished' → height, see pieces.ts; 'receipts' → height, see receipt-writes.ts; 'final' → height, see
 * final.ts
 */
import { copyBytes } from '../util/copy-bytes.js';
import { newBytes, type ReusedRow, ReusedRows, type RowAllocator, slabAllocator } from '../util/row-bytes.js';
import { copyWords } from '../util/words.js';
import type { Namespace } from './types.js';

const CODE: Record<Namespace, number> = { S: 0x53, P: 0x50 };
/** Bytes after an escaped key: the terminator and the height. */
const HISTORY_TAIL = 6;
/** `t`. */
const TX_TAG = 0x74;
const TXID = 32;
/** Keys of one length that are read at once, such as those of sheets. */
const MOST_ALIKE = 1_024;
const LONGEST_ALIKE = 255;
const keysAlike = new ReusedRows();
/** No block is above it. */
const MAX_HEIGHT = 0xfffffffe;

export const META_IDENTITY = ascii('identity');
export const META_TIP = ascii('tip');
export const META_GENESIS = ascii('genesis');
export const META_LABEL = ascii('label');
export const META_HISTORY = ascii('history');
export const META_UNFINISHED = ascii('unfinished');
export const META_RECEIPTS = ascii('receipts');
export const META_FINAL = ascii('final');

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function namespaceCode(ns: Namespace): number {
  return CODE[ns];
}

export function beU32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function writeBeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function readBeU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function latestKey(ns: Namespace, key: Uint8Array, allocate: RowAllocator = newBytes): Uint8Array {
  return latestKeyAt(ns, key, 0, key.length, allocate);
}

/** As {@link latestKey}, of the key in `bytes` from `start` to `end`. */
export function latestKeyAt(
  ns: Namespace,
  bytes: Uint8Array,
  start: number,
  end: number,
  allocate: RowAllocator,
): Uint8Array {
  const out = allocate(1 + end - start);
  out[0] = CODE[ns];
  copyBytes(bytes, start, end, out, 1);
  return out;
}

/** As {@link latestKeyAt}, of the keys from `starts` to `ends`: good until the next call. */
export function latestKeysAt(
  ns: Namespace,
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
): readonly Uint8Array[] {
  const count = starts.length;
  const length = count === 0 ? 0 : ends[0] - starts[0];
  let total = 0;
  let alike = count <= MOST_ALIKE && length <= LONGEST_ALIKE;
  for (let i = 0; i < count; i++) {
    total += 1 + ends[i] - starts[i];
    alike &&= ends[i] - starts[i] === length;
  }
  const keys: Uint8Array[] = [];
  const rows = alike ? keysAlike.of(count, 1 + length) : [];
  let at = 0;
  const allocate = alike ? () => rows[at++] : slabAllocator(total);
  for (let i = 0; i < count; i++) keys.push(latestKeyAt(ns, bytes, starts[i], ends[i], allocate));
  return keys;
}

/** As {@link latestKeyAt}, of what `from` shows. */
export function latestKeyIn(row: ReusedRow, ns: Namespace, from: DataView, start: number, end: number): Uint8Array {
  const out = row.of(1 + end - start);
  out[0] = CODE[ns];
  copyWords(from, start, end, row.view, 1);
  return out;
}

/**
 * The key in `bytes` from `start` to `end`, in which 00 becomes 00 ff: with the terminator 00 01 no key's rows lie
 * among another's, and order is kept. `tail` bytes follow, not set.
 */
function escaped(
  ns: Namespace,
  bytes: Uint8Array,
  start: number,
  end: number,
  tail: number,
  allocate: RowAllocator,
): Uint8Array {
  let zeros = 0;
  for (let i = start; i < end; i++) if (bytes[i] === 0) zeros++;
  const out = allocate(1 + end - start + zeros + tail);
  out[0] = CODE[ns];
  if (zeros === 0) {
    copyBytes(bytes, start, end, out, 1);
    return out;
  }
  let at = 1;
  for (let i = start; i < end; i++) {
    out[at++] = bytes[i];
    if (bytes[i] === 0) out[at++] = 0xff;
  }
  return out;
}

/** The row of the value of `key` that block `height` ended; within a key the oldest comes first. */
export function historyKey(
  ns: Namespace,
  key: Uint8Array,
  height: number,
  allocate: RowAllocator = newBytes,
): Uint8Array {
  return historyKeyAt(ns, key, 0, key.length, height, allocate);
}

/** As {@link historyKey}, of the key in `bytes` from `start` to `end`. */
export function historyKeyAt(
  ns: Namespace,
  bytes: Uint8Array,
  start: number,
  end: number,
  height: number,
  allocate: RowAllocator,
): Uint8Array {
  const out = escaped(ns, bytes, start, end, HISTORY_TAIL, allocate);
  const at = out.length - HISTORY_TAIL;
  out[at] = 0;
  out[at + 1] = 1;
  writeBeU32(out, at + 2, height);
  return out;
}

/** Range of the values of `key` that ended above `height`: the first is the one that `height` saw, if there was one. */
export function historyRange(ns: Namespace, key: Uint8Array, height: number): { gte: Uint8Array; lt: Uint8Array } {
  const lt = escaped(ns, key, 0, key.length, 2, newBytes);
  lt[lt.length - 2] = 0;
  lt[lt.length - 1] = 2;
  return { gte: historyKey(ns, key, Math.min(height, MAX_HEIGHT) + 1), lt };
}

/** Range of all rows of `history` of all keys of `ns` that begin with `prefix`. */
export function historyPrefixRange(ns: Namespace, prefix: Uint8Array): { gte: Uint8Array; lt: Uint8Array } {
  const gte = escaped(ns, prefix, 0, prefix.length, 0, newBytes);
  return { gte, lt: afterPrefix(gte) };
}

/**
 * Smallest byte string above everything that begins with `prefix`, which must hold a byte below ff (a namespace does).
 */
export function afterPrefix(prefix: Uint8Array): Uint8Array {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  const out = prefix.slice(0, end);
  out[end - 1]++;
  return out;
}

/** Inverse of {@link historyKey}. `end`: the height of the block that ended the value. */
export function parseHistoryKey(row: Uint8Array): { key: Uint8Array; end: number } {
  const end = row.length - HISTORY_TAIL;
  const key = new Uint8Array(end - 1);
  let length = 0;
  for (let at = 1; at < end; at++) {
    key[length++] = row[at];
    if (row[at] === 0) at++;
  }
  return { key: key.slice(0, length), end: readBeU32(row, end + 2) };
}

function tagged(tag: string, ...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  out[0] = tag.charCodeAt(0);
  let at = 1;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Row `number` of the undo record of a block, from 1 on. */
export function undoPartKey(height: number, number: number): Uint8Array {
  const out = new Uint8Array(8);
  writeBeU32(out, 0, height);
  writeBeU32(out, 4, number);
  return out;
}

export const blockKey = (height: number): Uint8Array => tagged('b', beU32(height));
export const planKey = (height: number): Uint8Array => tagged('p', beU32(height));
export const receiptKey = (height: number, index: number): Uint8Array => tagged('r', beU32(height), beU32(index));
export const receiptPrefix = (height: number): Uint8Array => tagged('r', beU32(height));
/** `id`: 32 bytes; `first`: the page of receipts. */
export const contractKey = (id: Uint8Array, height: number, first: number): Uint8Array =>
  tagged('c', id, beU32(height), beU32(first));
export const txPrefix = (txid: Uint8Array): Uint8Array => tagged('t', txid);

/** Of the transaction whose txid begins at `txidAt` of `bytes`: one a transaction, made without other arrays. */
export function txKeyAt(
  bytes: Uint8Array,
  txidAt: number,
  height: number,
  index: number,
  allocate: RowAllocator = newBytes,
): Uint8Array {
  const out = allocate(1 + TXID + 2 * 4);
  out[0] = TX_TAG;
  copyBytes(bytes, txidAt, txidAt + TXID, out, 1);
  writeBeU32(out, 1 + TXID, height);
  writeBeU32(out, 1 + TXID + 4, index);
  return out;
}
export const txKey = (txid: Uint8Array, height: number, index: number): Uint8Array => txKeyAt(txid, 0, height, index);
