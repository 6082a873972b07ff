/** Bounds on a piece: what a device is asked for at a time where blocks are cut, and what a server takes. */

/** Most calls, and bytes of heads, declared keys, keys and values. */
export const MOST_PIECE_CALLS = 16_384;
export const MOST_PIECE_BYTES = 16 * 1024 * 1024;
/** Most bytes of its results, with what was read. */
export const MOST_PIECE_ANSWER = 8 * 1024 * 1024;
/** Most fuel of all calls: less than a submission to a GPU may burn, and far less than drivers take for a hang. */
export const MOST_PIECE_FUEL = 1e11;
