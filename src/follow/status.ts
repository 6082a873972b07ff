import type { IndexedTip } from './indexer.js';

/**
 * - `syncing`: blocks are being fetched or indexed.
 * - `at-tip`: the last block indexed is the last one of the node's chain.
 * - `node-behind`: the node's chain is part of ours and shorter, or ends below the start block.
 * - `waiting-for-node`: the node does not answer, or contradicts itself; it is retried after a while.
 * - `rolling-back`: blocks of a dead branch are being undone.
 * - `stopped`: stopped on request, or `exitAt` reached. `failed`: ended by an error.
 */
export type FollowerState =
  | 'syncing'
  | 'at-tip'
  | 'node-behind'
  | 'waiting-for-node'
  | 'rolling-back'
  | 'stopped'
  | 'failed';

/** What a follower is doing, and what it has done since it was created. */
export interface FollowerStatus {
  readonly state: FollowerState;
  /** Height indexed last; undefined before the first block. */
  readonly height: number | undefined;
  /** Height of the node's tip in its last answer; undefined before the first one. */
  readonly nodeHeight: number | undefined;
  readonly reorgs: number;
  /** Blocks undone by the deepest of them. */
  readonly deepestReorg: number;
  readonly blocksIndexed: number;
  readonly blocksUndone: number;
  /** Waits before a retry: temporary errors of the node, contradictory answers, refused blocks. */
  readonly retries: number;
  readonly badBlocks: number;
  /** Code of the last error, temporary or not. */
  readonly lastError: string | undefined;
}

/** A reorg that was followed; covers the blocks undone so far. */
export interface Rollback {
  readonly from: IndexedTip;
  /** The height that became the tip: the fork point, unless the follower was stopped on the way. */
  readonly toHeight: number;
}
