/**
 * Validation and repair of rows: one pass in block order makes the result equal to running transactions one at a time.
 * What a row has written is applied at its turn and not before, so that the state is always the one that it would see.
 */
import { BlockStateReader } from '../../lane/columns/block-state.js';
import { outcomeOf } from '../../lane/columns/common-outcome.js';
import { writeCommonReceipt } from '../../lane/columns/common-receipt.js';
import { CommonRunner } from '../../lane/columns/common-run.js';
import { isCommon, type LaneColumns, transactionAt, txidAt } from '../../lane/columns/lane-columns.js';
import { addValue, EXECUTION_SECONDS } from '../../lane/distribution.js';
import type { LaneContext } from '../../lane/message.js';
import { note } from '../../lane/notes.js';
import { toldOf } from '../../lane/overlay.js';
import { countMessage, type ExecutionDetails, IN_TURN, makeReceipt } from '../../lane/receipt.js';
import { decodeReceipt } from '../../lane/receipt-bytes.js';
import { ReceiptList } from '../../lane/receipt-list.js';
import type { RunReason } from '../../lane/run-reason.js';
import type { Executor, LaneStatistics } from '../../lane/statistics.js';
import { laneTransaction } from '../../lane/transaction.js';
import { type LaneKey, type LaneOutcome, MESSAGE_STATUSES, type StateReader } from '../../lane/types.js';
import type { ProgramRunner } from '../../program/runner.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import { driveOnCpu } from '../tasks/drive.js';
import { AT, BEFORE, HEAD, Words } from '../tasks/row-records.js';
import { TimeSampler } from '../tasks/time-sampler.js';
import type { BlockKernel } from './block-kernel.js';
import type { RowRange } from './part-sizes.js';
import type { Predictions } from './predictions.js';
import { FOUND } from './row-batches.js';
import type { RowTable } from './row-table.js';

/** What the pass needs. */
export interface SettleInputs {
  readonly columns: LaneColumns;
  readonly range: RowRange;
  readonly context: LaneContext;
  /** The state before these rows. */
  readonly before: StateReader;
  readonly runner: ProgramRunner;
  readonly table: RowTable;
  /** By row: one of {@link FOUND}, and its colour, 0 if it has none. */
  readonly found: Uint8Array;
  readonly colourOf: Uint32Array;
  readonly predictions: Predictions | undefined;
  readonly budget: BlockBudget;
  readonly statistics: LaneStatistics;
  /** Whether somebody wants to hear of what became of each. */
  readonly keepsOutcomes: boolean;
  /** What the kernel has found of rows, and who wants to know what they take at their turn; undefined: no kernel. */
  readonly kernel: BlockKernel | undefined;
  /** Why threads run what they run in batches, where the kernel says nothing else. */
  readonly inBatches: RunReason;
  /** Whether a row spends an output of another one of the range. */
  isDemoted(row: number): boolean;
}

/** What became of rows, in their order; `outcomes` is empty where nobody wants to hear of them. */
export interface SettledRows {
  readonly receipts: ReceiptList;
  readonly outcomes: readonly LaneOutcome[];
}

/** Applies the rows to the state of the table. Throws `BlockTooLarge` beyond the budget. */
export function settleRows(inputs: SettleInputs): SettledRows {
  const pass = new SettlePass(inputs);
  const { from, to } = inputs.range;
  for (let row = from; row < to; row++) pass.settle(row);
  inputs.kernel?.ranAtTurn(pass.inTurn.taken(), pass.inTurnMs, pass.kernelMs);
  return pass;
}

class SettlePass implements SettledRows {
  readonly receipts: ReceiptList;
  /** Of each row, if somebody wants to hear of them. */
  readonly outcomes: LaneOutcome[] = [];
  /** Rows that were left to their turn, and what they took together; what those of the kernel took. */
  readonly inTurn = new Words();
  inTurnMs = 0;
  kernelMs = 0;
  readonly #common: CommonRunner;
  readonly #reader: BlockStateReader;
  /** How the row in its turn was run: one object for all of them. */
  readonly #how: { -readonly [K in keyof ExecutionDetails]: ExecutionDetails[K] } = { ...IN_TURN };

  /** Of rows that run in turn, but for those that the kernel's costs want the time of. */
  readonly #times: TimeSampler;

