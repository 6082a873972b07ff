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
    const { bytes } = this;
    for (let i = 0, to = this.prefix + at; i < length; i++) bytes[to + i] = from[start + i];
  }
}
