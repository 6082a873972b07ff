/** In how many blocks all rows of a state tree are written once (docs/state-root.md). */
import type { SweepLimits } from './state-tree.js';

/** As long as hardly a row changes twice, so many: a crash costs little then, and a longer way would save nothing. */
const FEW_BLOCKS = 50;
const MOST_BLOCKS = 400;
/** Leaves that a block writes for each of the keys that it changes, where rows change again and again. */
const LEAVES_A_KEY = 0.5;

/** A tree, and the block that is being stored. */
export interface SweptTree {
  readonly leaves: number;
  readonly rows: number;
  /** Keys that the block has changed. */
  readonly written: number;
  /** Blocks whose undo data stays. */
  readonly keepUndo: number;
  /** Keys may go: after a crash only undo data tells for sure which ones did, as replaced values need not be kept. */
  readonly loses: boolean;
}

/**
 * A row is written once in a sweep, however often it has changed: so where blocks change many keys of a large state, a
 * longer sweep writes less. Stored rows are at most two sweeps behind. `blocks` is never less than 1.
 */
export function sweepOf(tree: SweptTree): Omit<SweepLimits, 'bytes'> {
  const { leaves, rows, written, keepUndo, loses } = tree;
  const few = Math.max(1, Math.min(FEW_BLOCKS, Math.floor(keepUndo / 2)));
  if (loses) return { blocks: few, behind: Math.min(2 * FEW_BLOCKS, keepUndo) };
  const behind = 2 * MOST_BLOCKS;
  if (written * FEW_BLOCKS <= rows) return { blocks: few, behind };
  const blocks = Math.max(few, Math.min(MOST_BLOCKS, Math.floor(leaves / (LEAVES_A_KEY * written))));
  return { blocks, behind };
}
