/** The kernel's part of a block of rows: its calls go to the device together; outcomes come back segment by segment. */
import { WarpshrewError } from '../../errors/errors.js';
import { type CallColumns, keyCount, keyNumber, programOf } from '../../gpu/pack/records.js';
import type { GpuBlockRun, GpuExecutor, GpuOutcomes, GpuStatus } from '../../gpu/pack/types.js';
import { writeCommonReceipt } from '../../lane/columns/common-receipt.js';
import { CommonRunner } from '../../lane/columns/common-run.js';
import { type LaneColumns, txidAt } from '../../lane/columns/lane-columns.js';
import type { LaneContext } from '../../lane/message.js';
import { note } from '../../lane/notes.js';
import { ReceiptWriter } from '../../lane/receipt-parts.js';
import type { LaneStatistics } from '../../lane/statistics.js';
import { MESSAGE_STATUSES } from '../../lane/types.js';
import type { ProgramRunner } from '../../program/runner.js';
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { type CrossCheck, checkCall } from '../health/cross-check.js';
import { type BlockBudget, BlockTooLarge } from '../tasks/block-weight.js';
import { KernelResults } from '../tasks/kernel-results.js';
import { OverriddenKeys } from '../tasks/overridden-keys.js';
import { AT, BEFORE, HEAD, KERNEL, type KernelNumbers, resultOf, SEEN } from '../tasks/row-records.js';
import { type KernelCalls, NOT_WRITTEN } from './kernel-calls.js';
import { eachOverride } from './overrides.js';
import type { Predictions } from './predictions.js';
import type { Segment } from './route.js';
import type { RowTable } from './row-table.js';
import { NO_VERSION, type RowVersions } from './row-versions.js';

/** After all rows. */
const LAST = 0xffffffff;

export interface KernelRowsInputs {
  readonly gpu: GpuExecutor;
  readonly columns: LaneColumns;
  readonly context: LaneContext;
  /** Rows by node of the plan. */
  readonly rows: Uint32Array;
  readonly table: RowTable;
  readonly versions: RowVersions;
  readonly predictions: Predictions | undefined;
  readonly budget: BlockBudget;
  readonly statistics: LaneStatistics;
}

/** The calls of a block that are on the device. What the kernel says of them becomes records of the table. */
export class KernelRows {
  readonly #inputs: KernelRowsInputs;
  readonly #written: KernelCalls;
  readonly #calls: CallColumns;
  readonly #run: GpuBlockRun;
  /** Of each segment: its place, and its place among those with calls for the kernel. */
  readonly #placeOf = new Map<Segment, number>();
  readonly #numberOf = new Map<Segment, number>();
  /** By key of the kernel: place of the last segment that has it. */
  readonly #lastPlace: Int32Array;
  readonly #results: KernelResults;
  readonly #common: CommonRunner;
  readonly #overridden: OverriddenKeys;
  readonly #out = new ReceiptWriter();
  /** Outcomes that are kept for the turns of their rows, and their numbers by row. */
  #kept: GpuOutcomes | undefined;
  readonly #numberOfRow = new Map<number, number>();
  /** Rows whose writes the kernel has applied as they are. */
  readonly #trusted = new Set<number>();
  readonly #put = (key: number, start: number, end: number): void => this.#overridden.put(key, start, end);

  private constructor(
    inputs: KernelRowsInputs,
    written: KernelCalls,
    segments: readonly Segment[],
    block: PreparedBlock,
  ) {
    const { columns, context, table } = inputs;
    this.#inputs = inputs;
    this.#written = written;
    this.#calls = block.calls;
    this.#run = block.run;
    this.#lastPlace = new Int32Array(block.calls.keys.length).fill(-1);
    segments.forEach((segment, place) => {
      this.#placeOf.set(segment, place);
      if (segment.gpuCalls > 0) this.#numberOf.set(segment, this.#numberOf.size);
      for (const { gpu } of segment.colours) for (const node of gpu) this.#noteKeys(inputs.rows[node], place);
    });
    this.#results = new KernelResults(block.calls);
    this.#common = new CommonRunner(columns, context, table.state, this.#results);
    this.#overridden = new OverriddenKeys(table.state);
  }

  /** Puts the calls of `segments` on the device; all are written. Rejects as {@link GpuExecutor.begin} does. */
  static async begin(
    inputs: KernelRowsInputs,
    written: KernelCalls,
    segments: readonly Segment[],
  ): Promise<KernelRows | undefined> {
    const own = segments.filter(({ gpuCalls }) => gpuCalls > 0);
    if (own.length === 0) return undefined;
    const calls = written.taken();
    const callsOf = (nodes: readonly number[]): Uint32Array =>
      Uint32Array.from(nodes, (node) => written.callOf(inputs.rows[node]));
    const run = await inputs.gpu.begin({
      seed: written.seed,
      records: calls,
      programs: written.programs,
      segments: own.map(({ colours }) => colours.map(({ gpu }) => callsOf(gpu))),
    });
    return new KernelRows(inputs, written, segments, { calls, run });
  }

