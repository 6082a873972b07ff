import { writeU32 } from '../util/bytes.js';

/**
 * Memory and fuel of one run, for the functions of its host.
 *
 * Buffers of the contract ABI: length (u32) at p - 4, data at p; pointers are unsigned 32 bit.
 */
export abstract class FrameMemory {
  /** The whole memory that the program sees, as it is now. */
  abstract get bytes(): Uint8Array;

  abstract get fuelLeft(): number;
  abstract set fuelLeft(fuel: number);

  /** Takes `amount` off the fuel; false, and nothing is taken, if there is less. */
  abstract charge(amount: number): boolean;

  /** Bytes of the buffer at `pointer`, or -1 if any part of it is outside the memory. */
  abstract lengthAt(pointer: number): number;

  /**
   * True if a buffer of `length` bytes fits at `pointer`, its length word included. Whoever writes there asks first: of
   * a lent memory, the bytes are then among those to be cleared.
   */
  abstract fits(pointer: number, length: number): boolean;

  /**
   * Writes SHA-256 of the `length` bytes at `pointer` (`twice`: of that digest) with its length word to `out`. The
   * caller has asked `lengthAt` and `fits`; the buffers may overlap.
   */
  abstract hash(pointer: number, length: number, out: number, twice: boolean): void;

  /** The buffer at `pointer` as a view, or undefined if any part of it is outside the memory. */
  view(pointer: number): Uint8Array | undefined {
    const length = this.lengthAt(pointer);
    if (length < 0) return undefined;
    const p = pointer >>> 0;
    return this.bytes.subarray(p, p + length);
  }

  /** Writes a number below 2^32 as 8 bytes with their length word; the caller has asked `fits`. */
  writeNumber(pointer: number, value: number): void {
    const p = pointer >>> 0;
    const { bytes } = this;
    writeU32(bytes, p - 4, 8);
    writeU32(bytes, p, value);
    writeU32(bytes, p + 4, 0);
  }

  /** Writes the length word of a buffer; the caller has asked `fits`. */
  writeLength(pointer: number, length: number): void {
    writeU32(this.bytes, (pointer >>> 0) - 4, length);
  }

  /** Writes length word and data; the caller has asked `fits`. */
  write(pointer: number, data: Uint8Array): void {
    const p = pointer >>> 0;
    const { bytes } = this;
    writeU32(bytes, p - 4, data.length);
    bytes.set(data, p);
  }
}
