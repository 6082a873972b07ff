/** A block's lane transactions one after the other: what the sequential executor gives, with receipts and figures. */
import { outcomeOf } from '../lane/columns/common-outcome.js';
import { writeCommonReceipt } from '../lane/columns/common-receipt.js';
import { transactionAt, txidAt } from '../lane/columns/lane-columns.js';
import { addValue, EXECUTION_SECONDS } from '../lane/distribution.js';
import type { LaneContext } from '../lane/message.js';
import { note } from '../lane/notes.js';
import { countMessage, IN_TURN, makeReceipt } from '../lane/receipt.js';
import { ReceiptList } from '../lane/receipt-list.js';
import type { RunReason } from '../lane/run-reason.js';
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
import { TimeSampler } from './tasks/time-sampler.js';

/** Bytes of a receipt to expect, and of all that have room from the beginning: more is made when it is needed. */
const RECEIPT_ROOM = 512;
const MOST_ROOM = 4 * 1024 * 1024;

/**
 * Runs the lane of a block over the state `before` it, for `reason`; `statistics` get its counts, `watch` sees each
 * transaction.
 */
export function runOneByOne(
  lane: Scanned,
  context: LaneContext,
  before: CachingReader,
  runner: ProgramRunner,
  statistics: LaneStatistics,
  reason: RunReason,
  onOutcome: OnOutcome | undefined,
  watch?: SequentialWatch,
): LaneBlockResult {
  const how = { ...IN_TURN, reason };
  statistics.demoted = lane.demoted;
  statistics.executors.sequential = lane.count;
  statistics.lane.txs = lane.count;
  const plan = summarise(context.height, lane.count, lane.demoted, undefined);
  const { notes } = statistics;
  if (notes !== undefined) for (const { index, txid } of lane.demotedOnes()) note(notes, 'demoted', index, () => txid);
  const count = ({ messages, index, txid }: LaneOutcome): void => {
    for (const { status } of messages) countMessage(statistics.lane, status);
    if (messages.some(({ status }) => status === 'REJECTED')) note(notes, 'rejected', index, () => txid);
  };
  const times = new TimeSampler((ms) => addValue(statistics.seconds, 'sequential', EXECUTION_SECONDS, ms / 1_000));
  const took = (): void => {
    times.end();
    times.begin();
  };
  times.begin();
  // An outcome becomes a receipt at once: what a whole block has read may be more than memory holds.
  if (lane.columns === undefined) {
    before.prefetch(lane.sheetKeys());
    const receipts: Receipt[] = [];
    const writes = runEach(lane.transactions, context, before, runner, (outcome, position) => {
      took();
      watch?.general(outcome);
      onOutcome?.(lane.transactions[position], outcome);
      count(outcome);
      receipts.push(makeReceipt(context.height, outcome, how));
    });
    dropVoidDeletions(writes, (key) => before.get(key) !== undefined);
    return { writes, receipts, plan, statistics };
  }

  const { columns } = lane;
  const list = new ReceiptList(Math.min(RECEIPT_ROOM * columns.count, MOST_ROOM));
  const writes = runColumns(columns, context, before, before.unkept, runner, {
    common: (row, run, state) => {
      took();
      watch?.common(run, state);
      onOutcome?.(transactionAt(columns, row), outcomeOf(columns, row, run, state));
      countMessage(statistics.lane, run.status);
      if (run.status === 'REJECTED') note(notes, 'rejected', columns.index[row], () => txidAt(columns, row));
      writeCommonReceipt(list.writer, context.height, columns, row, run, state, IN_TURN.executor);
      list.written();
      list.setExecution(how);
    },
    outcome: (row, outcome) => {
      took();
      watch?.general(outcome);
      onOutcome?.(transactionAt(columns, row), outcome);
      count(outcome);
      list.add(makeReceipt(context.height, outcome, how));
    },
  });
  return resultOf(writes, list, plan, statistics);
}
