/**
 * The truth: lane transactions one at a time, in block order, each over what all before it left. Every other way of
 * executing a block is tested against this one; it is kept too simple to be wrong.
 */
import { type BlockState, BlockStateReader } from '../lane/columns/block-state.js';
import { CommonRunner } from '../lane/columns/common-run.js';
import { isCommon, type LaneColumns, transactionAt } from '../lane/columns/lane-columns.js';
import { giveStateBack, lendState } from '../lane/columns/lent-state.js';
import type { LaneContext } from '../lane/message.js';
import { MapOverlay } from '../lane/overlay.js';
import type { LaneTransaction } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { LaneOutcome, LaneWrites, StateReader } from '../lane/types.js';
import type { ProgramRunner } from '../program/runner.js';
import { dropVoidDeletions } from './run/merge-writes.js';
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

/** What hears how the transactions of columns end, each before its writes are applied. */
export interface ColumnSink {
  /** A transaction of the common kind, which `run` has run. */
  common(row: number, run: CommonRunner, state: BlockState): void;
  outcome(row: number, outcome: LaneOutcome): void;
}

/**
 * The same from columns: transactions of the common kind run without the generator. `before` is the state before the
 * block, and `unkept` the same for reads that are remembered here; `mostBytes` is that of a {@link BlockState}.
 */
export function runColumns(
  columns: LaneColumns,
  context: LaneContext,
  before: StateReader,
  unkept: StateReader,
  runner: ProgramRunner,
  sink: ColumnSink,
  mostBytes?: number,
): LaneWrites {
  const state = lendState(unkept, mostBytes);
  const reader = new BlockStateReader(state, before);
  const common = new CommonRunner(columns, context, state, runner);
  for (let row = 0; row < columns.count; row++) {
    common.readAhead(row);
    if (isCommon(columns, row) && common.run(row)) {
      sink.common(row, common, state);
      common.apply();
    } else reader.apply(runOne(row));
    if (state.settle()) common.forget();
  }
  const writes = state.writes();
  dropVoidDeletions(writes, (key) => state.hasBelow(key) ?? before.get(key) !== undefined);
  giveStateBack(state);
  return writes;

  function runOne(at: number): LaneOutcome['writes'] {
    const outcome = driveOnCpu(laneTransaction(transactionAt(columns, at), context, reader), runner);
    sink.outcome(at, outcome);
    return outcome.writes;
  }
}
