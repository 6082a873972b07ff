/** Phase 1, step 2: dry runs of everything that is not demoted, on the workers or here. */
import type { AccessSet } from '../plan/access-sets.js';
import type { BlockTasks, DryRun } from './block-tasks.js';
import type { WorkerPool } from './worker-pool.js';

/** Fewer transactions than this are not worth a message to another thread. */
export const FEWEST_FOR_WORKERS = 8;

/** Dry runs of the transactions at `positions`, in their order. */
export async function dryRunAll(
  positions: readonly number[],
  tasks: BlockTasks,
  pool: WorkerPool | undefined,
): Promise<DryRun[]> {
  if (pool === undefined || positions.length < FEWEST_FOR_WORKERS) {
    return positions.map((position) => tasks.dryRun(position));
  }
  return pool.dryRun(positions);
}

/** What a dry run says that its transaction may touch: what it touched, and what its programs declared. */
export function accessSetOf({ outcome, declaredReads, declaredWrites }: DryRun): AccessSet {
  return {
    reads: new Set([...outcome.reads.keys(), ...declaredReads]),
    writes: new Set([...outcome.writes.keys(), ...declaredWrites]),
  };
}
