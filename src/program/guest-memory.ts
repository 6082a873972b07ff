import { readU32, writeU32 } from '../util/bytes.js';

/**
 * Buffers of the contract ABI in a program's memory: length (u32) at p - 4, data at p; pointers are unsigned 32 bit.
 * The views are made for each access because memory.grow detaches the old one.
 */
export class GuestMemory {
  constructor(private readonly memory: WebAssembly.Memory) {}

  /** A copy of the buffer at `pointer`, or undefined if any part of it is outside the memory. */
  read(pointer: number): Uint8Array | undefined {
    const p = pointer >>> 0;
    const bytes = new Uint8Array(this.memory.buffer);
    if (p < 4 || p > bytes.length) return undefined;
    const length = readU32(bytes, p - 4);
    return length > bytes.length - p ? undefined : bytes.slice(p, p + length);
  }

  /** True if a buffer of `length` bytes fits at `pointer`, its length word included. */
  fits(pointer: number, length: number): boolean {
    const p = pointer >>> 0;
    const size = this.memory.buffer.byteLength;
    return p >= 4 && p <= size && length <= size - p;
  }

  /** Writes length word and data; the caller has asked `fits`. */
  write(pointer: number, data: Uint8Array): void {
    const p = pointer >>> 0;
    const bytes = new Uint8Array(this.memory.buffer);
    writeU32(bytes, p - 4, data.length);
    bytes.set(data, p);
  }
}
