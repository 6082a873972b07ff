/**
 * What the engine and its workers tell each other, as one run of bytes: cheaper to make, send and read than a tree of objects,
 * most of all because a value that is read is a view and no buffer of its own. The form is nobody else's: both ends are one build.
 */
import { binarySlice, EMPTY_BYTES, readU32, readU128, writeU32, writeU128 } from '../../util/bytes.js';

const NONE = 0xffffffff;
/** Set in the length of a text or value that was written before: the rest is its number among these. */
const AGAIN = 0x80000000;
/** Shorter values are written again wherever they occur. */
const SHARED_BYTES = 64;

/** Appends; {@link MessageReader} must ask for the same things in the same order. */
export class MessageWriter {
  #bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;
  readonly #texts = new Map<string, number>();
  readonly #values = new Map<Uint8Array, number>();

  /** What was written; the buffer is given away with it. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer, 0, this.#length);
  }

  /** A number from 0 to 2^32 - 2, or undefined. */
  number(value: number | undefined): void {
    const at = this.#take(4);
    writeU32(this.#bytes, at, value ?? NONE);
  }

  /** A number from 0 to 2^128 - 1, or undefined. */
  bigNumber(value: bigint | undefined): void {
    this.number(value === undefined ? 0 : 1);
    if (value === undefined) return;
    const at = this.#take(16);
    writeU128(this.#bytes, at, value);
  }

  /** A text of units below 256, or undefined. One that was written before takes four bytes. */
  text(value: string | undefined): void {
    const known = value === undefined ? undefined : this.#texts.get(value);
    if (value === undefined || known !== undefined) {
      this.number(known === undefined ? undefined : known + AGAIN);
      return;
    }
    this.#texts.set(value, this.#texts.size);
    this.number(value.length);
    const at = this.#take(value.length);
    this.#bytes.write(value, at, 'latin1');
  }

  /** Bytes, or undefined. The same array is written once if it is large. */
  value(value: Uint8Array | undefined): void {
    const known = value === undefined || value.length < SHARED_BYTES ? undefined : this.#values.get(value);
    if (value === undefined || known !== undefined) {
      this.number(known === undefined ? undefined : known + AGAIN);
      return;
    }
    if (value.length >= SHARED_BYTES) this.#values.set(value, this.#values.size);
    this.number(value.length);
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
  }

  list<T>(values: readonly T[], write: (value: T) => void): void {
    this.number(values.length);
    for (const value of values) write(value);
  }

  /** Values by key. */
  entries(map: ReadonlyMap<string, Uint8Array | undefined>): void {
    this.number(map.size);
    for (const [key, value] of map) {
      this.text(key);
      this.value(value);
    }
  }

  /** Makes room for `length` bytes and gives their place; the array itself may be another one afterwards. */
  #take(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** Reads what {@link MessageWriter} wrote. Byte arrays are views of the whole. */
export class MessageReader {
  #at = 0;
  readonly #texts: string[] = [];
  readonly #values: Uint8Array[] = [];

  constructor(readonly bytes: Uint8Array) {}

  number(): number | undefined {
    const value = readU32(this.bytes, this.#at);
    this.#at += 4;
    return value === NONE ? undefined : value;
  }

  /** A number that is there. */
  count(): number {
    return this.number() ?? 0;
  }

  bigNumber(): bigint | undefined {
    if (this.number() === 0) return undefined;
    this.#at += 16;
    return readU128(this.bytes, this.#at - 16);
  }

  text(): string | undefined {
    const length = this.number();
    if (length === undefined || length >= AGAIN) return length === undefined ? undefined : this.#texts[length - AGAIN];
    const text = binarySlice(this.bytes, this.#at, this.#at + length);
    this.#at += length;
    this.#texts.push(text);
    return text;
  }

  value(): Uint8Array | undefined {
    const length = this.number();
    if (length === undefined || length >= AGAIN) return length === undefined ? undefined : this.#values[length - AGAIN];
    const value = length === 0 ? EMPTY_BYTES : this.bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    if (length >= SHARED_BYTES) this.#values.push(value);
    return value;
  }

  list<T>(read: () => T): T[] {
    const length = this.count();
    const values: T[] = [];
    for (let i = 0; i < length; i++) values.push(read());
    return values;
  }

  entries(): Map<string, Uint8Array | undefined> {
    const map = new Map<string, Uint8Array | undefined>();
    for (let left = this.count(); left > 0; left--) map.set(this.text() ?? '', this.value());
    return map;
  }
}