  /** Runs the calls of a segment, which are numbered through all of its colours. */
  run(segment: Segment): Promise<GpuOutcomes> {
    return this.#run.run(this.#numberOf.get(segment) ?? 0);
  }

  /**
   * Recomputes those of `outcomes` that `crossCheck` chooses; gives their number. Throws KernelMismatch at the first
   * one that is another on the CPU.
   */
  check({ colours }: Segment, outcomes: GpuOutcomes, crossCheck: CrossCheck, runner: ProgramRunner): number {
    const { rows, columns, context } = this.#inputs;
    const { txids } = columns.block;
    const { height } = context;
    let [number, checked] = [-1, 0];
    for (const { gpu } of colours) {
      for (const node of gpu) {
        number++;
        const at = columns.index[rows[node]] * ID_LENGTH;
        if (!crossCheck.isChosen(txids, at, height)) continue;
        const [call, txid] = [this.#written.callOf(rows[node]), txids.subarray(at, at + ID_LENGTH)];
        const of = { calls: this.#calls, programs: this.#written.programs, call, height, txid };
        if (checkCall({ ...of, outcomes, outcome: number }, runner)) checked++;
      }
    }
    return checked;
  }

  /**
   * Turns outcome number `number` of a segment, that of `row`, into a record, over the values meant for the row. False:
   * the kernel gave it up, or saw something else, and a thread must run it. Throws `BlockTooLarge` beyond the budget.
   */
  take(row: number, number: number, outcomes: GpuOutcomes): boolean {
    return this.#reading(row, () => {
      if (this.#countStop(row, outcomes.status(number))) return false;
      return this.#finish(row, number, outcomes);
    });
  }

  /** Counts a call that the kernel gave up; false: it has ended. */
  #countStop(row: number, status: GpuStatus): boolean {
    const { statistics, columns } = this.#inputs;
    if (status === 'PUNT') statistics.punted++;
    else if (status === 'ACCESS_VIOLATION') statistics.accessViolations++;
    else return false;
    note(statistics.notes, 'given-up', columns.index[row], () => txidAt(columns, row));
    return true;
  }

  /** The numbers of the calls of `rows`, and those of their outcomes, given by row, in shared memory. */
  numbersOf(rows: Uint32Array, outcomeOf: Uint32Array): KernelNumbers {
    const shared = (): Uint32Array => new Uint32Array(new SharedArrayBuffer(4 * rows.length));
    const [calls, outcomes] = [shared(), shared()];
    for (let i = 0; i < rows.length; i++) {
      calls[i] = this.#written.callOf(rows[i]);
      outcomes[i] = outcomeOf[rows[i]];
    }
    return { calls, outcomes };
  }

