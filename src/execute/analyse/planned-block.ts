import type { CallRecords } from '../../gpu/pack/records.js';
import type { LaneTransaction } from '../../lane/scan.js';
import type { Plan } from '../../plan/report.js';
import type { DryRun } from '../tasks/block-tasks.js';

/** Phase 1 of a block: its lane transactions, what their dry runs found and the plan over them. */
export interface PlannedBlock {
  readonly transactions: readonly LaneTransaction[];
  /** By position; undefined for demoted transactions. */
  readonly dryRuns: readonly (DryRun | undefined)[];
  /** Positions of the planned transactions: entry i is node i of the plan. */
  readonly planned: readonly number[];
  readonly plan: Plan;
  /** The calls recorded for the kernel; entry i of `recordsOf` says in which records the call of node i lies. */
  readonly records: readonly CallRecords[];
  readonly recordsOf: Uint32Array;
  readonly recordSeed: number | undefined;
}
