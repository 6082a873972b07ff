/** Validation and repair: one pass in block order makes the result equal to running transactions one at a time. */
import type { LaneContext } from '../../lane/message.js';
import type { LaneTransaction } from '../../lane/scan.js';
import { laneTransaction } from '../../lane/transaction.js';
import type { LaneOutcome } from '../../lane/types.js';
import { bytesEqual } from '../../util/bytes.js';
import { type CpuRunner, driveOnCpu } from '../tasks/drive.js';
import type { Versions } from './versions.js';

/**
 * Whether every value that `outcome` read is the one that transaction `position` reads in `versions`. Compares values,
 * not writers: a repaired transaction keeps its position but may write something else.
 */
export function readsAreCurrent(outcome: LaneOutcome, position: number, versions: Versions): boolean {
  for (const [key, seen] of outcome.reads) {
    if (!bytesEqual(seen, versions.get(key, position))) return false;
  }
  return true;
}

/**
 * Walks the block in order. A transaction without an outcome, or with a stale read, is run now that all before it are
 * final, and `onRerun` is called. Returns the final outcomes.
 */
export function validateAndRepair(
  transactions: readonly LaneTransaction[],
  outcomes: readonly (LaneOutcome | undefined)[],
  context: LaneContext,
  versions: Versions,
  runner: CpuRunner,
  onRerun: (position: number, outcome: LaneOutcome) => void,
): LaneOutcome[] {
  return transactions.map((transaction, position) => {
    const outcome = outcomes[position];
    if (outcome !== undefined && readsAreCurrent(outcome, position, versions)) return outcome;
    const repaired = driveOnCpu(laneTransaction(transaction, context, versions.before(position)), runner);
    versions.put(position, repaired.writes);
    onRerun(position, repaired);
    return repaired;
  });
}
