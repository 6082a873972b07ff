import { copyBytes } from '../../util/copy-bytes.js';

const encoder = new TextEncoder();

/** A key under construction: a prefix, then what is copied behind it. */
export class KeyBuffer {
  readonly bytes: Uint8Array;
  readonly prefix: number;

  constructor(prefix: string, room: number) {
    this.prefix = prefix.length;
    this.bytes = new Uint8Array(prefix.length + room);
    encoder.encodeInto(prefix, this.bytes);
  }

  /** Copies `length` bytes to `at` behind the prefix. */
  put(at: number, from: Uint8Array, start: number, length: number): void {
    copyBytes(from, start, start + length, this.bytes, this.prefix + at);
  }
}
