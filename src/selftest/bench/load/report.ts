/** What `bench load` found: whether a load was held, how far behind it fell, and what a transaction costs. */
import type { Policy } from '../../../lane/policy.js';
import type { Executor } from '../../../lane/statistics.js';
import type { BenchRun } from '../machine.js';
import type { Mix } from './mix.js';

/** Parts of the time of a block in the engine's thread, and what comes under none of them. */
export const BUDGET = ['reading', 'scan', 'planning', 'execution', 'hashing', 'storage', 'waiting', 'other'] as const;
export type BudgetPart = (typeof BUDGET)[number];

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export interface LoadRow {
  readonly policy: Policy;
  /** Lane transactions of a block. */
  readonly size: number;
  readonly blocks: number;
  /** Transactions per second that were held. */
  readonly perSecond: number;
  /** Of the block from its turn to its end; and from when it came to its end, null where each came in its turn. */
  readonly blockMs: Percentiles;
  readonly lagMs: Percentiles | null;
  /** Whether the last block had ended when the one after it would have come; null where each came in its turn. */
  readonly kept: boolean | null;
  /** Microseconds a lane transaction. */
  readonly budget: Readonly<Record<BudgetPart, number>>;
  /** The same of threads that work beside the engine: the standard module, and reading ahead. */
  readonly beside: { readonly standard: number; readonly ahead: number };
  readonly executors: Readonly<Record<Executor, number>>;
  /** After the last block: the same under every policy. */
  readonly stateRoot: string;
}

export interface LoadReport extends BenchRun {
  readonly format: 'warpshrew-load-1';
  readonly mix: Mix;
  /** Transactions per second at which blocks came; null: each in its turn. */
  readonly rate: number | null;
  readonly rows: readonly LoadRow[];
  /** Rows whose state root is not that of the first one of their size. */
  readonly differences: number;
}

/** The percentiles of at least one value, to a hundredth. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return Math.round(value * 100) / 100;
  };
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

const PART_OF: Readonly<Record<string, BudgetPart>> = {
  parse: 'reading',
  scan: 'scan',
  plan: 'planning',
  dryRun: 'execution',
  cpu: 'execution',
  gpu: 'execution',
  compile: 'execution',
  finish: 'execution',
  validate: 'execution',
  sequential: 'execution',
  writes: 'execution',
  tree: 'hashing',
  commit: 'storage',
  wait: 'waiting',
};

/** Divides what blocks took, `total` milliseconds, among `transactions` and parts; `ms` are milliseconds by phase. */
export function budgetOf(
  ms: Readonly<Record<string, number>>,
  total: number,
  transactions: number,
): Record<BudgetPart, number> {
  const sums: Record<BudgetPart, number> = {
    ...{ reading: 0, scan: 0, planning: 0, execution: 0, hashing: 0, storage: 0, waiting: 0, other: total },
  };
  for (const [phase, took] of Object.entries(ms)) {
    const part = Object.hasOwn(PART_OF, phase) ? PART_OF[phase] : undefined;
    if (part === undefined) continue;
    sums[part] += took;
    // It is a part of storing already.
    if (phase === 'tree') sums.storage -= took;
    else sums.other -= took;
  }
  for (const part of BUDGET) sums[part] = microseconds(Math.max(0, sums[part]), transactions);
  return sums;
}

/** Milliseconds of all as microseconds of one, to a hundredth. */
export function microseconds(ms: number, transactions: number): number {
  return Math.round((ms * 100_000) / transactions) / 100;
}
