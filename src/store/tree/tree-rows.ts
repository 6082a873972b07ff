/**
 * The column `tree`: namespace ++ bits u8 ++ prefix u32 BE → path (31 bytes) and hash of the value (32 bytes) of each
 * leaf whose path begins with those bits, by paths; no row where there is none. Namespace ++ ff → the header. Rows may
 * be older than the tip: the header says how much.
 */
import { compareBytes } from '../../util/bytes.js';
import { HASH_BYTES, PATH_BYTES } from './tree-hash.js';

/**
 * A sweep goes over the prefixes in their order and writes what has changed. Heights are those of the first block that
 * may be missing, one above the height of a state.
 */
export interface TreeHeader {
  /** Bits of the rows from prefix `cursor` on, and of those that the sweep has passed: the same between two sweeps. */
  readonly oldBits: number;
  readonly newBits: number;
  /** Next prefix of `oldBits` bits. */
  readonly cursor: number;
  /** Every row holds the state before this height, or a later one. */
  readonly cleanNext: number;
  /** As `cleanNext`, of the rows before `cursor`. */
  readonly sweepNext: number;
}

const HEADER_BYTES = 14;
const HEADER_MARK = 0xff;
const ROW_KEY_BYTES = 6;
/** Three less than those of the most buckets that a tree in memory can have. */
const MAX_BITS = 21;
const ENTRY_BYTES = PATH_BYTES + HASH_BYTES;

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The range of all rows of a namespace. */
export function treeRange(namespace: number): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(namespace), lt: Uint8Array.of(namespace + 1) };
}

export function headerKey(namespace: number): Uint8Array {
  return Uint8Array.of(namespace, HEADER_MARK);
}

export function rowKey(namespace: number, bits: number, prefix: number): Uint8Array {
  const key = new Uint8Array(ROW_KEY_BYTES);
  key[0] = namespace;
  key[1] = bits;
  view(key).setUint32(2, prefix);
  return key;
}

/** Bits and prefix of a row's key; undefined if it is none. */
export function parseRowKey(key: Uint8Array): { bits: number; prefix: number } | undefined {
  if (key.length !== ROW_KEY_BYTES || key[1] > MAX_BITS) return undefined;
  const [bits, prefix] = [key[1], view(key).getUint32(2)];
  return prefix < 2 ** bits ? { bits, prefix } : undefined;
}

/** u8 old bits, u8 new bits, then u32 BE: cursor, clean height, height of the sweep. */
export function encodeHeader(header: TreeHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes[0] = header.oldBits;
  bytes[1] = header.newBits;
  view(bytes).setUint32(2, header.cursor);
  view(bytes).setUint32(6, header.cleanNext);
  view(bytes).setUint32(10, header.sweepNext);
  return bytes;
}

/** Inverse of {@link encodeHeader}; undefined if `bytes` are no header. */
export function decodeHeader(bytes: Uint8Array): TreeHeader | undefined {
  if (bytes.length !== HEADER_BYTES) return undefined;
  const header = {
    oldBits: bytes[0],
    newBits: bytes[1],
    cursor: view(bytes).getUint32(2),
    cleanNext: view(bytes).getUint32(6),
    sweepNext: view(bytes).getUint32(10),
  };
  const { oldBits, newBits, cursor, cleanNext, sweepNext } = header;
  const bits = oldBits <= newBits && newBits <= MAX_BITS && (cursor > 0 || oldBits === newBits);
  return bits && cursor < 2 ** oldBits && cleanNext <= sweepNext ? header : undefined;
}

/** Where a row lies that has the paths beginning with the `bits` bits `prefix`, at least `newBits` of them. */
export function placeOf(header: TreeHeader, bits: number, prefix: number): { bits: number; prefix: number } {
  const { oldBits, newBits, cursor } = header;
  const old = Math.floor(prefix / 2 ** (bits - oldBits));
  if (old >= cursor) return { bits: oldBits, prefix: old };
  return { bits: newBits, prefix: Math.floor(prefix / 2 ** (bits - newBits)) };
}

/** Whether a stored row lies where the header says that rows of its paths do. */
export function isInPlace(header: TreeHeader, { bits, prefix }: { bits: number; prefix: number }): boolean {
  if (bits < header.oldBits) return false;
  const old = Math.floor(prefix / 2 ** (bits - header.oldBits));
  return bits === (old < header.cursor ? header.newBits : header.oldBits);
}

/** Whether `value` is a row of entries, in order, whose paths begin with the `bits` bits `prefix`. */
export function isRow(value: Uint8Array, { bits, prefix }: { bits: number; prefix: number }): boolean {
  if (value.length === 0 || value.length % ENTRY_BYTES !== 0) return false;
  let before: Uint8Array | undefined;
  for (let at = 0; at < value.length; at += ENTRY_BYTES) {
    const path = value.subarray(at, at + PATH_BYTES);
    if (Math.floor(view(path).getUint32(0) / 2 ** (32 - bits)) !== prefix) return false;
    if (before !== undefined && compareBytes(before, path) >= 0) return false;
    before = path;
  }
  return true;
}
