/**
 * Byte helpers shared by every layer. All byte strings are `Uint8Array`; integers are little-endian unless named
 * otherwise.
 */

declare global {
  interface Buffer {
    /**
     * What `toString('latin1')` calls; it takes any bytes and needs no Buffer around them, which costs more than the
     * rest.
     */
    latin1Slice(this: Uint8Array, start: number, end: number): string;
    latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
    /** The same for `toString('hex')`. */
    hexSlice(this: Uint8Array, start: number, end: number): string;
  }
}
const { latin1Slice, latin1Write, hexSlice } = Buffer.prototype;

export const U128_MAX = (1n << 128n) - 1n;
export const EMPTY_BYTES = new Uint8Array(0);

/** Lower-case hex of `bytes`, without prefix. */
export function toHex(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : hexSlice.call(bytes, 0, bytes.length);
}

/** Bytes of a hex string (either case, optional `0x`). Throws `RangeError` if it is not whole bytes of hex. */
export function fromHex(hex: string): Uint8Array {
  const text = hex.startsWith('0x') ? hex.slice(2) : hex;
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError('not a hex string of whole bytes');
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** A txid or block hash as a node prints it: the bytes reversed, in hex. */
export function toDisplayHash(wire: Uint8Array): string {
  // A Buffer's own slice would be a view.
  return toHex(new Uint8Array(wire).reverse());
}

/** Inverse of {@link toDisplayHash}. */
export function fromDisplayHash(display: string): Uint8Array {
  return fromHex(display).reverse();
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const p of parts) length += p.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Up to this length a loop is faster than a call of native code. */
const SHORT = 64;

/** Whether both have the same bytes, or both are undefined. */
export function bytesEqual(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  if (a.length > SHORT) return Buffer.compare(a, b) === 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order by unsigned byte, shorter first on a common prefix. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function u32Bytes(value: number): Uint8Array {
  const out = new Uint8Array(4);
  writeU32(out, 0, value);
  return out;
}

export function u64Bytes(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value, true);
  return out;
}

/** Where a u128 is taken apart and put together; one per thread, used within one call only. */
const scratch = new DataView(new ArrayBuffer(16));
const SCRATCH_BYTES = new Uint8Array(scratch.buffer);
const U32_MAX = 0xffffffffn;

/** Little-endian; throws `RangeError` if `bytes` has fewer than 16 from `at` on. */
export function readU128(bytes: Uint8Array, at: number): bigint {
  if (at + 16 > bytes.length) throw new RangeError('less than 16 bytes are left');
  const high = readU32(bytes, at + 8) | readU32(bytes, at + 12);
  const low = readU32(bytes, at);
  const middle = readU32(bytes, at + 4);
  // Most numbers are small, and big integers are slow.
  if (high === 0) return BigInt(low) | (middle === 0 ? 0n : BigInt(middle) << 32n);
  for (let i = 0; i < 16; i++) SCRATCH_BYTES[i] = bytes[at + i];
  return scratch.getBigUint64(0, true) | (scratch.getBigUint64(8, true) << 64n);
}

/** Little-endian, modulo 2^128; throws `RangeError` if there is no room for 16 bytes at `at`. */
export function writeU128(bytes: Uint8Array, at: number, value: bigint): void {
  if (at + 16 > bytes.length) throw new RangeError('less than 16 bytes are left');
  if (value >= 0n && value <= U32_MAX) {
    writeU32(bytes, at, Number(value));
    bytes.fill(0, at + 4, at + 16);
    return;
  }
  // A DataView takes its numbers modulo 2^64.
  scratch.setBigUint64(0, value, true);
  scratch.setBigUint64(8, value >> 64n, true);
  bytes.set(SCRATCH_BYTES, at);
}

export function u128Bytes(value: bigint): Uint8Array {
  const out = new Uint8Array(16);
  writeU128(out, 0, value);
  return out;
}

/** Bytes as a string of one UTF-16 unit per byte (0..255): the form in which byte strings key a `Map`. */
export function toBinaryString(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length);
}

/** As {@link toBinaryString}, of the bytes from `start` to `end`. */
export function binarySlice(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/** Writes what {@link fromBinaryString} gives into `bytes`, which has room for it at `at`. */
export function writeBinaryString(bytes: Uint8Array, at: number, text: string): void {
  latin1Write.call(bytes, text, at, text.length);
}

/** Inverse of {@link toBinaryString}. */
export function fromBinaryString(text: string): Uint8Array {
  if (text.length > 64) return new Uint8Array(Buffer.from(text, 'latin1'));
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
