/** A block's lane transactions one after the other: what the sequential executor gives, with receipts and figures. */
import { outcomeOf } from '../lane/columns/common-outcome.js';
import { writeCommonReceipt } from '../lane/columns/common-receipt.js';
import { transactionAt } from '../lane/columns/lane-columns.js';
import type { LaneContext } from '../lane/message.js';
import { countMessage, IN_TURN, makeReceipt } from '../lane/receipt.js';
import { ReceiptList } from '../lane/receipt-list.js';
import type { LaneStatistics } from '../lane/statistics.js';
import type { LaneBlockResult, LaneOutcome, Receipt } from '../lane/types.js';
import { summarise } from '../plan/plan.js';
import type { ProgramRunner } from '../program/runner.js';
import type { SequentialWatch } from './choose/sequential-watch.js';
import { type OnOutcome, resultOf } from './run/block-result.js';
import { dropVoidDeletions } from './run/merge-writes.js';
import type { Scanned } from './scanned.js';
import { runColumns, runEach } from './sequential.js';
import type { CachingReader } from './tasks/caching-reader.js';

/** Bytes of a receipt to expect, and of all that have room from the beginning: more is made when it is needed. */
const RECEIPT_ROOM = 512;
const MOST_ROOM = 4 * 1024 * 1024;

/** Runs the lane of a block over the state `before` it; `statistics` get its counts, `watch` sees each transaction. */
export function runOneByOne(
  lane: Scanned,
  context: LaneContext,
  before: CachingReader,
  runner: ProgramRunner,
  statistics: LaneStatistics,
  onOutcome: OnOutcome | undefined,
  watch?: SequentialWatch,
): LaneBlockResult {
  statistics.demoted = lane.demoted;
  statistics.executors.sequential = lane.count;
  statistics.lane.txs = lane.count;
  const plan = summarise(context.height, lane.count, lane.demoted, undefined);
  const count = ({ messages }: LaneOutcome): void => {
    for (const { status } of messages) countMessage(statistics.lane, status);
  };
  // An outcome becomes a receipt at once: what a whole block has read may be more than memory holds.
  if (lane.columns === undefined) {
    before.prefetch(lane.sheetKeys());
    const receipts: Receipt[] = [];
    const writes = runEach(lane.transactions, context, before, runner, (outcome, position) => {
      watch?.general(outcome);
      onOutcome?.(lane.transactions[position], outcome);
      count(outcome);
      receipts.push(makeReceipt(context.height, outcome, IN_TURN));
    });
    dropVoidDeletions(writes, (key) => before.get(key) !== undefined);
    return { writes, receipts, plan, statistics };
  }

  const { columns } = lane;
  const list = new ReceiptList(Math.min(RECEIPT_ROOM * columns.count, MOST_ROOM));
  const writes = runColumns(columns, context, before, before.unkept, runner, {
    common: (row, run, state) => {
      watch?.common(run, state);
      onOutcome?.(transactionAt(columns, row), outcomeOf(columns, row, run, state));
      countMessage(statistics.lane, run.status);
      writeCommonReceipt(list.writer, context.height, columns, row, run, state, IN_TURN.executor);
      list.written();
    },
    outcome: (row, outcome) => {
      watch?.general(outcome);
      onOutcome?.(transactionAt(columns, row), outcome);
      count(outcome);
      list.add(makeReceipt(context.height, outcome, IN_TURN));
    },
  });
  return resultOf(writes, list, plan, statistics);
}
