/** What walking through parts of the state took, so that the next blocks do it only where it pays. */
import { BoundedCache } from '../../program/lru.js';

/** Parts remembered. */
const MOST_PARTS = 4_096;
/** Blocks for which a walk that did not pay is remembered, about. */
const REMEMBERED = 64;
/** Milliseconds of a read of one key. */
const READ_MS = 0.004;

interface Walk {
  /** Reads of a part from which on walking through it may pay. */
  readonly reads: number;
  left: number;
}

/**
 * Of one thread; only how fast blocks run depends on it. A part of more rows than are read in a block is not walked
 * through in each block anew. Nor is one whose rows were deleted: the database goes through them, and hands out none.
 */
export class Walks {
  readonly #walks = new BoundedCache<Walk>(MOST_PARTS, MOST_PARTS);

  /** Reads of `part` in a block after which to walk through it; `unknown` where nothing is known of it. */
  firstTry(part: string, unknown: number): number {
    const walk = this.#walks.get(part);
    return walk === undefined || walk.left-- <= 0 ? unknown : walk.reads;
  }

  /** A walk took `ms`; `again`: reads after which it comes to its end, or is worth trying once more. */
  ended(part: string, ms: number, again: number): void {
    this.#walks.set(part, { reads: Math.max(again, Math.ceil(ms / READ_MS)), left: REMEMBERED }, 1);
  }
}
