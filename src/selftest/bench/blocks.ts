/**
 * Whole blocks, from their bytes until they are stored, under every policy, over a store as `replay` has it; and the
 * bare calls of their contracts beside them.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import { POLICIES, type Policy } from '../../lane/policy.js';
import type { LaneBlockResult } from '../../lane/types.js';
import { summarise } from '../../plan/plan.js';
import { ProgramRunner } from '../../program/runner.js';
import { Store } from '../../store/store.js';
import { BareCalls } from './bare-calls.js';
import { BlockSide, type EngineParts, type Way, type WayFigures } from './block-side.js';
import {
  buildWorkload,
  contended,
  WORKLOADS,
  type Workload,
  type WorkloadBlock,
  type WorkloadName,
} from './block-workloads.js';
import { countDifferences } from './compare-blocks.js';
import { type BenchRun, benchRun } from './machine.js';
import { type Spread, spreadOf } from './spread.js';

export interface BlockBenchOptions {
  /** Numbers of lane transactions per block. */
  readonly counts: readonly number[];
  /** Rounds measured, after some that are discarded. */
  readonly rounds: number;
  /** Engines of `auto` that begin knowing nothing, for their first blocks. */
  readonly starts: number;
  /** Worker threads of each policy but `sequential`; the engine's own choice if not given. */
  readonly workers?: number;
  /** Without it the policies `gpu` and `balance` are not measured. */
  readonly gpu?: GpuExecutor;
  /** Policies to compare with `sequential`. */
  readonly policies: readonly Policy[];
  readonly onProgress: (line: string) => void;
}

/** How `auto` does; all ratios are speeds: above 1, `auto` is the faster one. */
export interface AutoFigures {
  /** Over the policy whose median is the best, in the same round, from the engine's third block on. */
  readonly overBest: Spread;
  /** The first blocks of new engines, over those of new ones of `sequential`: block by block, medians over engines. */
  readonly overSequentialFirst: readonly number[];
}

export interface BlockRow {
  readonly workload: string;
  readonly count: number;
  readonly colours: number;
  /** Milliseconds of the block's contract calls alone, one after the other. */
  readonly bare: Spread;
  readonly ways: readonly WayFigures[];
  /** Undefined where `auto` is not measured. */
  readonly auto: AutoFigures | undefined;
  /** Speed of `balance` over that of the better one of `cpu` and `gpu`, as `overBest`; undefined where not measured. */
  readonly balance: Spread | undefined;
  /** Writes and receipts, of all rounds, that are not those of `sequential`. */
  readonly differences: number;
}

export interface BlockReport extends BenchRun {
  readonly format: 'warpshrew-blocks-1' | 'warpshrew-contention-1';
  readonly rows: readonly BlockRow[];
}

/** Transactions of each thread that warm an engine up: V8 compiles anew for every one of them, costs are learned. */
const WARM_TRANSACTIONS = 6_000;
const MOST_WARM_ROUNDS = 20;
/** Heavy calls are compiled after fewer of them; all threads have a few of V8's in common, which compile for them. */
const ENOUGH_WARM_MS = 6_000;
const WARM_MS_A_THREAD = 1_500;
/** `auto` must have chosen by its third block. */
const LEAST_WARM_ROUNDS = 3;
const FIRST_BLOCKS = 3;

/** Per cent of the calls that change the one hot counter. */
const CONTENTION = [0, 10, 30, 100];

/** Measures `workloads` (after `npm run build`) at every count. */
export async function benchBlocks(
  workloads: readonly WorkloadName[],
  options: BlockBenchOptions,
): Promise<BlockReport> {
  const ways = waysOf(options, [true]);
  return benchAll(
    workloads.map((name) => [name, WORKLOADS[name]]),
    ways,
    options,
  );
}

/** Calls of which some change one hot counter: light and heavy ones, with predicted reads and without. */
export async function benchContention(options: BlockBenchOptions): Promise<BlockReport> {
  const workloads = (['light', 'heavy'] as const).flatMap((calls) =>
    CONTENTION.map((percent) => [`${calls} ${percent} %`, contended(calls, percent)] as const),
  );
  const report = await benchAll(workloads, waysOf(options, [true, false]), options);
  return { ...report, format: 'warpshrew-contention-1' };
}

/** `sequential` comes first. */
function waysOf({ policies, gpu }: BlockBenchOptions, predictReads: readonly boolean[]): Way[] {
  const measured = POLICIES.filter(
    (policy) => policies.includes(policy) && (gpu !== undefined || (policy !== 'gpu' && policy !== 'balance')),
  );
  const parallel = measured.filter((policy) => policy !== 'sequential');
  return [
    { policy: 'sequential', predictReads: true },
    ...parallel.flatMap((policy) => predictReads.map((predicts): Way => ({ policy, predictReads: predicts }))),
  ];
}

async function benchAll(
  workloads: readonly (readonly [name: string, workload: Workload])[],
  ways: readonly Way[],
  options: BlockBenchOptions,
): Promise<BlockReport> {
  const rows: BlockRow[] = [];
  for (const [name, workload] of workloads) {
    for (const count of options.counts) {
      const row = await benchWays(buildWorkload(name, workload, count), count, ways, options);
      rows.push(row);
      const times = row.ways.map((way) => `${way.policy}${way.predictReads ? '' : ' unpredicted'} ${way.wall.median}`);
      options.onProgress(`${name} ${count}: ms ${times.join(', ')}; ${row.differences} differences`);
    }
  }
  return blockReport(rows, options);
}

