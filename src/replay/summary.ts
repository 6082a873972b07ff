import type { EngineHealth } from '../execute/health/engine-health.js';
import type { LaneStatistics } from '../lane/statistics.js';

/** The last line of `warpshrew replay --json`: sums over the blocks of this run, and the state of the tip. */
export interface ReplaySummary {
  readonly height: number | undefined;
  readonly hash: string | undefined;
  readonly stateRoot: string | undefined;
  readonly roots: { readonly standard: string; readonly lane: string } | undefined;
  readonly blocks: number;
  readonly policy: string;
  readonly adapter: string | undefined;
  readonly lane: LaneStatistics['lane'];
  readonly executors: LaneStatistics['executors'];
  readonly batches: number;
  /** Those of one program that threads and kernel have divided. */
  readonly splits: number;
  readonly colours: number;
  readonly repaired: number;
  /** Transactions that ran with a value which was predicted, and those of them for which one was wrong. */
  readonly predicted: number;
  readonly mispredicted: number;
  readonly demoted: number;
  /** Transactions left to their places because their dry run was not clean. */
  readonly unclean: number;
  readonly punted: number;
  /** Messages that the kernel ended with a final status, per SHA-256 of the program. */
  readonly gpuRuns: Readonly<Record<string, number>>;
  /** Times the kernel failed as a whole; the blocks continued on the CPU. */
  readonly gpuFailures: number;
  /** The first of these failures. */
  readonly gpuEvents: readonly GpuEvent[];
  /** Of the lane engine at the end. */
  readonly health: EngineHealth;
  /**
   * Messages that the kernel stopped at an undeclared key; `compiling`: messages that ran on the CPU while their kernel
   * was being compiled.
   */
  readonly accessViolations: number;
  readonly compiling: number;
  /** Blocks run one transaction at a time because their outcomes took more memory than batches are given. */
  readonly tooLarge: number;
  readonly ms: Readonly<Record<string, number>>;
}

/** A failure of the kernel as a whole. */
export interface GpuEvent {
  readonly height: number;
  readonly code: string;
  readonly message: string;
}

/** Maximum number of events kept; later ones are only counted. */
export const MAX_GPU_EVENTS = 100;

/** Several summaries side by side, as a plain-text table. */
export function summaryTable(runs: readonly ReplaySummary[]): string {
  const rows: [string, (s: ReplaySummary) => string | number][] = [
    ['policy', (s) => s.policy],
    ['adapter', (s) => s.adapter ?? '-'],
    ['blocks', (s) => s.blocks],
    ['height', (s) => s.height ?? '-'],
    ['state root', (s) => s.stateRoot?.slice(0, 16) ?? '-'],
    ['lane txs', (s) => s.lane.txs],
    ['ok / revert', (s) => `${s.lane.ok} / ${s.lane.revert}`],
    ['trap / out of fuel', (s) => `${s.lane.trap} / ${s.lane.outOfFuel}`],
    ['malformed', (s) => s.lane.malformed],
    ['reuse / gpu', (s) => `${s.executors.reuse} / ${s.executors.gpu}`],
    ['cpu / sequential', (s) => `${s.executors.cpu} / ${s.executors.sequential}`],
    ['batches / colours', (s) => `${s.batches} / ${s.colours}`],
    ['repaired / demoted', (s) => `${s.repaired} / ${s.demoted}`],
    ['unclean', (s) => s.unclean],
    ['predicted / wrong', (s) => `${s.predicted} / ${s.mispredicted}`],
    ['punted', (s) => s.punted],
    ['kernel failures', (s) => s.gpuFailures],
    ...[...new Set(runs.flatMap((s) => Object.keys(s.ms)))].map((phase): [string, (s: ReplaySummary) => string] => [
      `ms ${phase}`,
      (s) => (s.ms[phase] ?? 0).toFixed(0),
    ]),
  ];
  const cells = rows.map(([name, read]) => [name, ...runs.map((run) => String(read(run)))]);
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ')).join('\n');
}
