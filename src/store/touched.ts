/**
 * Undo records: the keys that a block touched, and which of them had a value before. They are what a rollback needs
 * beside `history`, and the log of changes by which other rows (the state tree's, those of `history` that are no longer
 * kept) follow the blocks.
 *
 * For namespace S, then P: the number of keys, then each key in ascending order: twice the length of what it shares
 * with the key before, + 1 if it had no value; the length of the rest; the rest. Numbers are varints: seven bits a
 * byte, the lowest first, the top bit set where more follow; never longer than needed.
 */
import { bytesOf, copyWords, LastView, viewOf } from '../util/words.js';
import { corrupt } from './records.js';
import type { Namespace } from './types.js';

const NAMESPACES = ['S', 'P'] as const satisfies Namespace[];
const FEW_BYTES = 1_024;
/** Room that is kept for the next record. */
const MOST_KEPT = 2 << 20;
/** Of a varint below 2^32. */
const MAX_VARINT = 5;
/** Bytes that a key takes beside its own, at most. */
const KEY_BYTES = 2 * MAX_VARINT;

/** Where a key lies. */
export interface KeyPlace {
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** Keys of one namespace in ascending order. */
export interface Touched {
  readonly count: number;
  /** Key `index`: good until the next call. */
  entry(index: number): KeyPlace;
  /** Whether it had a value before. */
  isPresent(index: number): boolean;
}

export interface TouchedKey {
  readonly ns: Namespace;
  readonly key: Uint8Array;
  /** Whether it had a value before the block. */
  readonly present: boolean;
}

/** A row of an undo record: good until the next one is encoded. */
export interface EncodedTouched {
  readonly row: Uint8Array;
  /** Numbers of the keys that it does not hold any more. */
  readonly end: Readonly<Record<Namespace, number>>;
}

/**
 * The keys from `from` on, as many as there are before they take `most` bytes in a namespace: one at least, if there is
 * one. Those of P follow when all of S are there.
 */
export function encodeTouched(
  touched: Readonly<Record<Namespace, Touched>>,
  from: Readonly<Record<Namespace, number>>,
  most: number,
): EncodedTouched {
  out.clear();
  const S = out.keys(touched.S, from.S, most);
  const P = out.keys(touched.P, from.P, S < touched.S.count ? 0 : most);
  return { row: out.written(), end: { S, P } };
}

/** Where {@link encodeTouched} ends, nothing encoded. */
export function endOfTouched(
  touched: Readonly<Record<Namespace, Touched>>,
  from: Readonly<Record<Namespace, number>>,
  most: number,
): EncodedTouched['end'] {
  const S = endOfKeys(touched.S, from.S, most);
  return { S, P: endOfKeys(touched.P, from.P, S < touched.S.count ? 0 : most) };
}

function endOfKeys(keys: Touched, from: number, most: number): number {
  let end = from;
  for (let bytes = 0; end < keys.count && bytes < most; end++) {
    const { keyStart, keyEnd } = keys.entry(end);
    bytes += KEY_BYTES + keyEnd - keyStart;
  }
  return end;
}

/** The keys of the undo record of block `height`. Throws StoreError STORE_CORRUPT unless it is exactly as written. */
export function* decodeTouched(height: number, bytes: Uint8Array): Generator<TouchedKey, void, void> {
  const reader = new VarintReader(bytes, height);
  for (const ns of NAMESPACES) {
    const count = reader.next();
    let key = new Uint8Array(0);
    for (let i = 0; i < count; i++) {
      const head = reader.next();
      const rest = reader.bytes(reader.next());
      const shared = Math.floor(head / 2);
      if (shared > key.length) throw corrupt('undo record', height);
      // Ascending, and nothing is said twice: the first byte after what is shared is above that of the key before.
      if (i > 0 && (rest.length === 0 || (shared < key.length && rest[0] <= key[shared]))) {
        throw corrupt('undo record', height);
      }
      const next = new Uint8Array(shared + rest.length);
      next.set(key.subarray(0, shared));
      next.set(rest, shared);
      key = next;
      yield { ns, key, present: head % 2 === 0 };
    }
  }
  reader.end();
}

/** How many first bytes the key from `start` to `end` of `of` shares with the first `length` of `before`. */
function sharedLength(before: DataView, length: number, of: DataView, start: number, end: number): number {
  const most = Math.min(length, end - start);
  let shared = 0;
  while (shared + 4 <= most && before.getInt32(shared) === of.getInt32(start + shared)) shared += 4;
  while (shared < most && before.getUint8(shared) === of.getUint8(start + shared)) shared++;
  return shared;
}

/** Writes rows of records, each over the one before. */
class TouchedWriter {
  #bytes = new Uint8Array(FEW_BYTES);
  #view = viewOf(this.#bytes);
  #at = 0;
  /** A key, of which the next one leaves out what it shares. */
  #before = viewOf(new Uint8Array(FEW_BYTES));

  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > MOST_KEPT) this.#setBytes(new Uint8Array(FEW_BYTES));
    if (this.#before.byteLength > MOST_KEPT) this.#before = viewOf(new Uint8Array(FEW_BYTES));
  }

