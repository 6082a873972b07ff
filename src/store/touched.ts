/**
 * Undo records: the keys that a block touched, and which of them had a value before. They are what a rollback needs
 * beside `history`, and the log of changes by which other rows (the state tree's, those of `history` that are no longer
 * kept) follow the blocks.
 *
 * For namespace S, then P: the number of keys, then each key in ascending order: twice the length of what it shares
 * with the key before, + 1 if it had no value; the length of the rest; the rest. Numbers are varints: seven bits a
 * byte, the lowest first, the top bit set where more follow; never longer than needed.
 */
import { writeBinaryString } from '../util/bytes.js';
import { corrupt } from './records.js';
import type { Namespace } from './types.js';

const NAMESPACES = ['S', 'P'] as const satisfies Namespace[];
/** Of a varint below 2^32. */
const MAX_VARINT = 5;

/** Keys of one namespace in ascending order; `present` is 1 where a key had a value before. */
export interface Touched {
  readonly names: readonly string[];
  readonly present: Uint8Array;
}

export interface TouchedKey {
  readonly ns: Namespace;
  readonly key: Uint8Array;
  /** Whether it had a value before the block. */
  readonly present: boolean;
}

export function encodeTouched(touched: Readonly<Record<Namespace, Touched>>): Uint8Array {
  let most = 0;
  for (const ns of NAMESPACES) {
    most += MAX_VARINT;
    for (const name of touched[ns].names) most += 2 * MAX_VARINT + name.length;
  }
  const out = new Uint8Array(most);
  let at = 0;
  for (const ns of NAMESPACES) {
    const { names, present } = touched[ns];
    at = writeVarint(out, at, names.length);
    let before = '';
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const shared = sharedLength(before, name);
      at = writeVarint(out, at, shared * 2 + (present[i] === 1 ? 0 : 1));
      at = writeVarint(out, at, name.length - shared);
      writeBinaryString(out, at, shared === 0 ? name : name.slice(shared));
      at += name.length - shared;
      before = name;
    }
  }
  return out.slice(0, at);
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

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

function writeVarint(out: Uint8Array, from: number, value: number): number {
  let at = from;
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) out[at++] = (left % 128) | 0x80;
  out[at++] = left;
  return at;
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
