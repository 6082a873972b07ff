import { performance } from 'node:perf_hooks';
import { parseBlock } from '../bitcoin/parse-block.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import type { LaneEngine } from '../execute/engine.js';
import { StoredState } from '../execute/stored-state.js';
import type { LaneStatistics } from '../lane/types.js';
import type { StandardLane } from '../standard/lane.js';
import type { Store } from '../store/store.js';
import type { StateRoots } from '../store/types.js';

/** What became of one block. */
export interface IndexedBlock {
  readonly roots: StateRoots;
  readonly statistics: LaneStatistics;
  /** Milliseconds by phase, beside those of the statistics. */
  readonly ms: Readonly<Record<'parse' | 'standard' | 'commit', number>>;
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
    const { store, engine, standard } = this;
    const started = performance.now();
    const block = parseBlock(raw);
    verifyBlock(block, { previousHash: store.tip()?.hash });
    const parsed = performance.now();
    const [lane, run] = await Promise.all([
      engine.processBlock(block, height, { reader: new StoredState(store), storeHandle: store.handle }),
      standard.runBlock(raw, height),
    ]);
    if (run.error) throw run.error;
    const committing = performance.now();
    const roots = store.commitBlock({
      height,
      hash: block.hash,
      header: block.header,
      standardWrites: run.pairs,
      laneWrites: lane.writes,
      receipts: lane.receipts,
      plan: lane.plan,
    });
    const ms = { parse: parsed - started, standard: run.ms, commit: performance.now() - committing };
    return { roots, statistics: lane.statistics, ms };
  }
}
