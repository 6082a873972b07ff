/** What a thread does with rows of a block: dry runs, and runs over given values; nothing is applied. */
import { InternalError, WarpshrewError } from '../../errors/errors.js';
import { outcomesOf } from '../../gpu/pack/outcomes.js';
import type { CallOutcomes, SharedOutcomes } from '../../gpu/pack/types.js';
import { BlockState, BlockStateReader } from '../../lane/columns/block-state.js';
import { writeCommonReceipt } from '../../lane/columns/common-receipt.js';
import { CommonRunner } from '../../lane/columns/common-run.js';
import { isCommon, type LaneColumns, transactionAt } from '../../lane/columns/lane-columns.js';
import { giveStateBack, lendState } from '../../lane/columns/lent-state.js';
import type { DeclaredKeys, LaneContext } from '../../lane/message.js';
import { LONG_CODE } from '../../lane/overlay.js';
import { IN_TURN, makeReceipt } from '../../lane/receipt.js';
import { writeReceipt } from '../../lane/receipt-bytes.js';
import { ReceiptWriter } from '../../lane/receipt-parts.js';
import { laneTransaction } from '../../lane/transaction.js';
import { type LaneKey, type LaneOutcome, MESSAGE_STATUSES } from '../../lane/types.js';
import type { ProgramRunner } from '../../program/runner.js';
import { BlockTooLarge } from './block-weight.js';
import type { CachingReader } from './caching-reader.js';
import { KernelResults } from './kernel-results.js';
import { OverriddenKeys } from './overridden-keys.js';
import type { RowQueue } from './row-queue.js';
import {
  ASKED,
  BEFORE,
  GIVEN_UP,
  HEAD,
  KERNEL,
  KEY_WORDS,
  NOT_CALLED,
  RAN,
  REPLY_HEAD,
  type RowReply,
  type RowTask,
  type RunOfRows,
  resultOf,
  SEEN,
  UNDONE,
  UNREADABLE,
  Words,
} from './row-records.js';
import { TimeSampler } from './time-sampler.js';

/** Longer values before the block are not told: who wants one reads it. */
const MOST_TOLD = 256;
/** What a thread keeps of a block in bytes before it numbers keys anew. */
const MOST_KEPT = 64 * 1024 * 1024;

/** Rows of a reply, and its bytes, from which on it is sent: what it says is taken while other rows run. */
const REPLY_ROWS = 64;
const REPLY_BYTES = 256 * 1024;

const NONE: ReadonlySet<string> = new Set();

/** What goes through rows of the kernel. */
interface KernelWork {
  readonly shared: SharedOutcomes;
  readonly outcomes: CallOutcomes;
  readonly results: KernelResults;
  readonly run: CommonRunner;
}

export class RowTasks {
  readonly #columns: LaneColumns;
  readonly #context: LaneContext;
  readonly #before: CachingReader;
  readonly #runner: ProgramRunner;
  readonly #leftToKernel: ReadonlySet<string>;
  readonly #mostKept: number;
  #state: BlockState;
  #reader: BlockStateReader;
  #common: CommonRunner;
  #overridden: OverriddenKeys;
  /** Keys below it have been told since they were last numbered anew. */
  #told = 0;
  #generation = 0;
  readonly #words = new Words();
  readonly #newKeys = new Words();
  /** Keys that a dry run names beside those that the recorded run reads and writes. */
  readonly #namedReads = new Words();
  readonly #namedWrites = new Words();
  readonly #out = new ReceiptWriter();
  /** Rows of the reply. */
  readonly #taken = new Words();
  #kernel: KernelWork | undefined;
  #times: number[] = [];
  readonly #sampler = new TimeSampler((ms) => this.#times.push(ms));

  /**
   * `leftToKernel`: hashes of programs whose whole runs the kernel makes: no whole run follows their dry runs here.
   */
  constructor(
    readonly thread: number,
    columns: LaneColumns,
    context: LaneContext,
    before: CachingReader,
    runner: ProgramRunner,
    leftToKernel = NONE,
    mostKept = MOST_KEPT,
  ) {
    this.#leftToKernel = leftToKernel;
    this.#mostKept = mostKept;
    this.#columns = columns;
    this.#context = context;
    this.#before = before;
    this.#runner = runner;
    this.#state = lendState(before.unkept);
    this.#reader = new BlockStateReader(this.#state, before);
    this.#common = new CommonRunner(columns, context, this.#state, runner);
    this.#overridden = new OverriddenKeys(this.#state);
  }

