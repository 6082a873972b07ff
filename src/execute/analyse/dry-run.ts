/** Phase 1, step 2: dry runs of everything that is not demoted, on the workers or here. */
import type { LaneTransaction } from '../../lane/scan.js';
import type { LaneKey } from '../../lane/types.js';
import type { AccessSet } from '../../plan/access-sets.js';
import type { BlockTasks, DryRun, DryRuns } from '../tasks/block-tasks.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import { grouped, targetOf } from '../tasks/grouped.js';
import { FEWEST_FOR_WORKERS, type WorkerPool } from '../threads/worker-pool.js';

/**
 * Dry runs of `transactions`, in their order, whatever the order they ran in: no dry run sees another. Throws
 * `BlockTooLarge` when their outcomes have no room in `budget`.
 */
export async function dryRunAll(
  transactions: readonly LaneTransaction[],
  tasks: BlockTasks,
  pool: WorkerPool | undefined,
  budget: BlockBudget,
): Promise<DryRuns> {
  const order = grouped([...transactions.keys()], (i) => targetOf(transactions[i]));
  const ordered = order.map((i) => transactions[i]);
  if (pool !== undefined && transactions.length >= FEWEST_FOR_WORKERS) {
    return inOrderOf(order, await pool.dryRun(ordered, budget));
  }
  const runs = tasks.dryRunAll(ordered, budget);
  const records = tasks.takeRecords();
  const recordsOf = new Uint32Array(runs.length);
  return inOrderOf(order, { runs, records: records === undefined ? [] : [records], recordsOf });
}

/** Puts what ran as number n back to place `order[n]`. */
function inOrderOf(order: readonly number[], { runs: ran, records, recordsOf: ranIn }: DryRuns): DryRuns {
  const runs = [...ran];
  const recordsOf = new Uint32Array(ranIn.length);
  order.forEach((place, n) => {
    runs[place] = ran[n];
    recordsOf[place] = ranIn[n];
  });
  return { runs, records, recordsOf };
}

/** What a dry run says that its transaction may touch: what it touched, and what its programs declared. */
export function accessSetOf({ outcome, declaredReads, declaredWrites }: DryRun): AccessSet {
  return {
    reads: both([...outcome.reads.keys()], declaredReads),
    writes: both([...outcome.writes.keys()], declaredWrites),
  };
}

function both(touched: readonly LaneKey[], declared: readonly LaneKey[]): readonly LaneKey[] {
  return declared.length === 0 ? touched : [...touched, ...declared];
}
