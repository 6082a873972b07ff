import { performance } from 'node:perf_hooks';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import type { LaneEngine } from '../execute/engine.js';
import { StoredState } from '../execute/stored-state.js';
import type { LaneBlockResult, LaneStatistics } from '../lane/types.js';
import type { StandardLane, StandardRun } from '../standard/lane.js';
import type { Store } from '../store/store.js';
import type { StateRoots } from '../store/types.js';

/** What became of one block. */
export interface IndexedBlock {
  readonly height: number;
  readonly roots: StateRoots;
  readonly statistics: LaneStatistics;
  /** Milliseconds by phase, beside those of the statistics. `wait`: nothing was left to do but for the standard module to end. */
  readonly ms: Readonly<Record<'parse' | 'standard' | 'commit' | 'wait', number>>;
}

/** A block that was read and verified. */
export interface VerifiedBlock {
  readonly height: number;
  readonly block: BlockOffsets;
  /** Milliseconds that reading and verifying took. */
  readonly ms: number;
}

/** A block that the standard module is running on. */
export interface StartedBlock extends VerifiedBlock {
  readonly run: Promise<StandardRun>;
}

/** Takes blocks through both lanes, which run at the same time, and into the store in one synced write. */
export class BlockIndexer {
  constructor(
    readonly store: Store,
    readonly engine: LaneEngine,
    readonly standard: Pick<StandardLane, 'runBlock'>,
  ) {}

  /**
   * Indexes the block after the store's tip. Throws InputError BLOCK_* if it is not valid or does not follow the tip, ProgramError if
   * the standard module fails on it, StoreError. The store is left as it was then.
   */
  async index(raw: Uint8Array, height: number): Promise<IndexedBlock> {
    const started = this.start(this.verify(raw, height, this.store.tip()?.hash), false);
    return this.commit(started, await this.runLane(started));
  }

  /** Reads a block and verifies it. `previousHash` (wire order): not checked if undefined. Throws InputError BLOCK_*. */
  verify(raw: Uint8Array, height: number, previousHash: Uint8Array | undefined): VerifiedBlock {
    const started = performance.now();
    const block = BlockOffsets.read(raw);
    verifyBlock(block, { previousHash });
    return { height, block, ms: performance.now() - started };
  }

  /** Sets the standard module to work. `ahead`: the block before is the one that it ran last, and need not be stored yet. */
  start(verified: VerifiedBlock, ahead: boolean): StartedBlock {
    const run = this.standard.runBlock(verified.block.raw, verified.height, ahead);
    // Whoever waits for it hears of it; if the other lane fails first, nobody does.
    run.catch(() => undefined);
    return { ...verified, run };
  }

  /** The parallel lane of a block; the one before must be stored. */
  runLane({ block, height }: VerifiedBlock): Promise<LaneBlockResult> {
    const { store } = this;
    return this.engine.processBlock(block, height, { reader: new StoredState(store), storeHandle: store.handle });
  }

  /**
   * Waits for the standard module and stores the block. `beforeCommit` is called between the two.
   * Throws the ProgramError of a module that failed, StoreError.
   */
  async commit(
    { height, block, ms, run: running }: StartedBlock,
    lane: LaneBlockResult,
    beforeCommit?: () => void,
  ): Promise<IndexedBlock> {
    const waiting = performance.now();
    const run = await running;
    if (run.error) throw run.error;
    const wait = performance.now() - waiting;
    beforeCommit?.();
    const committing = performance.now();
    const roots = this.store.commitBlock({
      height,
      hash: block.hash,
      header: block.header,
      standardWrites: run.pairs,
      laneWrites: lane.writes,
      receipts: lane.receipts,
      plan: lane.plan,
    });
    const commit = performance.now() - committing;
    return { height, roots, statistics: lane.statistics, ms: { parse: ms, standard: run.ms, commit, wait } };
  }
}
