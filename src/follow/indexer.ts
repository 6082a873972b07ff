import type { ChainBlock } from '../chain/source.js';

/** What was indexed last. */
export interface IndexedTip {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
}

/** What follows a chain: takes blocks in order, and gives them back. All changes are whole blocks. */
export interface Indexer {
  tip(): IndexedTip | undefined;
  /** Hash (32 bytes, wire order) of the indexed block at `height`; undefined if there is none. */
  hashAt(height: number): Uint8Array | undefined;
  /** Lowest height that {@link rollback} can go to: below it the undo data is gone, or nothing was indexed. */
  lowestRollback(): number;
  /**
   * Verifies a block, that it builds on the tip, and indexes it as the tip's height + 1 (any height if nothing was
   * indexed yet). `following`: the block after it once that is at hand, so that work on it can begin; it has its own
   * turn.
   * @throws InputError BLOCK_* for a block that is not valid or does not build on the tip; ProgramError, StoreError.
   *   Nothing of the block is kept then.
   */
  index(block: ChainBlock, following?: () => ChainBlock | undefined): Promise<void>;
  /** Undoes blocks down to `toHeight`, each in one atomic step. */
  rollback(toHeight: number): Promise<void>;
}
