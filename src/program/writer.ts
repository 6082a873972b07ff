/** A growing byte buffer that writes the WASM binary format. */
export class Writer {
  #buffer: Uint8Array;
  length = 0;

  /** `room`: bytes that are likely to be written; growing to many megabytes copies them again and again. */
  constructor(room = 64) {
    this.#buffer = new Uint8Array(room);
  }

  #room(count: number): void {
    if (this.length + count <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.length + count));
    grown.set(this.#buffer.subarray(0, this.length));
    this.#buffer = grown;
  }

  byte(value: number): this {
    this.#room(1);
    this.#buffer[this.length++] = value;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** The bytes `start` to `end` of `source`. */
  range(source: Uint8Array, start: number, end: number): this {
    this.#room(end - start);
    // A few bytes are copied faster one by one than by making a view of them.
    if (end - start > 32) this.#buffer.set(source.subarray(start, end), this.length);
    else for (let i = start, to = this.length; i < end; i++, to++) this.#buffer[to] = source[i];
    this.length += end - start;
    return this;
  }

  /** Everything that `inner` has written. */
  all(inner: Writer): this {
    return this.range(inner.#buffer, 0, inner.length);
  }

  /** The bytes `start` to `end` of what `inner` has written. */
  part(inner: Writer, start: number, end: number): this {
    return this.range(inner.#buffer, start, end);
  }

  /** Begins again with nothing written; the room is kept. */
  clear(): this {
    this.length = 0;
    return this;
  }

  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }

  i32(value: number): this {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.byte(rest & 0x7f);
  }

  i64(value: bigint): this {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.byte(Number(rest & 0x7fn));
  }

  name(text: string): this {
    const encoded = new TextEncoder().encode(text);
    return this.u32(encoded.length).bytes(encoded);
  }

  vector<T>(items: readonly T[], write: (item: T) => unknown): this {
    this.u32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** The other writer's bytes, after their length. */
  sized(inner: Writer): this {
    return this.u32(inner.length).all(inner);
  }

  /** The bytes written, without a copy; valid until the next write. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.length);
  }
}

/** The bytes that are known by `key`, or those that `make` gives. */
export function remembered<K>(known: Map<K, Uint8Array>, key: K, make: () => Uint8Array): Uint8Array {
  let found = known.get(key);
  if (!found) {
    found = make();
    known.set(key, found);
  }
  return found;
}
