/** Figures of the lane: of one block, and summed over many. */
import { addDistributions, type Distributions } from './distribution.js';
import { addNotes, type TransactionNotes } from './notes.js';

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
  /** Batches of one program that threads and kernel have divided. */
  splits: number;
  colours: number;
  repaired: number;
  /** Transactions that ran with a value which was predicted, and those of them for which one was wrong. */
  predicted: number;
  mispredicted: number;
  /** Reads of a predicted value that is not the one before the block, and those of them for which it was wrong. */
  predictedReads: number;
  mispredictedReads: number;
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
  /** Milliseconds that the device was busy, from the first command of a segment until its results were there. */
  gpuMs: number;
  /** Bytes that went to the device, and that came back. */
  gpuBytesUp: number;
  gpuBytesDown: number;
  /**
   * Seconds that transactions took, by executor: of one in 16 that ran in turn (`sequential`), or in a dry run or a
   * batch on a thread (`workers`); of each call of the kernel (`kernel`) its share of what its segment took.
   */
  seconds: Distributions;
  /** Transactions of each batch, by executor. */
  widths: Distributions;
  ms: Record<string, number>;
  /** Not kept if undefined. */
  notes?: TransactionNotes | undefined;
}

/** Figures of a block of which nothing has run. */
export function emptyStatistics(): LaneStatistics {
  return {
    lane: { txs: 0, ok: 0, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 },
    executors: { reuse: 0, gpu: 0, cpu: 0, sequential: 0 },
    batches: 0,
    splits: 0,
    colours: 0,
    repaired: 0,
    predicted: 0,
    mispredicted: 0,
    predictedReads: 0,
    mispredictedReads: 0,
    demoted: 0,
    unclean: 0,
    punted: 0,
    accessViolations: 0,
    tooLarge: 0,
    gpuFailures: 0,
    compiling: 0,
    gpuRuns: {},
    gpuMs: 0,
    gpuBytesUp: 0,
    gpuBytesDown: 0,
    seconds: {},
    widths: {},
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
  splits = 0;
  colours = 0;
  repaired = 0;
  predicted = 0;
  mispredicted = 0;
  predictedReads = 0;
  mispredictedReads = 0;
  demoted = 0;
  unclean = 0;
  punted = 0;
  gpuFailures = 0;
  accessViolations = 0;
  tooLarge = 0;
  compiling = 0;
  readonly gpuRuns: Record<string, number> = {};
  gpuMs = 0;
  gpuBytesUp = 0;
  gpuBytesDown = 0;
  readonly seconds: Distributions = {};
  readonly widths: Distributions = {};
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
  addDistributions(into.seconds, from.seconds);
  addDistributions(into.widths, from.widths);
  if (into.notes !== undefined && from.notes !== undefined) addNotes(into.notes, from.notes);
  into.batches += from.batches;
  into.splits += from.splits;
  into.colours += from.colours;
  into.repaired += from.repaired;
  into.predicted += from.predicted;
  into.mispredicted += from.mispredicted;
  into.predictedReads += from.predictedReads;
  into.mispredictedReads += from.mispredictedReads;
  into.demoted += from.demoted;
  into.unclean += from.unclean;
  into.punted += from.punted;
  into.gpuFailures += from.gpuFailures;
  into.accessViolations += from.accessViolations;
  into.tooLarge += from.tooLarge;
  into.compiling += from.compiling;
  into.gpuMs += from.gpuMs;
  into.gpuBytesUp += from.gpuBytesUp;
  into.gpuBytesDown += from.gpuBytesDown;
}

function addEach<T extends { [K in keyof T]: number }>(into: T, from: T): void {
  for (const key of Object.keys(from) as (keyof T)[]) {
    into[key] = ((into[key] ?? 0) + from[key]) as T[keyof T];
  }
}
