/** What the keys and values of a block take in memory, so that no block takes more than its share. */
import type { LaneKey } from '../../lane/types.js';

/** What V8 needs for an entry of a map, its key and its value beside their bytes. */
const ENTRY_BYTES = 200;

/** Bytes that the outcomes of one block may take together while the block is planned and run in batches. */
export const MOST_BLOCK_BYTES = 64 * 1024 * 1024;

/** Bytes that one key with its value takes, about. */
export function entryWeight(key: LaneKey, value: Uint8Array | undefined): number {
  return ENTRY_BYTES + key.length + (value?.length ?? 0);
}

/** Thrown where a block is given up as too large to be planned: no error, for the sequential executor takes it. */
export class BlockTooLarge extends Error {
  constructor() {
    super('the outcomes of a block take more memory than they are given');
    this.name = 'BlockTooLarge';
  }
}

/** A piece of a block may take so many times its share of what the block may, or so many bytes. */
const UNEVEN = 4;
const LEAST_PIECE_BYTES = 16 * 1024 * 1024;

/** Counts what the outcomes of one block take. */
export class BlockBudget {
  readonly #bytes: number;
  #left: number;

  constructor(bytes = MOST_BLOCK_BYTES) {
    this.#bytes = bytes;
    this.#left = bytes;
  }

  /** Bytes that have room. */
  get left(): number {
    return this.#left;
  }

  /** Bytes that are taken. */
  get taken(): number {
    return this.#bytes - this.#left;
  }

  /**
   * What one of `pieces` may take, of what is left: with more like it the block would have no room by far, and it is
   * given up before they are all run, kept and sent.
   */
  ofPiece(pieces: number): number {
    return Math.min(this.#left, Math.max(LEAST_PIECE_BYTES, (UNEVEN * this.#bytes) / pieces));
  }

  /** Takes `bytes` that are kept until the block ends. Throws {@link BlockTooLarge} when they have no room. */
  takeBytes(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new BlockTooLarge();
  }
}

/** What the parts of a block may leave, in budgets of one part. */
const KEPT = 2;

/** Counts what the parts of one block leave until it is stored. */
export class KeptBudget {
  readonly #most: number;
  #kept = 0;

  /** `mostBytes`: what is known of one part may take as much. */
  constructor(mostBytes: number) {
    this.#most = KEPT * mostBytes;
  }

  /**
   * A part has left `bytes` of writes and receipts; with it `rows` of the `count` rows of the block have run. Throws
   * {@link BlockTooLarge} if the block would leave too much in the end, by what its rows have left so far.
   */
  keep(bytes: number, rows: number, count: number): void {
    this.#kept += bytes;
    if ((this.#kept / rows) * count > this.#most) throw new BlockTooLarge();
  }
}
