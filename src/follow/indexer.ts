import type { ChainBlock } from '../chain/source.js';
import type { Following } from '../pipeline/look-ahead.js';

/** The last indexed block. */
export interface IndexedTip {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
}

/** An index that follows a chain: it takes blocks in order and undoes them. Every change is a whole block. */
export interface Indexer {
  tip(): IndexedTip | undefined;
  /** Hash (32 bytes, wire order) of the indexed block at `height`; undefined if there is none. */
  hashAt(height: number): Uint8Array | undefined;
  /** Lowest height that {@link rollback} can reach: below it there is no undo data, or nothing was indexed. */
  lowestRollback(): number;
  /**
   * Verifies a block, that it builds on the tip, and indexes it as the tip's height + 1 (any height if nothing was
   * indexed yet). `following`: the next blocks once they are available, so that work on them can begin early; `behind`:
   * so many blocks are known to come. Where many come, it may be stored with the next ones only, and be part of the
   * index when they are, at the latest after {@link settle}; it may then be kept from being undone, too.
   * @throws InputError BLOCK_* for a block that is not valid or does not build on the tip; ProgramError, StoreError.
   *   Nothing of the block is kept then.
   */
  index(block: ChainBlock, following?: Following<ChainBlock>, behind?: number): Promise<void>;
  /** Stores what has been indexed. To be called before anything else is asked of the index. Throws StoreError. */
  settle(): void;
  /** Undoes blocks down to `toHeight`, each in one atomic step. */
  rollback(toHeight: number): Promise<void>;
}