  /** A thread has gone through `row` with outcome number `number` of a segment: counts what became of it. */
  took(row: number, number: number, outcomes: GpuOutcomes, found: 'taken' | 'given up' | 'unreadable'): void {
    const { table } = this.#inputs;
    this.#reading(row, () => {
      if (found === 'unreadable') throw new RangeError('what the kernel left cannot be read');
      if (found === 'given up') this.#countStop(row, outcomes.status(number));
      else if (table.isOk(row)) this.#trusted.add(row);
      return found === 'taken';
    });
  }

  /** Keeps the outcomes of `segment` for the turns of its rows; false, nothing is kept: some calls were given up. */
  keepsForTurns({ colours }: Segment, outcomes: GpuOutcomes): boolean {
    const { rows } = this.#inputs;
    for (let number = 0; number < outcomes.count; number++) {
      const status = outcomes.status(number);
      if (status === 'PUNT' || status === 'ACCESS_VIOLATION') return false;
    }
    this.#kept = outcomes;
    let number = 0;
    for (const { gpu } of colours) for (const node of gpu) this.#numberOfRow.set(rows[node], number++);
    return true;
  }

  /**
   * Goes through `row`, now that all before it are final, with the outcome that was kept. The run says what it does;
   * undefined: its call is another one, or read other values than are there now.
   */
  runAtTurn(row: number): CommonRunner | undefined {
    const outcomes = this.#kept;
    const number = this.#numberOfRow.get(row);
    if (outcomes === undefined || number === undefined) return undefined;
    return this.#reading(row, () => this.#runWith(row, number, outcomes)) ? this.#common : undefined;
  }

  #runWith(row: number, number: number, outcomes: GpuOutcomes): boolean {
    this.#results.expect(this.#written.callOf(row), outcomes, number);
    return this.#common.run(row) && this.#results.wasTaken;
  }

  /** Counts what `read` makes of the outcome of `row`. A program whose outcome cannot be read loses its kernel. */
  #reading(row: number, read: () => boolean): boolean {
    const { statistics, gpu } = this.#inputs;
    const hash = programOf(this.#calls, this.#written.callOf(row));
    try {
      const isTaken = read();
      if (isTaken) statistics.gpuRuns[hash] = (statistics.gpuRuns[hash] ?? 0) + 1;
      return isTaken;
    } catch (error) {
      // Errors with a code, and a block that is too large, come from the CPU's part of the transaction.
      if (error instanceof WarpshrewError || error instanceof BlockTooLarge) throw error;
      gpu.dropKernel(hash, 'read', error);
      statistics.punted++;
      return false;
    }
  }

  /**
   * After `segment`, whose rows are all kept: sets on the device the values that later segments must read, where they
   * differ from what the kernel wrote. These are keys that the CPU wrote, and keys of messages that failed after the
   * kernel had applied their writes. A value that is not set is found stale later, so this only saves work.
   */
  publish(segment: Segment): void {
    const place = this.#placeOf.get(segment) ?? 0;
    const { rows } = this.#inputs;
    if (place === this.#placeOf.size - 1) return;
    for (const { cpu, gpu } of segment.colours) {
      for (const node of cpu) this.#publishRow(rows[node], place);
      for (const node of gpu) if (!this.#trusted.has(rows[node])) this.#publishRow(rows[node], place);
    }
  }

  close(): void {
    this.#run.close();
  }

  #noteKeys(row: number, place: number): void {
    const call = this.#written.callOf(row);
    for (let k = 0; k < keyCount(this.#calls, call); k++) this.#lastPlace[keyNumber(this.#calls, call, k)] = place;
  }

  #finish(row: number, number: number, outcomes: GpuOutcomes): boolean {
    const { table, versions, predictions, budget } = this.#inputs;
    const { state, words } = table;
    const [used, length] = [state.used, words.length];
    eachOverride(row, table, versions, predictions, this.#put);
    // Code under a key may be other code for the next row.
    const { hasCode } = this.#overridden;
    if (hasCode) this.#common.forget();
    try {
      if (!this.#runWith(row, number, outcomes)) return false;
      this.#record(row);
    } finally {
      this.#overridden.restore();
      if (hasCode) this.#common.forget();
    }
    // The kernel applied exactly the writes of the transaction.
    if (this.#common.status === 'OK') this.#trusted.add(row);
    budget.takeBytes(state.used - used + 4 * (words.length - length));
    return true;
  }

  /** Makes what the row has done its record. */
  #record(row: number): void {
    const run = this.#common;
    const { columns, context, table } = this.#inputs;
    const { state, words } = table;
    const { reads, writes } = run;
    this.#out.length = 0;
    writeCommonReceipt(this.#out, context.height, columns, row, run, state, 'gpu');
    const receipt = state.keep(this.#out.bytes, 0, this.#out.length);
    const at = words.take(HEAD + 3 * reads.count + 3 * writes.count + 1);
    const { list } = words;
    list[at + AT.words] = HEAD + 3 * reads.count + 3 * writes.count + 1;
    list[at + AT.flags] = SEEN | KERNEL;
    list[at + AT.receipt] = receipt;
    list[at + AT.receiptEnd] = receipt + this.#out.length;
    list[at + AT.reads] = reads.count;
    list[at + AT.declaredReads] = 0;
    list[at + AT.writes] = writes.count;
    list[at + AT.declaredWrites] = 0;
    list[at + AT.messages] = 1;
    list[at + AT.fuel] = run.fuelUsed;
    list[at + AT.result] = resultOf(run);
    let word = at + HEAD;
    for (let i = 0; i < reads.count; i++) list[word++] = reads.list[i];
    for (let i = 0; i < writes.count; i++) list[word++] = writes.key(i);
    for (let i = 0; i < reads.count; i++) {
      const key = reads.list[i];
      const isOverridden = this.#overridden.has(key);
      list[word++] = isOverridden ? state.starts[key] : BEFORE;
      list[word++] = isOverridden ? state.ends[key] : BEFORE;
    }
    for (let i = 0; i < writes.count; i++) {
      list[word++] = writes.start(i);
      list[word++] = writes.end(i);
    }
    list[word] = MESSAGE_STATUSES.indexOf(run.status);
    table.put(row, at);
  }

  /** Tells the keys that `row` has written, and those that its call may have. */
  #publishRow(row: number, place: number): void {
    const { table } = this.#inputs;
    const { list } = table.words;
    const keys = table.writesOf(row);
    for (let i = 0; i < list[table.recordOf(row) + AT.writes]; i++) {
      const shared = this.#written.sharedKey(list[keys + i]);
      if (shared !== NOT_WRITTEN) this.#set(shared, place);
    }
    const call = this.#written.callOf(row);
    if (call === NOT_WRITTEN) return;
    for (let k = 0; k < keyCount(this.#calls, call); k++) this.#set(keyNumber(this.#calls, call, k), place);
  }

  /** Sets `key` of the kernel to the newest value that there is: all rows which read it later come after that. */
  #set(key: number, place: number): void {
    if (this.#lastPlace[key] <= place) return;
    const { table, versions } = this.#inputs;
    const own = this.#written.tableKey(key);
    const version = versions.find(own, LAST);
    let [start, end] = [0, table.loadBefore(own)];
    start = table.startBefore(own);
    end += start;
    if (version !== NO_VERSION) [start, end] = [versions.start(version), versions.end(version)];
    this.#run.set(key, start === end ? undefined : table.state.bytes.slice(start, end));
  }
}

interface PreparedBlock {
  readonly calls: CallColumns;
  readonly run: GpuBlockRun;
}