  /** Bytes that are kept between two tasks, about. */
  get bytes(): number {
    return this.#state.bytes.length + this.#out.bytes.length;
  }

  /** Runs nothing any more: its memory serves the next block. */
  release(): void {
    giveStateBack(this.#state);
  }

  /** The kernel has run calls of rows: tasks that say so go through these with what it found. */
  learnOutcomes(outcomes: SharedOutcomes): void {
    const results = new KernelResults(outcomes.calls);
    const run = new CommonRunner(this.#columns, this.#context, this.#state, results);
    this.#kernel = { outcomes: outcomesOf(outcomes), results, run, shared: outcomes };
  }

  /** Runs the rows of `task`. Throws `BlockTooLarge` when their records take more than `mostBytes`. */
  run(task: RowTask, mostBytes: number): RowReply {
    this.#beginReply();
    this.#runPlaces(task.rows, 0, task.rows.length, task, mostBytes);
    return this.#reply(task.rows);
  }

  /**
   * Runs rows of `queue`, those of part `own` first, until there are enough for a reply; undefined: none is left.
   * Throws `BlockTooLarge` when their records take more than `mostBytes`, or all of the queue more than they may.
   */
  runSome(queue: RowQueue, own: number, how: RunOfRows, mostBytes: number): RowReply | undefined {
    this.#beginReply();
    this.#taken.length = 0;
    while (this.#taken.length < REPLY_ROWS && this.#replyBytes < REPLY_BYTES && queue.take(own)) {
      const { rows, from, to } = queue;
      this.#runPlaces(rows, from, to, how, mostBytes);
      for (let place = from; place < to; place++) this.#taken.push(rows[place]);
    }
    if (this.#taken.length === 0) return undefined;
    queue.keep(this.#replyBytes);
    return this.#reply(this.#taken.taken());
  }

  #beginReply(): void {
    if (this.#state.used > this.#mostKept) this.#numberAnew();
    this.#words.length = 0;
    this.#words.take(REPLY_HEAD);
    this.#newKeys.length = 0;
    this.#out.length = 0;
    this.#times = [];
  }

  /** Runs the rows from place `from` to `to` of a task. */
  #runPlaces(rows: Uint32Array, from: number, to: number, { overrides, kernel }: RunOfRows, mostBytes: number): void {
    if (overrides === undefined) this.#common.readSheetsOf(rows, from, to);
    const isGuess = overrides !== undefined;
    this.#reader.isGuess = isGuess;
    this.#common.isGuess = isGuess;
    if (this.#kernel !== undefined) this.#kernel.run.isGuess = isGuess;
    for (let i = from; i < to; i++) {
      this.#sampler.begin();
      if (overrides === undefined) this.#runOne(rows[i], true);
      else {
        // Code under a key may be other code for the next row.
        this.#overridden.set(overrides, i);
        const { hasCode } = this.#overridden;
        if (hasCode) this.#forgetCode();
        if (kernel === undefined) this.#runOne(rows[i], false);
        else this.#takeFromKernel(rows[i], kernel.calls[i], kernel.outcomes[i]);
        this.#overridden.restore();
        if (hasCode) this.#forgetCode();
      }
      // The kernel's own time is counted with its segment.
      this.#sampler.end(kernel === undefined);
      this.#tellKeys();
      if (this.#replyBytes > mostBytes) throw new BlockTooLarge();
    }
  }

  get #replyBytes(): number {
    return 4 * (this.#words.length + this.#newKeys.length) + this.#out.length;
  }

  #reply(rows: Uint32Array<ArrayBuffer>): RowReply {
    const newKeysAt = this.#words.length;
    this.#words.add(this.#newKeys.list, this.#newKeys.length);
    this.#words.list[0] = this.#generation;
    this.#words.list[1] = rows.length;
    this.#words.list[2] = newKeysAt;
    const bytes = this.#out.bytes.slice(0, this.#out.length);
    return { rows, thread: this.thread, words: this.#words.taken(), bytes, times: this.#times };
  }

  #numberAnew(): void {
    this.#state = new BlockState(this.#before.unkept);
    this.#reader = new BlockStateReader(this.#state, this.#before);
    this.#common = new CommonRunner(this.#columns, this.#context, this.#state, this.#runner);
    this.#overridden = new OverriddenKeys(this.#state);
    if (this.#kernel !== undefined) this.learnOutcomes(this.#kernel.shared);
    this.#told = 0;
    this.#generation++;
  }

  #forgetCode(): void {
    this.#common.forget();
    this.#kernel?.run.forget();
  }

  /** Goes through `row` with what the kernel says of its call, as far as that is what the row calls and sees here. */
  #takeFromKernel(row: number, call: number, outcome: number): void {
    if (this.#kernel === undefined) throw new InternalError('a thread has not been told what the kernel found');
    const { outcomes, results, run } = this.#kernel;
    this.#namedReads.length = 0;
    this.#namedWrites.length = 0;
    results.expect(call, outcomes, outcome);
    let flags = GIVEN_UP;
    try {
      if (run.run(row) && results.wasTaken) flags = SEEN | KERNEL;
    } catch (error) {
      // Errors with a code come from the CPU's part of the transaction.
      if (error instanceof WarpshrewError) throw error;
      flags |= UNREADABLE;
    }
    if (flags === (SEEN | KERNEL)) this.#recordCommon(row, flags, run);
    else {
      this.#begin(flags, this.#out.length, 0, 0, 0, 0, 0);
      this.#words.push(0);
      this.#words.push(NOT_CALLED);
    }
  }

  #runOne(row: number, isDryRun: boolean): void {
    const run = this.#common;
    this.#namedReads.length = 0;
    this.#namedWrites.length = 0;
    if (!isCommon(this.#columns, row) || !run.run(row, isDryRun)) {
      this.#runGeneral(row, isDryRun);
      return;
    }
    if (isDryRun) {
      this.#namedReads.add(run.declaredReads.list, run.declaredReads.count);
      this.#namedWrites.add(run.declaredWrites.list, run.declaredWrites.count);
    }
    let flags = isDryRun ? 0 : SEEN;
    if (run.askedDryRun && isDryRun && run.program !== undefined && this.#leftToKernel.has(run.program.hash)) {
      flags = ASKED;
    } else if (run.askedDryRun && isDryRun) {
      // Such a dry run counts for nothing but its keys. A whole run does, unless the row must wait for others.
      this.#namedReads.add(run.reads.list, run.reads.count);
      this.#namedWrites.add(run.writes.keys, run.writes.count);
      run.run(row);
      flags = RAN;
    }
    this.#recordCommon(row, flags, run);
  }

  /**
   * What a receipt says of how its transaction was run is set by the engine. A dry run that counts for nothing but its
   * keys has none.
   */
  #recordCommon(row: number, flags: number, run: CommonRunner): void {
    const { reads, writes } = run;
    const out = this.#out;
    const receipt = out.length;
    if ((flags & ASKED) === 0) {
      writeCommonReceipt(out, this.#context.height, this.#columns, row, run, this.#state, IN_TURN.executor);
    }
    const [moreReads, moreWrites] = [this.#namedReads, this.#namedWrites];
    this.#begin(flags, receipt, reads.count, moreReads.length, writes.count, moreWrites.length, 1);
    this.#words.push(run.fuelUsed);
    this.#words.push(resultOf(run));
    this.#words.add(reads.list, reads.count);
    this.#words.add(moreReads.list, moreReads.length);
    this.#words.add(writes.keys, writes.count);
    this.#words.add(moreWrites.list, moreWrites.length);
    if ((flags & SEEN) !== 0) this.#seen(reads.list, reads.count);
    for (let i = 0; i < writes.count; i++) this.#value(this.#state.bytes, writes.start(i), writes.end(i));
    this.#words.push(MESSAGE_STATUSES.indexOf(run.status));
  }

  #runGeneral(row: number, isDryRun: boolean): void {
    const declared: DeclaredKeys = { reads: new Set(), writes: new Set() };
    const run = laneTransaction(transactionAt(this.#columns, row), this.#context, this.#reader, declared);
    let asked = false;
    let step = run.next();
    while (!step.done) {
      const { program, host, fuel } = step.value;
      const end = this.#runner.run(program, host(isDryRun), fuel);
      asked ||= end.askedDryRun;
      step = run.next(end);
    }
    if (!isDryRun) {
      declared.reads.clear();
      declared.writes.clear();
    }
    this.#recordGeneral(step.value, declared, isDryRun, asked);
  }

  #recordGeneral(outcome: LaneOutcome, declared: DeclaredKeys, isDryRun: boolean, asked: boolean): void {
    const { reads, writes, messages, undone } = outcome;
    const out = this.#out;
    const receipt = out.length;
    writeReceipt(out, makeReceipt(this.#context.height, outcome, IN_TURN));
    const numbersOf = (keys: Iterable<LaneKey>) => Uint32Array.from(keys, (key) => this.#state.keyOfText(key));
    const read = numbersOf(reads.keys());
    const flags = (asked ? ASKED : 0) | (isDryRun ? 0 : SEEN) | (undone === undefined ? 0 : UNDONE);
    this.#begin(flags, receipt, reads.size, declared.reads.size, writes.size, declared.writes.size, messages.length);
    this.#words.push(messages.reduce((sum, { fuelUsed }) => sum + fuelUsed, 0));
    this.#words.push(NOT_CALLED);
    this.#learn(read, reads.values());
    for (const keys of [read, declared.reads, writes.keys(), declared.writes]) {
      const numbers = keys === read ? read : numbersOf(keys as Iterable<LaneKey>);
      this.#words.add(numbers, numbers.length);
    }
    if (!isDryRun) this.#seen(read, read.length);
    for (const value of writes.values()) this.#value(value, 0, value?.length ?? 0);
    for (const { status } of messages) this.#words.push(MESSAGE_STATUSES.indexOf(status));
  }

  /** Values that the generator has read are those before the block, but for those in their place. */
  #learn(keys: Uint32Array, values: Iterable<Uint8Array | undefined>): void {
    const state = this.#state;
    let i = 0;
    for (const value of values) {
      const key = keys[i++];
      if (state.isKnown(key) || value === LONG_CODE) continue;
      const at = value === undefined ? 0 : state.keep(value, 0, value.length);
      state.learn(key, at, at + (value?.length ?? 0));
    }
  }

  #begin(
    flags: number,
    receipt: number,
    reads: number,
    declaredReads: number,
    writes: number,
    declaredWrites: number,
    messages: number,
  ): void {
    const seen = (flags & SEEN) === 0 ? 0 : 2 * reads;
    this.#words.push(HEAD + reads + declaredReads + 3 * writes + declaredWrites + seen + messages);
    this.#words.push(flags);
    this.#words.push(receipt);
    this.#words.push(this.#out.length);
    this.#words.push(reads);
    this.#words.push(declaredReads);
    this.#words.push(writes);
    this.#words.push(declaredWrites);
    this.#words.push(messages);
  }

  /** Where the values of `keys` lie that the row has seen. */
  #seen(keys: Uint32Array, count: number): void {
    const { bytes, starts, ends } = this.#state;
    for (let i = 0; i < count; i++) {
      if (this.#overridden.has(keys[i])) this.#value(bytes, starts[keys[i]], ends[keys[i]]);
      else {
        this.#words.push(BEFORE);
        this.#words.push(BEFORE);
      }
    }
  }

  #value(from: Uint8Array | undefined, start: number, end: number): void {
    const at = this.#out.length;
    if (from !== undefined && end > start) this.#out.part(from, start, end);
    this.#words.push(at);
    this.#words.push(this.#out.length);
  }

  /** Tells the keys that have got a number, and their values before the block. */
  #tellKeys(): void {
    const state = this.#state;
    const out = this.#out;
    for (; this.#told < state.keys; this.#told++) {
      const key = this.#told;
      const at = this.#newKeys.take(KEY_WORDS);
      const words = this.#newKeys.list;
      words[at] = out.length;
      out.part(state.bytes, state.keyStart(key), state.keyEnd(key));
      words[at + 1] = out.length;
      const isTold = state.isKnown(key) && state.ends[key] - state.starts[key] <= MOST_TOLD;
      words[at + 2] = isTold ? 1 : 0;
      words[at + 3] = out.length;
      if (isTold) out.part(state.bytes, state.starts[key], state.ends[key]);
      words[at + 4] = out.length;
    }
  }
}