  constructor(readonly inputs: SettleInputs) {
    const { columns, context, before, runner, table, statistics } = inputs;
    this.#times = new TimeSampler((ms) => addValue(statistics.seconds, 'sequential', EXECUTION_SECONDS, ms / 1_000));
    this.receipts = new ReceiptList(table.receiptBytes());
    this.#common = new CommonRunner(columns, context, table.state, runner);
    this.#reader = new BlockStateReader(table.state, before);
  }

  settle(row: number): void {
    const { statistics, predictions, colourOf } = this.inputs;
    const found = this.inputs.found[row];
    const prediction = predictions?.check(row) ?? 0;
    const how = this.#how;
    how.colour = colourOf[row];
    how.repaired = false;
    how.predicted = prediction > 0;
    how.mispredicted = prediction === 2;
    if (how.predicted) statistics.predicted++;
    if (how.mispredicted) statistics.mispredicted++;
    const stands = found !== FOUND.notRun && !(found !== FOUND.batch && this.inputs.table.hasAsked(row));
    if (found === FOUND.kernel && this.#takeFromKernel(row)) how.executor = 'gpu';
    else if (stands && this.#isCurrent(row)) {
      how.executor = this.#executorOf(row);
      this.#keep(row);
    } else {
      how.executor = found === FOUND.inTurn ? 'cpu' : 'sequential';
      how.repaired = found === FOUND.dryRun || found === FOUND.batch || found === FOUND.kernel;
      if (how.repaired) statistics.repaired++;
      if (how.repaired) this.#note('repaired', row);
      if (found === FOUND.inTurn && this.inputs.kernel !== undefined) this.#runTimed(row);
      else {
        this.#times.begin();
        this.#run(row);
        this.#times.end();
      }
    }
    how.reason = this.#reasonOf(row, found);
    this.receipts.setExecution(how);
    statistics.executors[how.executor]++;
  }

  /** Why `row`, which has just run, ran so. */
  #reasonOf(row: number, found: number): RunReason {
    const { kernel, inBatches, isDemoted } = this.inputs;
    const { executor, repaired, mispredicted } = this.#how;
    if (repaired) return mispredicted ? 'mispredicted' : 'repaired';
    if (executor === 'reuse') return 'reused';
    if (executor === 'gpu') return 'kernel';
    if (found === FOUND.notRun) return isDemoted(row) ? 'demoted' : 'unclean';
    if (found === FOUND.inTurn) return mispredicted ? 'mispredicted' : 'narrow';
    return kernel?.why.of(row) ?? inBatches;
  }