  #setBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** Appends keys from number `from` on, with their count, until they take `most` bytes; returns the next number. */
  keys(keys: Touched, from: number, most: number): number {
    this.#makeRoom(MAX_VARINT);
    const counted = this.#at;
    this.#at += MAX_VARINT;
    const views = new LastView();
    let length = 0;
    let end = from;
    for (let bytes = 0; end < keys.count && bytes < most; end++) {
      const { bytes: of, keyStart, keyEnd } = keys.entry(end);
      const view = views.of(of);
      const shared = sharedLength(this.#before, length, view, keyStart, keyEnd);
      const rest = keyStart + shared;
      this.#makeRoom(KEY_BYTES + keyEnd - rest);
      this.#number(shared * 2 + (keys.isPresent(end) ? 0 : 1));
      this.#number(keyEnd - rest);
      copyWords(view, rest, keyEnd, this.#view, this.#at);
      this.#at += keyEnd - rest;
      length = keyEnd - keyStart;
      bytes += KEY_BYTES + length;
      if (length > this.#before.byteLength) this.#before = viewOf(lengthened(bytesOf(this.#before), 2 * length));
      copyWords(view, rest, keyEnd, this.#before, shared);
    }
    this.#count(counted, end - from);
    return end;
  }

  /** Puts the number of the keys, known only now, before them. */
  #count(counted: number, count: number): void {
    const end = this.#at;
    this.#at = counted;
    this.#number(count);
    this.#bytes.copyWithin(this.#at, counted + MAX_VARINT, end);
    this.#at += end - counted - MAX_VARINT;
  }

  #number(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#bytes[this.#at++] = (left % 128) | 0x80;
    this.#bytes[this.#at++] = left;
  }

  /** A view of all. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #makeRoom(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    this.#setBytes(lengthened(this.#bytes, Math.max(2 * this.#bytes.length, this.#at + length)));
  }
}

function lengthened(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(length);
  longer.set(bytes);
  return longer;
}

const out = new TouchedWriter();

/** Reads a record from its beginning to its end; everything that is not as it was written is STORE_CORRUPT. */
class VarintReader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #height: number;

  constructor(bytes: Uint8Array, height: number) {
    this.#bytes = bytes;
    this.#height = height;
  }

  next(): number {
    let value = 0;
    for (let i = 0; i < MAX_VARINT; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 128 ** i;
      if (byte > 0x7f) continue;
      if (i > 0 && byte === 0) break;
      return value;
    }
    throw corrupt('undo record', this.#height);
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw corrupt('undo record', this.#height);
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw corrupt('undo record', this.#height);
  }
}
