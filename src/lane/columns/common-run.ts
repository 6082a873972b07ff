/**
 * Runs transactions of the common kind (lane-columns.ts) without the generator of ../transaction.ts, whose meaning it
 * has: one message to a contract that exists, assets of at most one sheet, no edicts. Nothing is made per transaction:
 * keys are numbers, values and amounts stay where they lie.
 */
import { InternalError } from '../../errors/errors.js';
import { ResultLayout, TRANSFER_BYTES } from '../../program/result.js';
import type { CallRunner, RunEnd, RunState } from '../../program/run-state.js';
import type { Program, RevertReason, RunStatus } from '../../program/types.js';
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { readU128 } from '../../util/bytes.js';
import { copyWords, LastView, viewOf } from '../../util/words.js';
import { fuelOfBytes } from '../allowance.js';
import type { LaneContext } from '../message.js';
import { RECEIPT_DATA_BYTES } from '../receipt.js';
import { MessageTexts } from '../texts.js';
import type { MessageStatus } from '../types.js';
import { isZero } from './amounts.js';
import type { BlockState } from './block-state.js';
import { callContextBytes, writeCallContext } from './call-context.js';
import { ContractCodes } from './contract-codes.js';
import { type LaneColumns, LOST } from './lane-columns.js';
import { NumberSet } from './number-set.js';
import { isSameId, isSheet, Parcel, SHEET_ENTRY } from './parcel.js';
import { SheetsAhead } from './sheets-ahead.js';
import { Sight } from './sight.js';
import { StateKeys } from './state-keys.js';
import type { WriteLayer } from './write-layer.js';

const CODE_WASM = 0;

export class CommonRunner implements RunState, RunEnd {
  /** Of the transaction that ran last: keys read from outside, in the order of their first reads. */
  readonly reads: NumberSet;
  /** What it has written. */
  readonly writes: WriteLayer;
  status: MessageStatus = 'OK';
  /** Stable text, undefined for OK. */
  error: string | undefined;
  fuelUsed = 0;
  /** False: no contract was looked for. */
  hasTarget = false;
  /** What ran; undefined if nothing did. */
  program: Program | undefined;
  /** Bytes of its result, -1 if it gave none; undefined if it was not run. */
  resultBytes: number | undefined;
  /** The first bytes of the data that it returned, as many as a receipt keeps, and how many there were. */
  readonly data = new Uint8Array(RECEIPT_DATA_BYTES);
  readonly dataView = viewOf(this.data);
  dataBytes = 0;
  /** All contexts of the columns, and all txids of their block. */
  readonly contexts: DataView;
  readonly txids: DataView;
  /** What its contract has said. */
  readonly texts = new MessageTexts();

  /** Whether the state has guesses, each for itself, that need not fit together. */
  isGuess = false;
  isDryRun = false;
  /** A dry run was told that it is one. */
  askedDryRun = false;
  /** Of a dry run: the contract's own keys that it said it would read and write. */
  readonly declaredReads = new NumberSet();
  readonly declaredWrites = new NumberSet();
  readonly #columns: LaneColumns;
  readonly #context: LaneContext;
  readonly #state: BlockState;
  readonly #sight: Sight;
  readonly #runner: CallRunner;
  readonly #keys: StateKeys;
  readonly #sheets: SheetsAhead;
  readonly #codes: ContractCodes;
  #row = 0;
  /** Where the context of the running row begins, without assets. */
  #contextStart = 0;
  /** The sheet that it spends, in the state's bytes; equal: none. */
  #sheetStart = 0;
  #sheetEnd = 0;
  #fuel = 0;
  readonly #result = new ResultLayout();
  readonly #parcel = new Parcel();
  /** The memory of the contract. */
  readonly #memory = new LastView();

