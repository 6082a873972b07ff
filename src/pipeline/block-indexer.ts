import { performance } from 'node:perf_hooks';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import type { LaneEngine } from '../execute/engine.js';
import type { LaneStatistics } from '../lane/statistics.js';
import type { StandardIndexer, StandardRun } from '../standard/standard-indexer.js';
import type { Store } from '../store/store.js';
import { StoredState } from '../store/stored-state.js';
import type { StateRoots } from '../store/types.js';
import { bytesEqual } from '../util/bytes.js';

/** The result of indexing one block. */
export interface IndexedBlock {
  readonly height: number;
  readonly roots: StateRoots;
  readonly statistics: LaneStatistics;
  /**
   * Milliseconds by phase, beside those of the statistics. `wait`: nothing was left to do but for the standard module
   * to end.
   */
  readonly ms: Readonly<Record<'parse' | 'standard' | 'commit' | 'wait', number>>;
}

/** A block as a source delivers it. */
export interface RawBlock {
  readonly height: number;
  readonly raw: Uint8Array;
}

export interface IndexOptions {
  /** The next block, once it is available: work on it begins early. */
  readonly following?: () => RawBlock | undefined;
  /** Called with the roots before the block is stored. */
  readonly check?: (roots: StateRoots) => void;
}

/** A block that was read and verified. */
interface VerifiedBlock extends RawBlock {
  readonly block: BlockOffsets;
  /** Milliseconds that reading and verifying took. */
  readonly ms: number;
}

/** A block that the standard module is running on. */
interface StartedBlock extends VerifiedBlock {
  readonly run: Promise<StandardRun>;
}

/**
 * Takes blocks through lane and module, which run at the same time, and into the store in one atomic write each.
 *
 * While the standard module runs block h in its thread, this thread runs the parallel lane of h and verifies block h +
 * 1, if that is available. As soon as the module is done with h it continues with h + 1, reading the writes of h from
 * its own memory, while this thread stores h.
 */
export class BlockIndexer {
  /** The block after the last indexed one, if the module has begun to run it. */
  #ahead: StartedBlock | undefined;

  constructor(
    readonly store: Store,
    readonly engine: LaneEngine,
    readonly standard: Pick<StandardIndexer, 'runBlock'>,
  ) {}

  /**
   * Indexes the block after the store's tip. Throws InputError BLOCK_* if the block is not valid or does not follow the
   * tip, ProgramError if the standard module fails on it, StoreError, what `check` throws. The store is left as it was
   * then.
   */
  async index({ raw, height }: RawBlock, { following, check }: IndexOptions = {}): Promise<IndexedBlock> {
    const started =
      this.#takeAhead(raw, height) ?? this.#start(this.#verify(raw, height, this.store.tip()?.hash), false);
    const { block, ms } = started;
    const { store } = this;
    const lane = await this.engine.processBlock(block, height, {
      reader: new StoredState(store),
      storeHandle: store.handle,
    });
    const waiting = performance.now();
    let next = this.#verified(following?.(), started);
    const verifying = performance.now() - waiting;
    const run = await started.run;
    if (run.error) throw run.error;
    const wait = performance.now() - waiting - verifying;
    next ??= this.#verified(following?.(), started);
    if (next !== undefined) this.#ahead = this.#start(next, true);
    const committing = performance.now();
    const roots = store.commitBlock(
      {
        height,
        hash: block.hash,
        header: block.header,
        standardWrites: run.pairs,
        laneWrites: lane.writes,
        receipts: lane.encodedReceipts ?? lane.receipts,
        plan: lane.plan,
      },
      { moreFollow: next !== undefined, check },
    );
    const commit = performance.now() - committing;
    return { height, roots, statistics: lane.statistics, ms: { parse: ms, standard: run.ms, commit, wait } };
  }

  /**
   * Reads a block and verifies it. `previousHash` (wire order): not checked if undefined. Throws InputError BLOCK_*.
   */
  #verify(raw: Uint8Array, height: number, previousHash: Uint8Array | undefined): VerifiedBlock {
    const started = performance.now();
    const block = BlockOffsets.read(raw);
    verifyBlock(block, { previousHash });
    return { height, raw, block, ms: performance.now() - started };
  }

  /** The block after `current`, if it is one: what is wrong with it is said in its own turn. */
  #verified(next: RawBlock | undefined, current: StartedBlock): VerifiedBlock | undefined {
    if (next?.height !== current.height + 1) return undefined;
    try {
      return this.#verify(next.raw, next.height, current.block.hash);
    } catch {
      return undefined;
    }
  }

  /**
   * Sets the standard module to work. `ahead`: the block before is the one that it ran last, and need not be stored
   * yet.
   */
  #start(verified: VerifiedBlock, ahead: boolean): StartedBlock {
    // These bytes are shared with the thread of the module, not copied.
    const run = this.standard.runBlock(verified.block.raw, verified.height, ahead);
    // The awaiting code handles a rejection; if the parallel lane fails first, nothing awaits it.
    run.catch(() => undefined);
    return { ...verified, run };
  }

  /** The block that was started ahead, if it is this one and the store has become what it was started on. */
  #takeAhead(raw: Uint8Array, height: number): StartedBlock | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined || ahead.height !== height || !bytesEqual(ahead.raw, raw)) return undefined;
    return bytesEqual(this.store.tip()?.hash, ahead.block.previousHash) ? ahead : undefined;
  }
}
