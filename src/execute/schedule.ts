/** Phase 2, the batches: colour after colour, each transaction goes to reuse, the kernel or the CPU. */
import type { GpuLane } from '../gpu/types.js';
import type { LaneContext } from '../lane/message.js';
import type { LaneTransaction } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { Executor, LaneKey, LaneOutcome, LaneStatistics } from '../lane/types.js';
import type { DryRun } from './block-tasks.js';
import { type CpuRunner, driveOnCpu } from './drive.js';
import { accessSetOf, FEWEST_FOR_WORKERS } from './dry-run.js';
import { type GpuCandidate, runGpuBatch } from './gpu-batch.js';
import { sawTheTruth } from './validate.js';
import type { Versions } from './versions.js';
import type { WorkerPool } from './worker-pool.js';

/**
 * `sequential`: the truth, nothing else. `cpu`: reuse, else workers. `gpu`: every contract call to the kernel, nothing reused.
 * `auto`: reuse where it holds; else the kernel where a hardware GPU is there and a colour holds at least
 * {@link AUTO_GPU_WIDTH} calls of one program; else the CPU.
 */
export type Policy = 'sequential' | 'cpu' | 'gpu' | 'auto';

/** Below this many calls of one program a launch costs more than V8 needs for all of them. */
export const AUTO_GPU_WIDTH = 256;

export interface ScheduledTransaction {
  readonly outcome: LaneOutcome;
  readonly executor: Executor;
}

/** What the batches of one block work with. */
export interface Batches {
  readonly policy: Policy;
  readonly transactions: readonly LaneTransaction[];
  readonly context: LaneContext;
  readonly versions: Versions;
  readonly runner: CpuRunner;
  readonly pool: WorkerPool | undefined;
  readonly gpu: GpuLane | undefined;
  /** By position; undefined for demoted transactions. */
  readonly dryRuns: readonly (DryRun | undefined)[];
  readonly statistics: LaneStatistics;
  /** Called when the kernel failed as a whole; it is not used again for this block. */
  readonly onGpuFailure: (error: unknown) => void;
}

/** Runs `colours` (positions per colour, in order). Returns what ran, by position; all their writes are in `versions`. */
export async function runColours(
  colours: readonly (readonly number[])[],
  batches: Batches,
): Promise<(ScheduledTransaction | undefined)[]> {
  const scheduled = new Array<ScheduledTransaction | undefined>(batches.transactions.length).fill(undefined);
  let gpu = batches.gpu;
  for (const positions of colours) {
    const done: [number, ScheduledTransaction][] = [];
    const route = routeColour(positions, batches, gpu);
    for (const [position, outcome] of route.reuse) done.push([position, { outcome, executor: 'reuse' }]);
    const onCpu = [...route.cpu];
    if (route.gpu.length > 0 && gpu !== undefined) {
      const declined = await gpuColour(route.gpu, gpu, batches, done, () => {
        gpu = undefined;
      });
      onCpu.push(...declined);
    }
    const started = performance.now();
    const outcomes = await cpuColour(onCpu, batches);
    addMs(batches.statistics, 'cpu', started);
    if (onCpu.length > 0) batches.statistics.batches++;
    onCpu.forEach((position, i) => {
      done.push([position, { outcome: outcomes[i], executor: 'cpu' }]);
    });
    // Only now: within a colour nobody sees another's writes.
    for (const [position, result] of done) {
      scheduled[position] = result;
      batches.versions.put(position, result.outcome.writes);
    }
  }
  return scheduled;
}

/** Adds the time since `started` to phase `name`. */
export function addMs(statistics: LaneStatistics, name: string, started: number): void {
  statistics.ms[name] = (statistics.ms[name] ?? 0) + performance.now() - started;
}

interface Route {
  readonly reuse: readonly [number, LaneOutcome][];
  readonly gpu: readonly number[];
  readonly cpu: readonly number[];
}

function routeColour(positions: readonly number[], batches: Batches, gpu: GpuLane | undefined): Route {
  const { policy, dryRuns, versions } = batches;
  const reuse: [number, LaneOutcome][] = [];
  const rest: number[] = [];
  for (const position of positions) {
    const dryRun = dryRuns[position] as DryRun;
    if (policy !== 'gpu' && !dryRun.askedDryRun && sawTheTruth(dryRun.outcome, position, versions)) {
      reuse.push([position, dryRun.outcome]);
    } else rest.push(position);
  }
  if (gpu === undefined || policy === 'cpu' || (policy === 'auto' && gpu.adapter.software)) {
    return { reuse, gpu: [], cpu: rest };
  }
  const calls = new Map<string, number>();
  for (const position of rest) {
    const hash = dryRuns[position]?.firstCall?.programHash;
    if (hash !== undefined) calls.set(hash, (calls.get(hash) ?? 0) + 1);
  }
  const least = policy === 'gpu' ? 1 : AUTO_GPU_WIDTH;
  const isForGpu = (position: number): boolean => {
    const hash = dryRuns[position]?.firstCall?.programHash;
    return hash !== undefined && (calls.get(hash) as number) >= least;
  };
  return { reuse, gpu: rest.filter(isForGpu), cpu: rest.filter((position) => !isForGpu(position)) };
}

/** Runs the kernel batch; gives the positions that the CPU must take over. */
async function gpuColour(
  positions: readonly number[],
  gpu: GpuLane,
  { transactions, context, versions, runner, dryRuns, statistics, onGpuFailure }: Batches,
  done: [number, ScheduledTransaction][],
  stopUsing: () => void,
): Promise<readonly number[]> {
  const started = performance.now();
  const candidates = positions.flatMap((position): GpuCandidate[] => {
    const firstCall = dryRuns[position]?.firstCall;
    const run = laneTransaction(transactions[position], context, versions.before(position));
    return firstCall === undefined ? [] : [{ position, run, firstCall }];
  });
  const result = await runGpuBatch(candidates, gpu, runner);
  addMs(statistics, 'gpu', started);
  statistics.batches++;
  statistics.punted += result.punted;
  statistics.accessViolations += result.accessViolations;
  for (const [hash, count] of Object.entries(result.gpuRuns)) {
    statistics.gpuRuns[hash] = (statistics.gpuRuns[hash] ?? 0) + count;
  }
  for (const { position, outcome, ranOnGpu } of result.done) {
    done.push([position, { outcome, executor: ranOnGpu ? 'gpu' : 'cpu' }]);
  }
  if (result.failure !== undefined) {
    statistics.gpuFailures++;
    stopUsing();
    onGpuFailure(result.failure);
  }
  return result.declined;
}

async function cpuColour(positions: readonly number[], batches: Batches): Promise<LaneOutcome[]> {
  const { pool, transactions, context, versions, runner } = batches;
  if (pool === undefined || positions.length < FEWEST_FOR_WORKERS) {
    return positions.map((position) =>
      driveOnCpu(laneTransaction(transactions[position], context, versions.before(position)), runner),
    );
  }
  return pool.execute(positions.map((position) => ({ position, overrides: overridesOf(position, batches) })));
}

/**
 * The values that a worker cannot know: keys of the plan that this block has written. A key outside the plan is read as it
 * was before the block, and if that is stale, validation finds it.
 */
function overridesOf(position: number, { dryRuns, versions }: Batches): Map<LaneKey, Uint8Array | undefined> {
  const overrides = new Map<LaneKey, Uint8Array | undefined>();
  const { reads, writes } = accessSetOf(dryRuns[position] as DryRun);
  for (const key of [...reads, ...writes]) {
    if (versions.isWrittenBefore(key, position)) overrides.set(key, versions.get(key, position));
  }
  return overrides;
}