  /** What the record of `row` comes from. */
  #executorOf(row: number): Executor {
    const { table } = this.inputs;
    if (table.isDryRun(row)) return 'reuse';
    return table.isKernelRun(row) ? 'gpu' : 'cpu';
  }

  /** Whether every value that the record of `row` has seen is the one that it reads now. */
  #isCurrent(row: number): boolean {
    const { table } = this.inputs;
    const { state } = table;
    const { list } = table.words;
    const at = table.recordOf(row);
    const seen = table.seenOf(row);
    for (let i = 0, reads = list[at + AT.reads]; i < reads; i++) {
      const key = list[at + HEAD + i];
      const isBefore = seen === 0 || list[seen + 2 * i] === BEFORE;
      if (isBefore && !state.isWritten(key)) continue;
      state.load(key);
      if (!table.isSeen(key, isBefore ? 0 : seen + 2 * i, state.starts[key], state.ends[key])) return false;
    }
    return true;
  }

  /** The record of `row` is what became of it. */
  #keep(row: number): void {
    const { table, statistics, keepsOutcomes } = this.inputs;
    const { state } = table;
    const { list } = table.words;
    const at = table.recordOf(row);
    if (keepsOutcomes) this.outcomes.push(recordedOutcome(table, row));
    this.receipts.writer.part(state.bytes, list[at + AT.receipt], list[at + AT.receiptEnd]);
    this.receipts.written();
    this.#apply(row);
    const messages = table.valuesOf(row) + 2 * list[at + AT.writes];
    for (let i = 0; i < list[at + AT.messages]; i++) {
      const status = MESSAGE_STATUSES[list[messages + i]];
      countMessage(statistics.lane, status);
      if (status === 'REJECTED') this.#note('rejected', row);
    }
  }

  /** Makes what the record of `row` has written the state. */
  #apply(row: number): void {
    const { table } = this.inputs;
    const { list } = table.words;
    const keys = table.writesOf(row);
    const values = table.valuesOf(row);
    const writes = list[table.recordOf(row) + AT.writes];
    for (let i = 0; i < writes; i++) table.state.set(list[keys + i], list[values + 2 * i], list[values + 2 * i + 1]);
  }

  /** Goes through `row` with what the kernel says of its call; false: it saw something else than is there now. */
  #takeFromKernel(row: number): boolean {
    const started = performance.now();
    const { state } = this.inputs.table;
    const [used, bytes] = [state.used, this.receipts.bytes];
    const run = this.inputs.kernel?.runAtTurn(row);
    if (run !== undefined) this.#takeRun(row, run);
    this.inputs.budget.takeBytes(state.used - used + this.receipts.bytes - bytes);
    this.kernelMs += performance.now() - started;
    return run !== undefined;
  }

  #runTimed(row: number): void {
    const started = performance.now();
    this.#run(row);
    const ms = performance.now() - started;
    this.inTurnMs += ms;
    addValue(this.inputs.statistics.seconds, 'sequential', EXECUTION_SECONDS, ms / 1_000);
    this.inTurn.push(row);
  }

  /** Runs `row` now that all before it are final. */
  #run(row: number): void {
    const { columns, context, table, statistics, budget, keepsOutcomes } = this.inputs;
    const { state } = table;
    const [used, bytes] = [state.used, this.receipts.bytes];
    if (isCommon(columns, row) && this.#common.run(row)) this.#takeRun(row, this.#common);
    else {
      const outcome = driveOnCpu(
        laneTransaction(transactionAt(columns, row), context, this.#reader),
        this.inputs.runner,
      );
      if (keepsOutcomes) this.outcomes.push(outcome);
      for (const { status } of outcome.messages) countMessage(statistics.lane, status);
      if (outcome.messages.some(({ status }) => status === 'REJECTED')) this.#note('rejected', row);
      this.receipts.add(makeReceipt(context.height, outcome, IN_TURN));
      this.#reader.apply(outcome.writes);
    }
    budget.takeBytes(state.used - used + this.receipts.bytes - bytes);
  }

  #note(what: Parameters<typeof note>[1], row: number): void {
    const { columns, statistics } = this.inputs;
    note(statistics.notes, what, columns.index[row], () => txidAt(columns, row));
  }

  /** What `run` has done with `row`, as the last one, is what became of it. */
  #takeRun(row: number, run: CommonRunner): void {
    const { columns, context, table, statistics, keepsOutcomes } = this.inputs;
    const { state } = table;
    if (keepsOutcomes) this.outcomes.push(outcomeOf(columns, row, run, state));
    countMessage(statistics.lane, run.status);
    if (run.status === 'REJECTED') this.#note('rejected', row);
    writeCommonReceipt(this.receipts.writer, context.height, columns, row, run, state, this.#how.executor);
    this.receipts.written();
    run.apply();
  }
}

/** The outcome that a record was made of, with all that it read. */
function recordedOutcome(table: RowTable, row: number): LaneOutcome {
  const { list } = table.words;
  const { state } = table;
  const at = table.recordOf(row);
  const { index, txid, undone, messages } = decodeReceipt(
    state.bytes.subarray(list[at + AT.receipt], list[at + AT.receiptEnd]),
  );
  const valueAt = (start: number, end: number) => (start === end ? undefined : state.bytes.slice(start, end));
  const reads = new Map<LaneKey, Uint8Array | undefined>();
  const seen = table.seenOf(row);
  for (let i = 0; i < list[at + AT.reads]; i++) {
    const key = list[at + HEAD + i];
    const place = seen + 2 * i;
    let [start, end] = [list[place], list[place + 1]];
    if (seen === 0 || start === BEFORE) {
      const length = table.loadBefore(key);
      start = table.startBefore(key);
      end = start + length;
    }
    const text = state.keyText(key);
    reads.set(text, toldOf(text, valueAt(start, end)));
  }
  const writes = new Map<LaneKey, Uint8Array | undefined>();
  const [keys, values] = [table.writesOf(row), table.valuesOf(row)];
  for (let i = 0; i < list[at + AT.writes]; i++) {
    writes.set(state.keyText(list[keys + i]), valueAt(list[values + 2 * i], list[values + 2 * i + 1]));
  }
  return { index, txid, undone, messages, reads, writes };
}
