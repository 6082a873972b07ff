/** Limits of every valid block, from the consensus rules. */

/** Bytes of a block or a transaction as serialised with witnesses: the weight limit, as weight is never less. */
export const MAX_BLOCK_LENGTH = 4_000_000;
/** Bytes of the smallest transaction: version, input and output counts, locktime, one input and one output. */
export const MIN_TRANSACTION = 60;
