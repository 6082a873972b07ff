/**
 * Whole blocks, from their bytes until they are stored, under every policy, over a store as `replay` has it; and the
 * bare calls of their contracts beside them.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { LaneEngine, type StateSource } from '../../execute/engine.js';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Policy } from '../../lane/policy.js';
import type { Executor } from '../../lane/statistics.js';
import type { LaneBlockResult } from '../../lane/types.js';
import { summarise } from '../../plan/plan.js';
import { ProgramRunner } from '../../program/runner.js';
import { Store } from '../../store/store.js';
import { StoredState } from '../../store/stored-state.js';
import { BareCalls } from './bare-calls.js';
import type { WorkloadName } from './block-messages.js';
import { makeWorkload, type WorkloadBlock } from './block-workloads.js';
import { countDifferences } from './compare-blocks.js';
import { HeapWatch } from './heap-watch.js';
import { type Spread, spreadOf } from './spread.js';

export interface BlockBenchOptions {
  readonly workloads: readonly WorkloadName[];
  /** Numbers of lane transactions per block. */
  readonly counts: readonly number[];
  /** Rounds measured, after some that are discarded. */
  readonly rounds: number;
  /** Worker threads of each policy but `sequential`; the engine's own choice if not given. */
  readonly workers?: number;
  /** Without it only `sequential` and `cpu` are measured. */
  readonly gpu?: GpuExecutor;
  /** Policies to compare with `sequential`. */
  readonly policies: readonly Policy[];
  readonly onProgress: (line: string) => void;
}

/** How one policy did on one block. */
export interface PolicyFigures {
  readonly policy: Policy;
  /** Milliseconds from the block's bytes until it is stored (not yet brought to the disk). */
  readonly wall: Spread;
  readonly perSecond: number;
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
}

export interface BlockRow {
  readonly workload: WorkloadName;
  readonly count: number;
  readonly colours: number;
  /** Milliseconds of the block's contract calls alone, one after the other. */
  readonly bare: Spread;
  readonly policies: readonly PolicyFigures[];
  /** Speed over that of `sequential` in the same round: above 1 is faster. */
  readonly speedUp: Readonly<Partial<Record<Policy, Spread>>>;
  /** Writes and receipts, of all rounds, that are not those of `sequential`. */
  readonly differences: number;
}

export interface BlockReport {
  readonly adapter: GpuExecutor['adapter'] | undefined;
  readonly rows: readonly BlockRow[];
}

/** Transactions that warm an engine up: its workers compile, the costs are learned. */
const WARM_TRANSACTIONS = 4_000;
const MOST_WARM_ROUNDS = 20;
/** `auto` tries either way of running a block three times before it prefers one. */
const LEAST_WARM_ROUNDS = 7;

/** Measures `options.workloads` (after `npm run build`) at every count. */
export async function benchBlocks(options: BlockBenchOptions): Promise<BlockReport> {
  const rows: BlockRow[] = [];
  for (const name of options.workloads) {
    for (const count of options.counts) {
      const row = await benchBlock(makeWorkload(name, count), count, options);
      rows.push(row);
      const times = row.policies.map(({ policy, wall }) => `${policy} ${wall.median}`);
      options.onProgress(`${name} ${count}: ms ${times.join(', ')}; ${row.differences} differences`);
    }
  }
  return { adapter: options.gpu?.adapter, rows };
}

