import { performance } from 'node:perf_hooks';
import type { LaneEngine } from '../execute/engine.js';
import type { LaneStatistics } from '../lane/statistics.js';
import type { EncodedReceipts, Receipt } from '../lane/types.js';
import type { StandardIndexer, StandardRun } from '../standard/standard-indexer.js';
import type { Store } from '../store/store.js';
import { StoredState } from '../store/stored-state.js';
import type { CommitOptions, StateRoots } from '../store/types.js';
import { bytesEqual } from '../util/bytes.js';
import type { BlockReader } from './block-reader.js';
import { BlocksAhead, type RawBlock, type VerifiedBlock } from './blocks-ahead.js';
import type { Following } from './look-ahead.js';
import { PendingBlocks } from './pending-blocks.js';

/** The result of indexing one block. */
export interface IndexedBlock {
  readonly height: number;
  /** Undefined for a block that is stored with one that follows: it gets none. */
  readonly roots: StateRoots | undefined;
  readonly statistics: LaneStatistics;
  /**
   * Milliseconds by phase, beside those of the statistics. `wait`: nothing was left to do but for the standard module,
   * or the thread that reads ahead, to end. `ahead`: what that thread took, beside this one. `tree`: the state trees'
   * part of `commit`.
   */
  readonly ms: Readonly<Record<'parse' | 'ahead' | 'standard' | 'commit' | 'tree' | 'wait', number>>;
  readonly receipts: readonly Receipt[] | EncodedReceipts;
}

export interface IndexOptions {
  /** The blocks after it, once they are available: work on them begins early. */
  readonly following?: Following<RawBlock>;
  /** Called with the roots before the block is stored, which is alone then. */
  readonly check?: (roots: StateRoots) => void;
  /**
   * So many blocks may be stored together in one write, with roots of the last one only, while the next ones are at
   * hand; 1 if not given. What waits is stored at the latest by {@link BlockIndexer.settle}.
   */
  readonly together?: number;
  /** Whether the block gets no undo data: see {@link CommitOptions.final}. */
  readonly final?: boolean;
  /** Whether no later block is known of. */
  readonly isTip?: boolean;
}

/** A block that the standard module is running on. */
interface StartedBlock extends VerifiedBlock {
  readonly run: Promise<StandardRun>;
}

/**
 * Takes blocks through lane and module, which run at the same time, and into the store in one atomic write each.
 *
 * While the standard module runs block h in its thread, this thread runs the parallel lane of h, and another one reads
 * and verifies blocks h + 1 and h + 2, if they are available. As soon as the module is done with h it continues with
 * h + 1, reading the writes of h from its own memory, while this thread stores h. Where several blocks are stored
 * together, the module reads the writes of all that wait; blocks of lane transactions never wait.
 */
export class BlockIndexer {
  /** The block after the last indexed one, if the module has begun to run it. */
  #started: StartedBlock | undefined;
  readonly #ahead: BlocksAhead;
  readonly #pending: PendingBlocks;

  /** `reader`: reads blocks of at least `leastBytes` ahead; without it this thread reads all. */
  constructor(
    readonly store: Store,
    readonly engine: LaneEngine,
    readonly standard: Pick<StandardIndexer, 'runBlock'>,
    reader?: BlockReader,
    leastBytes?: number,
  ) {
    this.#ahead = new BlocksAhead(reader, leastBytes);
    this.#pending = new PendingBlocks(store);
  }

  /** Stores what waits to be stored together with more. Throws StoreError. */
  settle(): void {
    this.#pending.settle();
  }

  /**
   * Indexes the block after the store's tip, or after the last one that waits to be stored. Throws InputError BLOCK_*
   * if the block is not valid or does not follow the tip, ProgramError if the standard module fails on it, StoreError,
   * what `check` throws. The store has the blocks before it then, and nothing of it.
   */
  async index(given: RawBlock, options: IndexOptions = {}): Promise<IndexedBlock> {
    try {
      return await this.#index(given, options);
    } catch (error) {
      this.settle();
      throw error;
    }
  }

  async #index(
    given: RawBlock,
    { following, check, together = 1, final = false, isTip = false }: IndexOptions,
  ): Promise<IndexedBlock> {
    const { height } = given;
    const { store } = this;
    const tip = this.#pending.last ?? store.tip();
    this.#ahead.begin(tip?.hash);
    const started = this.#takeStarted(given, tip?.hash) ?? this.#startAlone(this.#ahead.verify(given, tip?.hash));
    const { block, ahead } = started;
    const look = (): void => this.#ahead.look(following, started, tip?.height ?? -1);
    look();
    const lane = await this.engine.processBlock(block, height, {
      reader: new StoredState(store),
      storeHandle: store.handle,
      scan: ahead?.scan,
      sheets: this.#ahead.sheetsOf(started),
      isTip,
    });
    look();
    const waiting = performance.now();
    const run = await started.run;
    if (run.error) throw run.error;
    look();
    const next = await this.#ahead.next(following?.(), started);
    const wait = performance.now() - waiting - (next === undefined || next.ahead !== undefined ? 0 : next.ms);
    if (next !== undefined) this.#started = this.#start(next, 1 + this.#pending.count);
    const committing = performance.now();
    let tree = 0;
    const onTree = (ms: number): void => {
      tree = ms;
    };
    const receipts = lane.encodedReceipts ?? lane.receipts;
    const roots = this.#pending.add(
      {
        height,
        hash: block.hash,
        header: block.header,
        standardWrites: run.pairs,
        laneWrites: lane.writes,
        receipts,
        plan: lane.plan,
        ...(store.keepsAddresses && { outputs: block }),
      },
      check === undefined ? together : 1,
      { moreFollow: next !== undefined, check, final, onTree },
    );
    this.#ahead.stored({ height, hash: block.hash, writes: lane.writes });
    const commit = performance.now() - committing;
    const [parse, apart] = ahead === undefined ? [started.ms, 0] : [0, started.ms];
    const ms = { parse, ahead: apart, standard: run.ms, commit, tree, wait };
    return { height, roots, statistics: lane.statistics, ms, receipts };
  }

  /** Sets the standard module to work on a block that it was not given before. */
  #startAlone(verified: VerifiedBlock): StartedBlock {
    this.settle();
    return this.#start(verified, 0);
  }

  /**
   * Sets the standard module to work. `unstored`: so many blocks before, those that it ran last, need not be stored
   * yet.
   */
  #start(verified: VerifiedBlock, unstored: number): StartedBlock {
    // These bytes are shared with the thread of the module, not copied.
    const run = this.standard.runBlock(verified.block.raw, verified.height, unstored);
    // The awaiting code handles a rejection; if the parallel lane fails first, nothing awaits it.
    run.catch(() => undefined);
    return { ...verified, run };
  }

  /** The block that was started ahead, if it is this one and the store has become what it was started on. */
  #takeStarted({ raw, height }: RawBlock, tipHash: Uint8Array | undefined): StartedBlock | undefined {
    const started = this.#started;
    this.#started = undefined;
    if (started === undefined || started.height !== height || !bytesEqual(started.raw, raw)) return undefined;
    return bytesEqual(tipHash, started.block.previousHash) ? started : undefined;
  }
}
