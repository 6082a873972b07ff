import type { IndexedTip } from './indexer.js';

/**
 * - `syncing`: blocks are being indexed, or looked for.
 * - `at-tip`: the last block indexed is the last one of the node's chain.
 * - `node-behind`: the node's chain ends below ours and is part of it, or below the block to start with.
 * - `waiting-for-node`: the node cannot be asked, or contradicts itself; it is asked again after a while.
 * - `rolling-back`: blocks of a dead branch are being undone.
 * - `stopped`: the end was asked for, or reached. `failed`: ended by an error.
 */
export type FollowerState =
  | 'syncing'
  | 'at-tip'
  | 'node-behind'
  | 'waiting-for-node'
  | 'rolling-back'
  | 'stopped'
  | 'failed';

/** What a follower is doing and has done since it was made. */
export interface FollowerStatus {
  readonly state: FollowerState;
  /** Height indexed last; undefined before the first block. */
  readonly height: number | undefined;
  /** Height of the node's tip when it was last asked; undefined before the first answer. */
  readonly nodeHeight: number | undefined;
  readonly reorgs: number;
  /** Blocks undone by the deepest of them. */
  readonly deepestReorg: number;
  readonly blocksIndexed: number;
  readonly blocksUndone: number;
  /** Waits before asking again: passing errors of the node, answers that contradict each other, blocks refused. */
  readonly retries: number;
  readonly badBlocks: number;
  /** Code of the last error, passing or not. */
  readonly lastError: string | undefined;
}

/** A reorg that was followed, as far as blocks were undone. */
export interface Rollback {
  readonly from: IndexedTip;
  /** The height that became the tip: the fork point, unless the follower was stopped on the way. */
  readonly toHeight: number;
}
