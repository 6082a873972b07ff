/** Returns `length` bytes to write a row into; their content is undefined. */
export type RowAllocator = (length: number) => Uint8Array;

/** A new array for every row. */
export const newBytes: RowAllocator = (length) => new Uint8Array(length);

/** Longer rows get a new array: they are rare, or copying their bytes costs more than the array. */
const LONGEST = 256;

/**
 * An allocator that returns the same bytes again and again, valid until its next call: for rows that are copied as soon
 * as they are made. A block has tens of thousands of rows, and short arrays cost more than what is written to them.
 */
export function reusingAllocator(): RowAllocator {
  const bytes = new Uint8Array(LONGEST);
  const views: Uint8Array[] = [];
  return (length) => {
    if (length > LONGEST) return new Uint8Array(length);
    views[length] ??= bytes.subarray(0, length);
    return views[length];
  };
}
