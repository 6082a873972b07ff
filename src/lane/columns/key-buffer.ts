import { writeU32 } from '../../util/bytes.js';
import { copyBytes } from '../../util/copy-bytes.js';

const encoder = new TextEncoder();

/** A key under construction, from `start` to `end` of `bytes`: a prefix, then what is copied behind it. */
export class KeyBuffer {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly #behind: number;

  /** The key lies in `bytes`, which hold others as well, from `start` on. */
  constructor(bytes: Uint8Array, start: number, prefix: string, room: number) {
    this.bytes = bytes;
    this.start = start;
    this.#behind = start + prefix.length;
    this.end = this.#behind + room;
    encoder.encodeInto(prefix, bytes.subarray(start));
  }

  /** Copies `length` bytes to `at` behind the prefix. */
  put(at: number, from: Uint8Array, start: number, length: number): void {
    copyBytes(from, start, start + length, this.bytes, this.#behind + at);
  }

  /** Writes a number to `at` behind the prefix, little-endian. */
  putU32(at: number, value: number): void {
    writeU32(this.bytes, this.#behind + at, value);
  }
}
