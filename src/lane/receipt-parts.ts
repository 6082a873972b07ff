/** The parts that stored receipts consist of; receipt-bytes.ts says in which order. All numbers are little-endian. */
import { readU32, writeBinaryString, writeU32 } from '../util/bytes.js';
import { copyBytes } from '../util/copy-bytes.js';
import { unsetBytes } from '../util/unset-bytes.js';
import { viewOf } from '../util/words.js';

/** In the place of the length of a text: there is none. */
export const NO_TEXT = 0xffff;
const FIRST_ROOM = 64 * 1024;

/** Appends the parts of receipts, one receipt after the other. */
export class ReceiptWriter {
  bytes: Uint8Array<ArrayBuffer>;
  /** All of `bytes`. */
  view: DataView;
  length = 0;

  /** `room`: bytes to expect. */
  constructor(room = FIRST_ROOM) {
    this.bytes = unsetBytes(room);
    this.view = viewOf(this.bytes);
  }

  /** Makes room for `length` more bytes and gives where they begin. */
  take(length: number): number {
    const at = this.room(length);
    this.length += length;
    return at;
  }

  /** Makes room for `length` bytes and gives where; whoever writes there says in `length` where that ends. */
  room(length: number): number {
    const at = this.length;
    if (at + length > this.bytes.length) {
      const bytes = unsetBytes(Math.max(at + length, 2 * this.bytes.length));
      bytes.set(this.bytes.subarray(0, at));
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.take(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.take(2);
    this.bytes[at] = value;
    this.bytes[at + 1] = value >>> 8;
  }

  u32(value: number): void {
    const at = this.take(4);
    writeU32(this.bytes, at, value);
  }

  text(text: string | undefined): void {
    this.u16(text?.length ?? NO_TEXT);
    if (text === undefined) return;
    const at = this.take(text.length);
    writeBinaryString(this.bytes, at, text);
  }

  /** The bytes from `start` to `end`. */
  part(from: Uint8Array, start: number, end: number): void {
    const at = this.take(end - start);
    copyBytes(from, start, end, this.bytes, at);
  }

  /** 1 and the bytes, or 0. */
  optional(bytes: Uint8Array | undefined): void {
    this.u8(bytes === undefined ? 0 : 1);
    if (bytes !== undefined) this.part(bytes, 0, bytes.length);
  }

  sized(bytes: Uint8Array): void {
    this.u16(bytes.length);
    this.part(bytes, 0, bytes.length);
  }
}

/** Reads them. Throws `RangeError` where the bytes are none. */
export class ReceiptReader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  part(length: number): Uint8Array {
    if (length > this.left) throw new RangeError('the receipt ends early');
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  u8(): number {
    return this.part(1)[0];
  }

  u16(): number {
    const part = this.part(2);
    return part[0] | (part[1] << 8);
  }

  u32(): number {
    return readU32(this.part(4), 0);
  }

  text(): string | undefined {
    const length = this.u16();
    return length === NO_TEXT ? undefined : Buffer.from(this.part(length)).toString('latin1');
  }

  optional(length: number): Uint8Array | undefined {
    return this.u8() === 0 ? undefined : this.part(length);
  }

  sized(): Uint8Array {
    return this.part(this.u16());
  }

  list<T>(read: () => T): T[] {
    const values: T[] = [];
    for (let left = this.u16(); left > 0; left--) values.push(read());
    return values;
  }

  oneOf<T>(names: readonly T[]): T {
    const name = names[this.u8()];
    if (name === undefined) throw new RangeError('the receipt has an unknown name');
    return name;
  }
}