  constructor(columns: LaneColumns, context: LaneContext, state: BlockState, runner: CallRunner) {
    this.#columns = columns;
    this.#context = context;
    this.#state = state;
    this.#sight = new Sight(state);
    this.reads = this.#sight.reads;
    this.writes = this.#sight.writes;
    this.#runner = runner;
    this.#keys = new StateKeys(state);
    this.#sheets = new SheetsAhead(columns, state, this.#keys);
    this.#codes = new ContractCodes(state);
    this.contexts = viewOf(columns.contexts);
    this.txids = viewOf(columns.block.txids);
  }

  /**
   * Runs the transaction at `row`, of the common kind. False: it is left to the generator (several sheets, a damaged
   * one, a contract that may call others), and nothing has happened.
   */
  run(row: number, isDryRun = false): boolean {
    const columns = this.#columns;
    const { block, contextStart } = columns;
    this.#row = row;
    this.isDryRun = isDryRun;
    this.askedDryRun = false;
    this.declaredReads.count = 0;
    this.declaredWrites.count = 0;
    this.#contextStart = contextStart[row];
    this.#sight.clear();
    this.#parcel.clear();
    this.hasTarget = false;
    this.program = undefined;
    this.resultBytes = undefined;
    this.dataBytes = 0;
    if (!this.texts.isEmpty) this.texts.clear();
    if (!this.#spendSheets()) return false;
    const { watch } = this.#context;
    const index = columns.index[row];
    watch?.begin(index, block.txids, index * ID_LENGTH);
    this.#fuel = fuelOfBytes(block.starts[index + 1] - block.starts[index]);
    this.writes.begin();
    const hasRun = this.#runMessage();
    watch?.end();
    return hasRun;
  }

  /** Reads what `row` and others behind it spend, if it was not read before. */
  readAhead(row: number): void {
    this.#sheets.loadFor(row);
  }

  /** Reads what the rows from place `from` to `to` of `rows` spend. */
  readSheetsOf(rows: Uint32Array, from: number, to: number): void {
    this.#sheets.loadRows(rows, from, to);
  }

  /** Keys have other numbers now. */
  forget(): void {
    this.#keys.forget();
    this.#sheets.forget();
    this.#codes.forget();
  }

  /** Makes what it has written the state. */
  apply(): void {
    const { writes } = this;
    for (let i = 0; i < writes.count; i++) this.#state.set(writes.key(i), writes.start(i), writes.end(i));
  }

  /** Deletes the sheets of the spent outpoints. */
  #spendSheets(): boolean {
    const { block, index } = this.#columns;
    const at = index[this.#row];
    const inputs = block.firstInput[at + 1] - block.firstInput[at];
    this.#sheetStart = 0;
    this.#sheetEnd = 0;
    for (let input = 0; input < inputs; input++) {
      const number = this.#sheets.numberOf(this.#row, input);
      if (this.#sight.see(number) === 0) continue;
      if (this.#sheetEnd > 0 || !isSheet(this.#state.view, this.#sight.start, this.#sight.end)) return false;
      this.#sheetStart = this.#sight.start;
      this.#sheetEnd = this.#sight.end;
      this.writes.set(number, 0, 0);
    }
    return true;
  }

  /** False: its contract may call others. */
  #runMessage(): boolean {
    const { height, laneStartHeight, dependent } = this.#context;
    const { firstParent } = this.#columns;
    const before = this.#fuel;
    if (height < laneStartHeight) this.#fail('REJECTED', 'below the lane start height');
    else if (dependent === 'reject' && firstParent[this.#row + 1] > firstParent[this.#row]) {
      this.#fail('REJECTED', 'depends on a lane transaction of this block');
    } else {
      this.hasTarget = true;
      this.program = this.#findProgram();
      if (this.program?.makesCalls) return false;
      if (this.program === undefined) this.#fail('REJECTED', 'no code at the target');
      else if (!this.#creditIncoming()) this.#fail('REJECTED', 'sum over u128 on a balance');
      else this.#runner.runInPlace(this.program, this, this.#fuel, this);
    }
    this.fuelUsed = before - this.#fuel;
    return true;
  }

  /** The message has failed: nothing of it stays, what it has written counts as read, its assets go to its refund. */
  #fail(status: MessageStatus, error: string): void {
    this.status = status;
    this.error = error;
    this.writes.drop(this.reads, this.#state);
    const refund = this.#columns.refund[this.#row];
    if (this.#sheetEnd === 0 || refund === LOST) return;
    this.writes.set(this.#outputKey(refund), this.#sheetStart, this.#sheetEnd);
  }

  /** Key of the sheet on output `vout` of the transaction. */
  #outputKey(vout: number): number {
    return this.#keys.sheetOn(this.txids, this.#columns.index[this.#row] * ID_LENGTH, vout);
  }

  /** The program of the target, one clone step followed. */
  #findProgram(): Program | undefined {
    const state = this.#state;
    const key = this.#keys.code(this.contexts, this.#contextStart);
    if (this.#sight.see(key) === 0) return undefined;
    if (state.bytes[this.#sight.start] === CODE_WASM)
      return this.#codes.programAt(key, this.#sight.start, this.#sight.end);
    const original = this.#keys.code(state.view, this.#sight.start + 1);
    if (this.#sight.see(original) === 0 || state.bytes[this.#sight.start] !== CODE_WASM) {
      if (this.isGuess) return undefined;
      throw new InternalError('a clone points at an id without code', { facts: { key: state.keyText(key) } });
    }
    return this.#codes.programAt(original, this.#sight.start, this.#sight.end);
  }

  /** Key of the balance of the asset whose id lies at `at`, held by the target. */
  #balanceOf(bytes: DataView, at: number): number {
    return this.#keys.balance(bytes, at, this.contexts, this.#contextStart);
  }

  /** Adds the incoming assets to the balances of the contract; false if a sum passes u128. */
  #creditIncoming(): boolean {
    const state = this.#state;
    for (let at = this.#sheetStart; at < this.#sheetEnd; at += SHEET_ENTRY) {
      if (!this.#sight.credit(this.#balanceOf(state.view, at), at)) return false;
    }
    return true;
  }

  ended(
    status: RunStatus,
    reason: RevertReason,
    fuelLeft: number,
    askedDryRun: boolean,
    memory: Uint8Array,
    at: number,
    length: number,
  ): boolean {
    this.#fuel = fuelLeft;
    this.resultBytes = length;
    this.askedDryRun = askedDryRun;
    const result = this.#result;
    if (status === 'REVERT') this.#fail('REVERT', reason);
    else if (status === 'TRAP') this.#fail('TRAP', 'trap');
    else if (status === 'OUT_OF_FUEL') this.#outOfFuel();
    else if (length < 0) this.#fail('REJECTED', 'bad result pointer');
    else if (!result.read(memory, at, at + length)) this.#fail('REJECTED', 'malformed result');
    else if (result.fuel > fuelLeft) this.#outOfFuel();
    else {
      this.#fuel -= result.fuel;
      const view = this.#memory.of(memory);
      this.#store(view);
      const error = this.#payOut(view);
      if (error === undefined) this.#succeed(view);
      else this.#fail('REJECTED', error);
    }
    return false;
  }

  #outOfFuel(): void {
    this.#fuel = 0;
    this.#fail('OUT_OF_FUEL', 'out of fuel');
  }

  /** Applies the storage map of the result. */
  #store(memory: DataView): void {
    const state = this.#state;
    const { entries, entriesAt } = this.#result;
    for (let n = entries, at = entriesAt; n > 0; n--) {
      const keyAt = at + 4;
      const keyEnd = keyAt + memory.getUint32(at, true);
      const valueAt = keyEnd + 4;
      at = valueAt + memory.getUint32(keyEnd, true);
      const key = this.#ownKey(memory, keyAt, keyEnd);
      const to = at === valueAt ? 0 : state.keepWords(memory, valueAt, at);
      this.writes.set(key, to, to + at - valueAt);
    }
  }

  /** Number of the contract's own key that lies from `start` to `end`. */
  #ownKey(memory: DataView, start: number, end: number): number {
    return this.#keys.own(this.contexts, this.#contextStart, memory, start, end);
  }

  /** Takes the transfers of the result off the contract's balances; gives why it cannot. */
  #payOut(memory: DataView): string | undefined {
    const { transfers, transfersAt } = this.#result;
    for (let n = transfers, at = transfersAt; n > 0; n--, at += TRANSFER_BYTES) {
      const amountAt = at + ID_LENGTH;
      if (isZero(memory, amountAt)) continue;
      const key = this.#balanceOf(memory, at);
      const isOwn = isSameId(memory, at, this.contexts, this.#contextStart);
      if (!this.#sight.debit(key, memory, amountAt, isOwn)) return 'transfer beyond the balance';
      if (!this.#parcel.add(key, memory, at, amountAt)) return 'sum over u128 of a parcel';
    }
    return undefined;
  }

  /** The message holds: its parcel goes to its pointer. */
  #succeed(memory: DataView): void {
    this.status = 'OK';
    this.error = undefined;
    this.#writeParcel(memory);
    const { dataAt, dataBytes } = this.#result;
    this.dataBytes = dataBytes;
    copyWords(memory, dataAt, dataAt + Math.min(dataBytes, RECEIPT_DATA_BYTES), this.dataView, 0);
  }

  #writeParcel(memory: DataView): void {
    const pointer = this.#columns.pointer[this.#row];
    if (this.#parcel.count === 0 || pointer === LOST) return;
    const state = this.#state;
    const length = this.#parcel.count * SHEET_ENTRY;
    const start = state.room(length);
    this.#parcel.write(memory, state.view, start);
    state.take(length);
    this.writes.set(this.#outputKey(pointer), start, start + length);
  }

  get height(): number {
    return this.#context.height;
  }

  get transaction(): Uint8Array {
    const { block, index } = this.#columns;
    const at = index[this.#row];
    return block.raw.subarray(block.starts[at], block.starts[at + 1]);
  }

  get block(): Uint8Array {
    return this.#context.block;
  }

  get contextBytes(): number {
    return callContextBytes(this.#columns, this.#row, this.#sheetEnd - this.#sheetStart);
  }

  writeContext(memory: Uint8Array, at: number): void {
    const to = this.#memory.of(memory);
    const state = this.#state.view;
    writeCallContext(this.#columns, this.#row, this.contexts, state, this.#sheetStart, this.#sheetEnd, to, at);
  }

  findStorage(memory: Uint8Array, start: number, end: number): number {
    return this.#sight.see(this.#ownKey(this.#memory.of(memory), start, end));
  }

  findBalance(memory: Uint8Array, who: number, what: number): number {
    const view = this.#memory.of(memory);
    return this.#sight.see(this.#keys.balance(view, what, view, who));
  }

  writeFound(memory: Uint8Array, at: number): void {
    copyWords(this.#state.view, this.#sight.start, this.#sight.end, this.#memory.of(memory), at);
  }

  sequence(): bigint {
    return this.#sight.see(this.#keys.sequence()) === 0 ? 1n : readU128(this.#state.bytes, this.#sight.start);
  }

  declareRead(memory: Uint8Array, start: number, end: number): void {
    this.#declare(this.declaredReads, memory, start, end);
  }
  declareWrite(memory: Uint8Array, start: number, end: number): void {
    this.#declare(this.declaredWrites, memory, start, end);
  }

  call(): never {
    throw new InternalError('a contract that may call others was run without the generator');
  }

  #declare(keys: NumberSet, memory: Uint8Array, start: number, end: number): void {
    if (this.isDryRun) keys.include(this.#ownKey(this.#memory.of(memory), start, end));
  }
}
