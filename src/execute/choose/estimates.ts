/** What a kind of transactions would take in parallel, by what it takes one after the other. */
import type { ParallelMode } from './block-mode.js';
import type { KindCosts } from './kind-costs.js';

/** What the parallel way can use. */
export interface Machine {
  /** Threads of the pool; 0: none. */
  readonly threads: number;
  /** Whether reads of hot keys are predicted. */
  readonly predictReads: boolean;
  /** Microseconds of a call of a program in the kernel; undefined: it has none. */
  readonly kernelCall?: (kind: string) => number | undefined;
  /** Whether whole runs of a program that asks whether it runs dry are left to the kernel. */
  readonly isLeft?: (kind: string) => boolean;
}

/** Microseconds, guessed high: what is measured takes their place. */
export const GUESS = {
  /** A transaction's share of the engine's thread: its reads, its place in the plan, its validation. */
  row: 8,
  /** The same of one that runs a second time. */
  again: 4,
  /** The same where calls are recorded and packed for the kernel. */
  record: 8,
  /** A block, whatever is in it: the threads are woken, and none ends with the others. */
  block: 1_000,
  /** The same of one that wakes the device. */
  launch: 2_000,
  /** A colour's submission to the kernel. */
  dispatch: 25,
} as const;
/** Part of a whole run that the dry run of a program takes which asks whether it is one. */
const DRY_PART = 0.25;
/** What threads that work at once take longer than one alone. */
const CROWDED = 1.15;

/**
 * Microseconds of a transaction in parallel, a block's fixed cost left out. A dry run takes as long as a run. Then
 * those run again whose dry runs were no results, or whose reads were predicted: all at once. Those that read what
 * others wrote run colour by colour, or one after the other where the colours are narrow. The kernel takes these, and
 * those whose reads were predicted; of programs that are left to it, all, and then there is no other whole run.
 */
export function parallelGuess(mode: ParallelMode, kind: string, costs: KindCosts, machine: Machine): number {
  const { threads, predictReads, kernelCall, isLeft } = machine;
  const run = costs.sequential ?? 0;
  const shared = (run * CROWDED) / Math.max(1, threads);
  const chained = Math.min(1, costs.stale + (predictReads ? 0 : costs.steady));
  const wide = Math.min(1 - chained, costs.asked + (predictReads ? costs.steady : 0));
  const atOnce = Math.max(1, Math.min(threads, costs.width));
  const onCpu = wide * shared + chained * Math.max(shared, run / atOnce);
  const dry = GUESS.row + shared + (wide + chained) * GUESS.again;
  if (mode === 'workers') return dry + onCpu;
  const call = kernelCall?.(kind);
  if (call !== undefined && isLeft?.(kind) === true) {
    return GUESS.row + GUESS.again + DRY_PART * shared + GUESS.record + call;
  }
  const hot = Math.min(wide, predictReads ? costs.steady : 0);
  const inKernel =
    call === undefined
      ? onCpu
      : (wide - hot) * shared + (hot + chained) * call + (chained / costs.width) * GUESS.dispatch;
  return dry + GUESS.record + Math.min(onCpu, inKernel);
}

/** What it could take at best: nobody need try what even then would lose. */
export function parallelHope(costs: KindCosts, { threads }: Machine): number {
  return (costs.sequential ?? 0) / Math.max(1, threads);
}
