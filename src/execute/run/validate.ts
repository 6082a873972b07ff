/** Validate and repair: the one ascending pass that makes the result equal to running one at a time. */
import type { LaneContext } from '../../lane/message.js';
import { sameBytes } from '../../lane/same-bytes.js';
import type { LaneTransaction } from '../../lane/scan.js';
import { laneTransaction } from '../../lane/transaction.js';
import type { LaneOutcome } from '../../lane/types.js';
import { type CpuRunner, driveOnCpu } from '../tasks/drive.js';
import type { Versions } from './versions.js';

/**
 * Whether every value that `outcome` saw is what transaction `position` sees in `versions`. By value, never by writer: a
 * repaired transaction keeps its position and may write something else.
 */
export function readsAreCurrent(outcome: LaneOutcome, position: number, versions: Versions): boolean {
  for (const [key, seen] of outcome.reads) {
    if (!sameBytes(seen, versions.get(key, position))) return false;
  }
  return true;
}

/**
 * Walks the block in order. A transaction without an outcome, or one that saw something else than what those before it
 * left, is run now, where all before it are final; `onRerun` hears of it. Returns all outcomes, final.
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
