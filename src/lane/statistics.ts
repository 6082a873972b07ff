/** Figures of the lane: of one block, and summed over many. */

/** What ran a transaction to its end (docs/glossary.md). */
export const EXECUTORS = ['reuse', 'gpu', 'cpu', 'sequential'] as const;
export type Executor = (typeof EXECUTORS)[number];

/**
 * Lane transactions, and their (8,8) messages by status; `malformed` counts REJECTED (docs/lane-rules.md, section 4).
 */
export interface LaneCounters {
  txs: number;
  ok: number;
  revert: number;
  trap: number;
  outOfFuel: number;
  malformed: number;
}

/** What became of the lane of one block. */
export interface LaneStatistics {
  lane: LaneCounters;
  executors: Record<Executor, number>;
  batches: number;
  colours: number;
  repaired: number;
  /** Transactions that ran with a value which was predicted, and those of them for which one was wrong. */
  predicted: number;
  mispredicted: number;
  demoted: number;
  /** Transactions that were dry-run, but not cleanly, and ran in their places for that (`--dry-run clean-only`). */
  unclean: number;
  /** Messages that the kernel punted, and per program hash how many it ran to a final status. */
  punted: number;
  /** Messages that the kernel stopped because they touched a key outside their declared set. */
  accessViolations: number;
  /** Blocks that were run one transaction at a time because their outcomes took more memory than batches are given. */
  tooLarge: number;
  /** Times the kernel failed as a whole (lost device, out of memory): the block went on on the CPU. */
  gpuFailures: number;
  /** Calls that stayed on the CPU because their kernel was still being compiled. */
  compiling: number;
  gpuRuns: Record<string, number>;
  ms: Record<string, number>;
}

/** Figures of a block of which nothing has run. */
export function emptyStatistics(): LaneStatistics {
  return {
    lane: { txs: 0, ok: 0, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 },
    executors: { reuse: 0, gpu: 0, cpu: 0, sequential: 0 },
    batches: 0,
    colours: 0,
    repaired: 0,
    predicted: 0,
    mispredicted: 0,
    demoted: 0,
    unclean: 0,
    punted: 0,
    accessViolations: 0,
    tooLarge: 0,
    gpuFailures: 0,
    compiling: 0,
    gpuRuns: {},
    ms: {},
  };
}

/** Adds the time since `started` to phase `name`. */
export function addMs(statistics: LaneStatistics, name: string, started: number): void {
  statistics.ms[name] = (statistics.ms[name] ?? 0) + performance.now() - started;
}

/** Adds the figures of one block to the run's. */
export class StatisticsSum {
  readonly lane = { txs: 0, ok: 0, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 };
  readonly executors = { reuse: 0, gpu: 0, cpu: 0, sequential: 0 };
  batches = 0;
  colours = 0;
  repaired = 0;
  predicted = 0;
  mispredicted = 0;
  demoted = 0;
  unclean = 0;
  punted = 0;
  gpuFailures = 0;
  accessViolations = 0;
  tooLarge = 0;
  compiling = 0;
  readonly gpuRuns: Record<string, number> = {};
  readonly ms: Record<string, number> = {};

  add(s: LaneStatistics): void {
    addStatistics(this, s);
  }

  addMs(phase: string, ms: number): void {
    this.ms[phase] = (this.ms[phase] ?? 0) + ms;
  }
}

/** Adds figures of `from` to `into`. */
export function addStatistics(into: LaneStatistics, from: LaneStatistics): void {
  addEach(into.lane, from.lane);
  addEach(into.executors, from.executors);
  addEach(into.gpuRuns, from.gpuRuns);
  addEach(into.ms, from.ms);
  into.batches += from.batches;
  into.colours += from.colours;
  into.repaired += from.repaired;
  into.predicted += from.predicted;
  into.mispredicted += from.mispredicted;
  into.demoted += from.demoted;
  into.unclean += from.unclean;
  into.punted += from.punted;
  into.gpuFailures += from.gpuFailures;
  into.accessViolations += from.accessViolations;
  into.tooLarge += from.tooLarge;
  into.compiling += from.compiling;
}

function addEach<T extends { [K in keyof T]: number }>(into: T, from: T): void {
  for (const key of Object.keys(from) as (keyof T)[]) {
    into[key] = ((into[key] ?? 0) + from[key]) as T[keyof T];
  }
}
