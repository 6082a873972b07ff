/** Gives `length` bytes to write to; what is in them is not defined. */
export type Take = (length: number) => Uint8Array;

/** Bytes of their own. */
export const fresh: Take = (length) => new Uint8Array(length);

/** Longer rows get bytes of their own: they are few, or their bytes cost more than the array. */
const LONGEST = 256;

/**
 * Gives the same bytes again and again, good until the next call: for rows that are copied as soon as they are made. Tens of
 * thousands of short arrays a block cost more than what is written to them.
 */
export function reused(): Take {
  const bytes = new Uint8Array(LONGEST);
  const views: Uint8Array[] = [];
  return (length) => {
    if (length > LONGEST) return new Uint8Array(length);
    views[length] ??= bytes.subarray(0, length);
    return views[length];
  };
}
