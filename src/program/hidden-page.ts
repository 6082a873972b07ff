/**
 * The page that lies below the memory of a program whose table is kept as numbers (erasure.ts). The program's addresses
 * begin behind it: every load and store has its offset moved, so that no address of the program reaches the page.
 */
import { LIMITS } from './limits.js';

export const HIDDEN_PAGES = 1;
export const HIDDEN_BYTES = HIDDEN_PAGES * 65_536;

/** Bytes of one element of the table: 0 for null, else the place of a function in the real table. */
export const ELEMENT_SHIFT = 2;
/** An element behind all that a table can have: always null. */
export const NULL_ELEMENT = LIMITS.tableElements;
/** Where the elements begin; they and the one that is always null end where the page does, in whole eights of bytes. */
export const TABLE_AT = HIDDEN_BYTES - ((NULL_ELEMENT + 2) << ELEMENT_SHIFT);
/** One byte for each segment of elements, then one for each segment of data: 1 once it is dropped. */
export const ELEMENTS_DROPPED_AT = TABLE_AT - LIMITS.elementSegments - LIMITS.dataSegments;
export const DATA_DROPPED_AT = ELEMENTS_DROPPED_AT + LIMITS.elementSegments;
/** Nothing in the page below is used. */
export const USED_FROM = ELEMENTS_DROPPED_AT;

const GREATEST = 0xffffffff;

/**
 * Where address or offset `at` of the program lies. One that leaves no room below 2^32 stays outside of every memory.
 */
export function behindHiddenPage(at: number): number {
  return Math.min(GREATEST, (at >>> 0) + HIDDEN_BYTES);
}
