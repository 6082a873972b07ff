import { viewOf } from './words.js';

/** Returns `length` bytes to write a row into; their content is undefined. */
export type RowAllocator = (length: number) => Uint8Array;

/** A new array for every row. */
export const newBytes: RowAllocator = (length) => new Uint8Array(length);

/** Before a reused row: what does not begin where its buffer does lies outside of V8's heap, and rocks.ts sees that. */
const OFFSET = 8;

/** Longer rows get a new array: they are rare, or copying their bytes costs more than the array. */
const LONGEST = 256;

/**
 * Gives the same bytes again and again, valid until its next call: for rows that are copied as soon as they are made. A
 * block has tens of thousands of rows, and short arrays cost more than what is written to them.
 */
export class ReusedRow {
  readonly #bytes = new Uint8Array(OFFSET + LONGEST);
  readonly #views: Uint8Array[] = [];
  readonly #shortView = viewOf(this.#bytes.subarray(OFFSET));
  /** What {@link of} gave last begins where this does. */
  view = this.#shortView;

  /** `length` bytes; their content is undefined. */
  of(length: number): Uint8Array {
    if (length > LONGEST) {
      const bytes = new Uint8Array(length);
      this.view = viewOf(bytes);
      return bytes;
    }
    this.view = this.#shortView;
    this.#views[length] ??= this.#bytes.subarray(OFFSET, OFFSET + length);
    return this.#views[length];
  }
}

/** An allocator that returns the bytes of a {@link ReusedRow}. */
export function reusingAllocator(): RowAllocator {
  const row = new ReusedRow();
  return (length) => row.of(length);
}

/**
 * Rows of one length that are in use together, and no longer when {@link of} is called again: for lists of keys that
 * are asked for at once. A view costs more than what is written to it.
 */
export class ReusedRows {
  #length = -1;
  #rows: Uint8Array[] = [];

  /** `count` rows of `length` bytes each, and perhaps more; their content is undefined. */
  of(count: number, length: number): readonly Uint8Array[] {
    if (length !== this.#length || count > this.#rows.length) {
      const slab = new ArrayBuffer(OFFSET + count * length);
      this.#length = length;
      this.#rows = Array.from({ length: count }, (_, i) => new Uint8Array(slab, OFFSET + i * length, length));
    }
    return this.#rows;
  }
}

/**
 * An allocator of rows that lie one after the other in `total` bytes: for many that are in use together. What is short
 * would lie in V8's heap otherwise, and native code moves it out, row by row. Throws `RangeError` beyond `total`.
 */
export function slabAllocator(total: number): RowAllocator {
  const slab = new ArrayBuffer(total);
  let at = 0;
  return (length) => {
    const row = new Uint8Array(slab, at, length);
    at += length;
    return row;
  };
}
