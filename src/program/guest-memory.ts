import { readU32, writeU32 } from '../util/bytes.js';

/** Buffers of the contract ABI in a program's memory: length (u32) at p - 4, data at p; pointers are unsigned 32 bit. */
export class GuestMemory {
  #bytes: Uint8Array;

  /** `seen`: of a lent memory, the bytes that the program sees of it. */
  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly seen?: WebAssembly.Global,
  ) {
    this.#bytes = new Uint8Array(memory.buffer, 0, seen?.value);
  }

  /** The whole memory as it is now. */
  get bytes(): Uint8Array {
    // memory.grow detaches the buffer, and the length of a view of a detached buffer is 0.
    if (this.seen !== undefined) {
      const length = this.seen.value as number;
      if (this.#bytes.length !== length) this.#bytes = new Uint8Array(this.memory.buffer, 0, length);
    } else if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes;
  }

  /** The buffer at `pointer` as a view, or undefined if any part of it is outside the memory. */
  view(pointer: number): Uint8Array | undefined {
    const p = pointer >>> 0;
    const { bytes } = this;
    if (p < 4 || p > bytes.length) return undefined;
    const length = readU32(bytes, p - 4);
    return length > bytes.length - p ? undefined : bytes.subarray(p, p + length);
  }

  /** True if a buffer of `length` bytes fits at `pointer`, its length word included. */
  fits(pointer: number, length: number): boolean {
    const p = pointer >>> 0;
    const size = this.bytes.length;
    return p >= 4 && p <= size && length <= size - p;
  }

  /** Writes a number below 2^32 as 8 bytes with their length word; the caller has asked `fits`. */
  writeNumber(pointer: number, value: number): void {
    const p = pointer >>> 0;
    const { bytes } = this;
    writeU32(bytes, p - 4, 8);
    writeU32(bytes, p, value);
    writeU32(bytes, p + 4, 0);
  }

  /** Writes length word and data; the caller has asked `fits`. */
  write(pointer: number, data: Uint8Array): void {
    const p = pointer >>> 0;
    const { bytes } = this;
    writeU32(bytes, p - 4, data.length);
    bytes.set(data, p);
  }
}
