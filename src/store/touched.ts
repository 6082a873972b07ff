/**
 * Undo records: the keys that a block touched, and which of them had a value before. They are what a rollback needs
 * beside `history`, and the log of changes by which other rows (the state tree's, those of `history` that are no longer
 * kept) follow the blocks.
 *
 * For namespace S, then P: the number of keys, then each key in ascending order: twice the length of what it shares
 * with the key before, + 1 if it had no value; the length of the rest; the rest. Numbers are varints: seven bits a
 * byte, the lowest first, the top bit set where more follow; never longer than needed.
 */
import { copyBytes } from '../util/copy-bytes.js';
import { corrupt } from './records.js';
import type { Namespace } from './types.js';

const NAMESPACES = ['S', 'P'] as const satisfies Namespace[];
const FEW_BYTES = 1_024;
/** Of a varint below 2^32. */
const MAX_VARINT = 5;

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

export function encodeTouched(touched: Readonly<Record<Namespace, Touched>>): Uint8Array {
  const out = new VarintWriter(new Uint8Array(FEW_BYTES));
  for (const ns of NAMESPACES) {
    const keys = touched[ns];
    out.number(keys.count);
    let before = new Uint8Array(0);
    let length = 0;
    for (let i = 0; i < keys.count; i++) {
      const { bytes, keyStart, keyEnd } = keys.entry(i);
      const shared = sharedLength(before, length, bytes, keyStart, keyEnd);
      out.number(shared * 2 + (keys.isPresent(i) ? 0 : 1));
      out.number(keyEnd - keyStart - shared);
      out.bytes(bytes, keyStart + shared, keyEnd);
      length = keyEnd - keyStart;
      if (length > before.length) before = new Uint8Array(2 * length);
      copyBytes(bytes, keyStart, keyEnd, before, 0);
    }
  }
  return out.written();
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

/** How many first bytes the key from `start` to `end` of `bytes` shares with the first `length` of `before`. */
function sharedLength(before: Uint8Array, length: number, bytes: Uint8Array, start: number, end: number): number {
  const most = Math.min(length, end - start);
  let shared = 0;
  while (shared < most && before[shared] === bytes[start + shared]) shared++;
  return shared;
}

/** Bytes that grow: most keys share nearly all that they have with the one before. */
class VarintWriter {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(value: number): void {
    this.#makeRoom(MAX_VARINT);
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#bytes[this.#at++] = (left % 128) | 0x80;
    this.#bytes[this.#at++] = left;
  }

  bytes(from: Uint8Array, start: number, end: number): void {
    this.#makeRoom(end - start);
    copyBytes(from, start, end, this.#bytes, this.#at);
    this.#at += end - start;
  }

  /** A view of all. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #makeRoom(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const more = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + length));
    more.set(this.written());
    this.#bytes = more;
  }
}

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
