/**
 * The truth: lane transactions one at a time, in block order, each over what all before it left. Every other way of
 * executing a block is tested against this one; it is kept too simple to be wrong.
 */
import type { LaneContext } from '../lane/message.js';
import { MapOverlay } from '../lane/overlay.js';
import type { LaneTransaction } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { LaneOutcome, LaneWrites, StateReader } from '../lane/types.js';
import { type CpuRunner, driveOnCpu } from './tasks/drive.js';

/** Outcomes of `transactions`, in their order, over the state `before` the block. */
export function runSequential(
  transactions: readonly LaneTransaction[],
  context: LaneContext,
  before: StateReader,
  runner: CpuRunner,
): LaneOutcome[] {
  const outcomes: LaneOutcome[] = [];
  runEach(transactions, context, before, runner, (outcome) => outcomes.push(outcome));
  return outcomes;
}

/** The same, keeping nothing of a transaction but its writes: each outcome is handed over once. Returns all writes. */
export function runEach(
  transactions: readonly LaneTransaction[],
  context: LaneContext,
  before: StateReader,
  runner: CpuRunner,
  handOver: (outcome: LaneOutcome, position: number) => void,
): LaneWrites {
  const state = new MapOverlay(before);
  transactions.forEach((transaction, position) => {
    const outcome = driveOnCpu(laneTransaction(transaction, context, state), runner);
    state.apply(outcome.writes);
    handOver(outcome, position);
  });
  return state.changes;
}