async function benchBlock(workload: WorkloadBlock, count: number, options: BlockBenchOptions): Promise<BlockRow> {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-bench-'));
  const store = await storeOf(workload, join(folder, 'db'));
  const { gpu, workers } = options;
  const policies = (['sequential', 'cpu', 'auto', 'gpu'] as const).filter(
    (policy) =>
      policy === 'sequential' || (options.policies.includes(policy) && (gpu !== undefined || policy === 'cpu')),
  );
  const sides = policies.map((policy) => new Side(policy, workload, store, { gpu, workers }));
  const calls = new BareCalls(workload, new ProgramRunner());
  const bare: number[] = [];
  let differences = 0;
  let colours = 0;
  try {
    await gpu?.prepare(workload.program);
    const warm = Math.min(MOST_WARM_ROUNDS, Math.max(LEAST_WARM_ROUNDS, Math.ceil(WARM_TRANSACTIONS / count)));
    for (let round = -warm; round < options.rounds; round++) {
      const started = performance.now();
      calls.run();
      if (round >= 0) bare.push(performance.now() - started);
      let truth: LaneBlockResult | undefined;
      const results = new Map<Policy, LaneBlockResult>();
      for (const side of inTurn(sides, round + warm)) {
        const result = await side.run(round >= 0);
        results.set(side.policy, result);
        if (side.policy === 'sequential') truth = result;
        colours = Math.max(colours, result.statistics.colours);
      }
      for (const result of results.values()) if (truth !== undefined) differences += countDifferences(truth, result);
    }
  } finally {
    for (const side of sides) await side.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const [sequential, ...others] = sides;
  const speedUp: Partial<Record<Policy, Spread>> = {};
  for (const { policy, wall } of others)
    speedUp[policy] = spreadOf(wall.map((ms, round) => sequential.wall[round] / ms));
  return {
    workload: workload.name,
    count,
    colours,
    bare: spreadOf(bare),
    policies: sides.map((side) => side.figures(count, bare)),
    speedUp,
    differences,
  };
}

/**
 * Another one goes first in each round, and every other round goes backwards: what one leaves to the next falls on
 * all alike.
 */
function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = round % all.length;
  const order = [...all.slice(first), ...all.slice(0, first)];
  return round % 2 === 0 ? order : order.reverse();
}

/** A store with the workload's state after block 0. */
async function storeOf({ state }: WorkloadBlock, dir: string): Promise<Store> {
  const store = await Store.open(dir, { network: 'regtest', moduleHash: '00'.repeat(32) });
  store.commitBlock({
    height: 0,
    hash: new Uint8Array(32),
    header: new Uint8Array(80),
    standardWrites: new Map(),
    laneWrites: state,
    receipts: [],
    plan: summarise(0, 0, 0, undefined),
  });
  return store;
}

/** One policy's engine and its measurements. */
class Side {
  readonly wall: number[] = [];
  readonly #cpu: number[] = [];
  readonly #heap: number[] = [];
  readonly #gc: number[] = [];
  readonly #ms: Record<string, number[]> = {};
  readonly #engine: LaneEngine;
  #last: LaneBlockResult | undefined;

  constructor(
    readonly policy: Policy,
    readonly workload: WorkloadBlock,
    readonly store: Store,
    { gpu, workers }: Pick<BlockBenchOptions, 'gpu' | 'workers'>,
  ) {
    this.#engine = new LaneEngine({
      policy,
      workers,
      gpu,
      waitForKernels: true,
      laneStartHeight: 0,
      dependent: 'demote',
    });
  }

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
    if (!keep) return result;
    this.wall.push(stored - started);
    this.#cpu.push((user + system) / block.count);
    this.#heap.push(bytes / block.count);
    this.#gc.push((100 * gcMs) / (stored - started));
    const phases = { parse: parsed - started, ...result.statistics.ms, commit: stored - processed };
    const rounds = this.wall.length;
    for (const [phase, ms] of Object.entries(phases)) {
      // A phase that a round did not have took no time in it.
      this.#ms[phase] ??= new Array<number>(rounds - 1).fill(0);
      this.#ms[phase].push(ms);
    }
    for (const list of Object.values(this.#ms)) if (list.length < rounds) list.push(0);
    return result;
  }

  /** `bare`: milliseconds of the bare calls, by round. */
  figures(count: number, bare: readonly number[]): PolicyFigures {
    const wall = spreadOf(this.wall);
    return {
      policy: this.policy,
      wall,
      perSecond: Math.round(count / (wall.median / 1000)),
      cpuMicroseconds: spreadOf(this.#cpu),
      hostMicroseconds: spreadOf(this.wall.map((ms, round) => ((ms - bare[round]) * 1000) / count)),
      heapBytes: spreadOf(this.#heap),
      gcPercent: spreadOf(this.#gc),
      ms: Object.fromEntries(Object.entries(this.#ms).map(([phase, list]) => [phase, spreadOf(list).median])),
      executors: this.#last?.statistics.executors ?? { reuse: 0, gpu: 0, cpu: 0, sequential: 0 },
      repaired: this.#last?.statistics.repaired ?? 0,
    };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
