/** Limits of every valid block, from the consensus rules. */

/** Bytes of a block or a transaction with its witnesses: a byte weighs 1 at least, and a block 4,000,000 at most. */
export const MAX_BLOCK_LENGTH = 4_000_000;
/** Bytes of the smallest transaction that a parser takes. */
export const MIN_TRANSACTION = 60;