/** What was measured, with where and when. */
export function blockReport(rows: readonly BlockRow[], { gpu }: Pick<BlockBenchOptions, 'gpu'>): BlockReport {
  return { format: 'warpshrew-blocks-1', ...benchRun(gpu), rows };
}

/** Measures one block of `count` transactions. */
export function benchBlock(workload: WorkloadBlock, count: number, options: BlockBenchOptions): Promise<BlockRow> {
  return benchWays(workload, count, waysOf(options, [true]), options);
}

async function benchWays(
  workload: WorkloadBlock,
  count: number,
  ways: readonly Way[],
  options: BlockBenchOptions,
): Promise<BlockRow> {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-bench-'));
  const store = await storeOf(workload, join(folder, 'db'));
  const parts: EngineParts = { gpu: options.gpu, workers: options.workers };
  const sides = ways.map((way) => new BlockSide(way, workload, store, parts));
  const [sequential] = sides;
  const calls = new BareCalls(workload, new ProgramRunner());
  const bare: number[] = [];
  const tally = new Tally();
  try {
    for (const program of workload.programs) await options.gpu?.prepare(program);
    const threads = Math.max(1, options.workers ?? availableParallelism() - 1);
    const warming = WARM_TRANSACTIONS * threads;
    const enoughMs = Math.max(ENOUGH_WARM_MS, WARM_MS_A_THREAD * threads);
    const warm = Math.min(MOST_WARM_ROUNDS, Math.max(LEAST_WARM_ROUNDS, Math.ceil(warming / count)));
    const begun = performance.now();
    for (let round = -warm; round < options.rounds; round++) {
      const started = performance.now();
      if (round < 0 && round >= LEAST_WARM_ROUNDS - warm && started - begun > enoughMs) round = 0;
      calls.run();
      if (round >= 0) bare.push(performance.now() - started);
      await tally.runAll(sides, round + warm, round >= 0);
    }
    const auto = sides.find(({ way }) => way.policy === 'auto' && way.predictReads);
    const balance = sides.find(({ way }) => way.policy === 'balance' && way.predictReads);
    const either = sides.filter(({ way }) => way.predictReads && ['cpu', 'gpu'].includes(way.policy));
    const overSequentialFirst =
      auto === undefined
        ? []
        : await firstBlocks(
            options.starts,
            ({ way }) => new BlockSide(way, workload, store, parts),
            [sequential, auto],
            tally,
          );
    return {
      workload: workload.name,
      count,
      colours: tally.colours,
      bare: spreadOf(bare),
      ways: sides.map((side) => side.figures(count, bare, sequential.wall)),
      auto: auto && { overBest: overBest(auto, sides), overSequentialFirst },
      balance: balance && either.length > 0 ? overBest(balance, either) : undefined,
      differences: tally.differences,
    };
  } finally {
    for (const side of sides) await side.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs all sides of a round, and compares what they give. */
class Tally {
  differences = 0;
  colours = 0;

  /** The first of `sides` is the truth. */
  async runAll(sides: readonly BlockSide[], round: number, keep: boolean): Promise<void> {
    const results = new Map<BlockSide, LaneBlockResult>();
    for (const side of inTurn(sides, round)) {
      const result = await side.run(keep);
      results.set(side, result);
      this.colours = Math.max(this.colours, result.statistics.colours);
    }
    const truth = results.get(sides[0]);
    for (const result of results.values()) if (truth !== undefined) this.differences += countDifferences(truth, result);
  }
}

/**
 * The first blocks of `starts` new engines of each of `sides`, `sequential` and `auto`: medians of the ratio, block by
 * block. Both compile the programs anew.
 */
async function firstBlocks(
  starts: number,
  start: (side: BlockSide) => BlockSide,
  sides: readonly BlockSide[],
  tally: Tally,
): Promise<number[]> {
  const ratios = Array.from({ length: FIRST_BLOCKS }, (): number[] => []);
  for (let n = 0; n < starts; n++) {
    const started = sides.map(start);
    try {
      for (let block = 0; block < FIRST_BLOCKS; block++) {
        await tally.runAll(started, n + block, false);
        const [sequential, auto] = started.map(({ blocks }) => blocks[block].ms);
        ratios[block].push(sequential / auto);
      }
    } finally {
      for (const side of started) await side.close();
    }
  }
  return ratios.map((list) => spreadOf(list).median);
}

/** Speed over that of the side with the best median. Sides have run the same rounds. */
function overBest(one: BlockSide, sides: readonly BlockSide[]): Spread {
  const late = ({ blocks }: BlockSide): number[] =>
    blocks.slice(FIRST_BLOCKS - 1, one.blocks.length).map(({ ms }) => ms);
  const [best] = [...sides].sort((a, b) => spreadOf(late(a)).median - spreadOf(late(b)).median);
  const own = late(one);
  return spreadOf(late(best).map((ms, round) => ms / own[round]));
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
