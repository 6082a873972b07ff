/** One way of running the blocks of a benchmark, and what was measured of it. */
import { BlockOffsets } from '../../bitcoin/block-offsets.js';
import type { BlockMode } from '../../execute/choose/block-mode.js';
import { LaneEngine, type StateSource } from '../../execute/engine.js';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Policy } from '../../lane/policy.js';
import type { Executor, LaneStatistics } from '../../lane/statistics.js';
import type { LaneBlockResult } from '../../lane/types.js';
import type { Store } from '../../store/store.js';
import { StoredState } from '../../store/stored-state.js';
import type { WorkloadBlock } from './block-workloads.js';
import { HeapWatch } from './heap-watch.js';
import { type Spread, spreadOf } from './spread.js';

/** A way of running blocks. */
export interface Way {
  readonly policy: Policy;
  /** Whether reads of hot keys are predicted. */
  readonly predictReads: boolean;
}

export interface EngineParts {
  readonly gpu?: GpuExecutor;
  readonly workers?: number;
}

/** How a block ran: on the engine's own thread, on the workers as well, or with the kernel. */
export interface BlockTime {
  readonly ms: number;
  readonly mode: BlockMode;
}

/** How one way did on one block. */
export interface WayFigures extends Way {
  /** Milliseconds from the block's bytes until it is stored (not yet brought to the disk). */
  readonly wall: Spread;
  /** The same of every block since the engine began, and how each ran. */
  readonly blocks: readonly BlockTime[];
  readonly perSecond: number;
  /** Speed over that of `sequential` in the same round: above 1 is faster. */
  readonly speedUp: Spread;
  /** Processor microseconds of all threads per transaction. */
  readonly cpuMicroseconds: Spread;
  /** Microseconds per transaction beyond its bare call: what the host takes if one thread does all. */
  readonly hostMicroseconds: Spread;
  /** Of the engine's thread: bytes allocated on V8's heap per transaction, and per cent of the wall time collecting. */
  readonly heapBytes: Spread;
  readonly gcPercent: Spread;
  /** Medians of the phases, milliseconds. */
  readonly ms: Readonly<Record<string, number>>;
  /** Transactions by what ran them, in the last round. */
  readonly executors: Readonly<Record<Executor, number>>;
  readonly repaired: number;
  /** Those of them that ran with predicted values, and those for which one was wrong. */
  readonly predicted: number;
  readonly mispredicted: number;
}

/** An engine over the store of a workload. Every block is taken back after it was stored. */
export class BlockSide {
  /** Milliseconds of every block that is measured. */
  readonly wall: number[] = [];
  /** Every block since the engine began. */
  readonly blocks: BlockTime[] = [];
  readonly #cpu: number[] = [];
  readonly #heap: number[] = [];
  readonly #gc: number[] = [];
  readonly #ms: Record<string, number[]> = {};
  readonly #engine: LaneEngine;
  #last: LaneBlockResult | undefined;

  constructor(
    readonly way: Way,
    readonly workload: WorkloadBlock,
    readonly store: Store,
    parts: EngineParts,
  ) {
    const { policy, predictReads } = way;
    const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
    this.#engine = new LaneEngine({ policy, predictReads, ...parts, waitForKernels: true, ...rules });
  }

  /** Runs the block; `keep`: it is one of those that are measured. */
  async run(keep: boolean): Promise<LaneBlockResult> {
    const { store, workload } = this;
    const state: StateSource = { reader: new StoredState(store), storeHandle: store.handle };
    const heap = new HeapWatch();
    const usage = process.cpuUsage();
    const started = performance.now();
    const block = BlockOffsets.read(workload.raw, workload.raw.length);
    const parsed = performance.now();
    const result = await this.#engine.processBlock(block, 1, state);
    const processed = performance.now();
    const { writes: laneWrites, plan } = result;
    const receipts = result.encodedReceipts ?? result.receipts;
    store.commitBlock(
      { height: 1, hash: block.hash, header: block.header, standardWrites: new Map(), laneWrites, receipts, plan },
      { moreFollow: true },
    );
    const stored = performance.now();
    const { user, system } = process.cpuUsage(usage);
    const { bytes, gcMs } = heap.end();
    store.rollback(0);
    this.#last = result;
    this.blocks.push({ ms: Number((stored - started).toFixed(3)), mode: modeOf(result.statistics) });
    if (!keep) return result;
    this.wall.push(stored - started);
    this.#cpu.push((user + system) / block.count);
    this.#heap.push(bytes / block.count);
    this.#gc.push((100 * gcMs) / (stored - started));
    this.#keepPhases({ parse: parsed - started, ...result.statistics.ms, commit: stored - processed });
    return result;
  }

  /** `bare` and `sequential`: milliseconds by round of the bare calls, and of the block under that policy. */
  figures(count: number, bare: readonly number[], sequential: readonly number[]): WayFigures {
    const wall = spreadOf(this.wall);
    return {
      ...this.way,
      wall,
      blocks: this.blocks,
      perSecond: Math.round(count / (wall.median / 1000)),
      speedUp: spreadOf(this.wall.map((ms, round) => sequential[round] / ms)),
      cpuMicroseconds: spreadOf(this.#cpu),
      hostMicroseconds: spreadOf(this.wall.map((ms, round) => ((ms - bare[round]) * 1000) / count)),
      heapBytes: spreadOf(this.#heap),
      gcPercent: spreadOf(this.#gc),
      ms: Object.fromEntries(Object.entries(this.#ms).map(([phase, list]) => [phase, spreadOf(list).median])),
      executors: this.#last?.statistics.executors ?? { reuse: 0, gpu: 0, cpu: 0, sequential: 0 },
      repaired: this.#last?.statistics.repaired ?? 0,
      predicted: this.#last?.statistics.predicted ?? 0,
      mispredicted: this.#last?.statistics.mispredicted ?? 0,
    };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #keepPhases(phases: Readonly<Record<string, number>>): void {
    const rounds = this.wall.length;
    for (const [phase, ms] of Object.entries(phases)) {
      // A phase that a round did not have took no time in it.
      this.#ms[phase] ??= new Array<number>(rounds - 1).fill(0);
      this.#ms[phase].push(ms);
    }
    for (const list of Object.values(this.#ms)) if (list.length < rounds) list.push(0);
  }
}

function modeOf({ executors }: LaneStatistics): BlockMode {
  if (executors.gpu > 0) return 'kernel';
  return executors.sequential > 0 ? 'sequential' : 'workers';
}
