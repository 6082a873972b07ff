/** Calls of rows as the kernel wants them, from where everything of a block lies: nothing is made per call or key. */
import {
  type CallColumns,
  hashKey,
  MAX_BYTES_PER_CALL,
  MAX_KEYS_PER_CALL,
  MAX_RECORD_BYTES,
} from '../../gpu/pack/records.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_READ, KEY_RECORD, KEY_WRITTEN, NONE } from '../../gpu/translate/layout.js';
import { fuelOfBytes } from '../../lane/allowance.js';
import { callContextBytes, writeCallContext } from '../../lane/columns/call-context.js';
import { CommonRunner } from '../../lane/columns/common-run.js';
import type { LaneColumns } from '../../lane/columns/lane-columns.js';
import { NumberSet } from '../../lane/columns/number-set.js';
import type { LaneContext } from '../../lane/message.js';
import type { CallRunner } from '../../program/run-state.js';
import type { Program } from '../../program/types.js';
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { writeU32 } from '../../util/bytes.js';
import { copyBytes } from '../../util/copy-bytes.js';
import { longer } from '../../util/longer.js';
import { LastView } from '../../util/words.js';
import { AT, HEAD, NOT_CALLED, SharedWords, Words } from '../tasks/row-records.js';
import type { BlockMemory } from './block-memory.js';
import { contextsOf } from './contexts-of.js';
import { NO_PREDICTION, type Predictions } from './predictions.js';
import type { RowGroups } from './row-groups.js';
import type { RowTable } from './row-table.js';
import { sortAccesses } from './sort-accesses.js';

/** No call. */
export const NOT_WRITTEN = -1;
/** Keys of sheets begin with `sheet/`, and no others have an `h` there. */
const SHEET_LETTER = 'h'.charCodeAt(0);
const STORE = new TextEncoder().encode('store/');
/** Of an own key of a contract: `store/`, its id and `/`. */
const BEFORE_OWN = STORE.length + ID_LENGTH + 1;
/** Contexts begin at multiples of it, as they do in the columns. */
const CONTEXT_PLACE = 16;
const FIRST_BYTES = 64 * 1024;
const HEAD_FIELDS = CALL_RECORD.offset;
const KEY_FIELDS = KEY_RECORD.offset;
const ACCESS_FIELDS = ACCESS_RECORD.offset;

/** What the calls are made of. */
export interface KernelCallsInputs {
  /** Start of the key hashes. */
  readonly seed: number;
  readonly columns: LaneColumns;
  readonly context: LaneContext;
  readonly table: RowTable;
  readonly groups: RowGroups;
  readonly predictions: Predictions | undefined;
  readonly memory: BlockMemory;
  /** Rows, ascending, nearly all of which will be written: contexts are copied together. undefined: one by one. */
  readonly together?: Uint32Array;
}

/**
 * Writes the calls of rows, over the state before the block, into the columns that are packed for the kernel. Keys are
 * those of the rows' dry runs. A read that is predicted is a key of its own, which no other call shares: its value is
 * the predicted one.
 */
export class KernelCalls implements CallRunner {
  readonly #inputs: KernelCallsInputs;
  readonly #common: CommonRunner;
  readonly #heads: Words;
  readonly #accesses: Words;
  readonly #keys: Words;
  #bytes: Uint8Array;
  readonly #view = new LastView();
  #length = 0;
  #calls = 0;
  /** By key of the table: number of the kernel's key that calls share + 1, and where its bytes lie + 1. */
  #sharedOf = new Uint32Array(1_024);
  #placeOf = new Uint32Array(1_024);
  /** By key of the table: the group + 1 whose contract's own it is, where that is known. */
  #ownerOf = new Uint32Array(1_024);
  /** By key of the kernel: the table's. */
  readonly #tableKeys = new Words();
  /** The programs of the calls, by hash, and their numbers. */
  readonly programs = new Map<string, Program>();
  readonly #programNumbers = new Map<string, number>();
  /** By row: its call, {@link NOT_WRITTEN} if it has none. */
  readonly #callOfRow: Int32Array;
  /** By group of rows: the program that they call. */
  readonly #programOf = new Map<number, Program>();
  /** The keys of the call that is being written, and what it does with each. */
  readonly #own = new NumberSet();
  readonly #flags = new Words();
  /** What the row that runs has called. */
  #program: Program | undefined;
  #contextAt = 0;
  #contextEnd = 0;
  /** Which of the columns' contexts lie in front; end 0: none. */
  #contextsStart = 0;
  #contextsEnd = 0;

  constructor(inputs: KernelCallsInputs) {
    this.#inputs = inputs;
    const { columns, context, table, memory } = inputs;
    this.#heads = new SharedWords(memory.takeWords('calls'));
    this.#accesses = new SharedWords(memory.takeWords('accesses'));
    this.#keys = new SharedWords(memory.takeWords('keys'));
    this.#bytes = memory.takeBytes('calls') ?? shared(FIRST_BYTES);
    this.#callOfRow = new Int32Array(columns.count).fill(NOT_WRITTEN);
    this.#common = new CommonRunner(columns, { ...context, watch: undefined }, table.state, this);
  }

  /** The program that `row` calls; undefined: it calls none, or the generator must run it. */
  programOf(row: number): Program | undefined {
    const { table, groups } = this.#inputs;
    if (table.words.list[table.recordOf(row) + AT.result] === NOT_CALLED) return undefined;
    const group = groups.of(row);
    const known = this.#programOf.get(group);
    if (known !== undefined) return known;
    const program = this.#runTo(row);
    if (program !== undefined) this.#programOf.set(group, program);
    return program;
  }

  /** Writes the call of `row`; false: it makes none that the kernel can take. */
  add(row: number): boolean {
    const { table, columns, context } = this.#inputs;
    const { list } = table.words;
    const at = table.recordOf(row);
    if (this.bytes > MAX_RECORD_BYTES) return false;
    if (this.#calls === 0) this.#copyContexts();
    const [length, keys] = [this.#length, this.#keys.length];
    const program = this.programOf(row);
    if (program === undefined) return false;
    this.#writeContext(row);
    if (!this.#collectKeys(row, at)) {
      this.#length = length;
      return false;
    }
    const { starts } = columns.block;
    const index = columns.index[row];
    const head = this.#heads.take(CALL_RECORD.words);
    const heads = this.#heads.list;
    heads[head + HEAD_FIELDS.PROGRAM] = this.#numberOf(program);
    heads[head + HEAD_FIELDS.CONTEXT_AT] = this.#contextAt;
    heads[head + HEAD_FIELDS.CONTEXT_BYTES] = this.#contextEnd - this.#contextAt;
    heads[head + HEAD_FIELDS.FUEL] = fuelOfBytes(starts[index + 1] - starts[index]);
    heads[head + HEAD_FIELDS.HEIGHT] = context.height;
    heads[head + HEAD_FIELDS.FIRST_ACCESS] = this.#accesses.length / ACCESS_RECORD.words;
    heads[head + HEAD_FIELDS.ACCESSES] = this.#own.count;
    heads[head + HEAD_FIELDS.EXPECTED_BYTES] = list[at + AT.result];
    this.#addAccesses(row);
    const isCopied = this.#contextAt >= length;
    if (this.#length - length + (isCopied ? 0 : this.#contextEnd - this.#contextAt) > MAX_BYTES_PER_CALL) {
      this.#drop(length, keys, head);
      return false;
    }
    this.#callOfRow[row] = this.#calls++;
    return true;
  }

  /** Start of the hashes of keys. */
  get seed(): number {
    return this.#inputs.seed;
  }

  /** Bytes of all calls written. */
  get bytes(): number {
    return 4 * (this.#heads.length + this.#accesses.length + this.#keys.length) + this.#length;
  }

  /** Number of the call of `row`, {@link NOT_WRITTEN} if it has none. */
  callOf(row: number): number {
    return this.#callOfRow[row];
  }

  /** All calls written, where they lie: in shared memory, until {@link release}. */
  taken(): CallColumns {
    return {
      count: this.#calls,
      programs: [...this.programs.keys()],
      heads: this.#heads.view,
      accesses: this.#accesses.view,
      keys: this.#keys.view,
      bytes: this.#bytes.subarray(0, this.#length),
    };
  }

  /** No thread looks at the calls any more. */
  release(): void {
    const { memory } = this.#inputs;
    memory.giveBackWords('calls', this.#heads.list);
    memory.giveBackWords('accesses', this.#accesses.list);
    memory.giveBackWords('keys', this.#keys.list);
    memory.giveBackBytes('calls', this.#bytes);
  }

  /** The kernel's key that calls share for key `key` of the table; {@link NOT_WRITTEN} if none does. */
  sharedKey(key: number): number {
    return (key < this.#sharedOf.length ? this.#sharedOf[key] : 0) - 1;
  }

  /** The table's key for key `key` of the kernel. */
  tableKey(key: number): number {
    return this.#tableKeys.list[key];
  }

  runInPlace(program: Program): void {
    this.#program = program;
  }

  /** Writes the context of the call of `row`, which spends one sheet at most: those that it reads come first. */
  #writeContext(row: number): void {
    const { table, columns } = this.#inputs;
    const [{ state }, { list }] = [table, table.words];
    const at = table.recordOf(row);
    const first = at + HEAD;
    let [start, end] = [0, 0];
    for (let i = first; i < first + list[at + AT.reads] && end === start; i++) {
      const key = list[i];
      if (state.bytes[state.keyStart(key) + 1] !== SHEET_LETTER) break;
      const length = table.loadBefore(key);
      start = table.startBefore(key);
      end = start + length;
    }
    const bytes = callContextBytes(columns, row, end - start);
    const own = columns.contextStart[row] - this.#contextsStart;
    if (end === start && own >= 0 && own + bytes <= this.#contextsEnd - this.#contextsStart) {
      this.#contextAt = own;
      this.#contextEnd = own + bytes;
      return;
    }
    // Shared memory is copied byte for byte where the places are not alike to the word.
    this.#length = (this.#length + CONTEXT_PLACE - 1) & -CONTEXT_PLACE;
    this.#contextAt = this.#room(bytes);
    this.#contextEnd = this.#contextAt + bytes;
    const to = this.#view.of(this.#bytes);
    writeCallContext(columns, row, this.#common.contexts, state.view, start, end, to, this.#contextAt);
  }

  /** Copies contexts, as they are for calls without assets, once, in front of everything else. */
  #copyContexts(): void {
    const { columns, together } = this.#inputs;
    if (together === undefined || this.#contextsEnd > 0) return;
    [this.#contextsStart, this.#contextsEnd] = contextsOf(columns, together);
    const at = this.#room(this.#contextsEnd - this.#contextsStart);
    this.#bytes.set(columns.contexts.subarray(this.#contextsStart, this.#contextsEnd), at);
  }

  /** Runs `row` up to its call; gives the program that it calls. */
  #runTo(row: number): Program | undefined {
    this.#program = undefined;
    return this.#common.run(row) ? this.#program : undefined;
  }

  /** Finds the contract's own keys in the record of `row`, which begins at `at`; false if there are too many. */
  #collectKeys(row: number, at: number): boolean {
    const { table, groups } = this.#inputs;
    const { list } = table.words;
    const group = groups.of(row);
    this.#own.count = 0;
    this.#flags.length = 0;
    const first = at + HEAD;
    const readEnd = first + list[at + AT.reads] + list[at + AT.declaredReads];
    const end = readEnd + list[at + AT.writes] + list[at + AT.declaredWrites];
    for (let i = first; i < end; i++) {
      const key = list[i];
      if (this.#ownerOf[key] !== group + 1 && !this.#isOwn(key, group)) continue;
      const flag = i < readEnd ? KEY_READ : KEY_WRITTEN;
      const place = this.#own.placeOf(key);
      if (place >= 0) this.#flags.list[place] |= flag;
      else {
        this.#own.add(key);
        this.#flags.push(flag);
      }
    }
    return this.#own.count <= MAX_KEYS_PER_CALL;
  }

  /** Whether it is an own key of the contract whose id the context of the call begins with, that of `group`. */
  #isOwn(key: number, group: number): boolean {
    const { state } = this.#inputs.table;
    const { bytes } = state;
    const start = state.keyStart(key);
    // No other key begins with these letters.
    if (bytes[start] !== STORE[0] || bytes[start + 1] !== STORE[1]) return false;
    if (state.keyEnd(key) - start < BEFORE_OWN) return false;
    const context = this.#bytes;
    for (let i = start + STORE.length, k = this.#contextAt; k < this.#contextAt + ID_LENGTH; i++, k++) {
      if (bytes[i] !== context[k]) return false;
    }
    if (key >= this.#ownerOf.length) this.#ownerOf = longer(this.#ownerOf, Math.max(key + 1, 2 * key));
    this.#ownerOf[key] = group + 1;
    return true;
  }

  /** Lists the keys found, in ascending order of their hashes. */
  #addAccesses(row: number): void {
    const { words } = ACCESS_RECORD;
    const count = this.#own.count;
    const first = this.#accesses.take(count * words);
    for (let i = 0; i < count; i++) {
      const number = this.#keyNumber(row, this.#own.list[i]);
      const at = first + i * words;
      const { list } = this.#accesses;
      list[at + ACCESS_FIELDS.HASH] = this.#keys.list[number * KEY_RECORD.words + KEY_FIELDS.HASH];
      list[at + ACCESS_FIELDS.KEY] = number;
      list[at + ACCESS_FIELDS.FLAGS] = this.#flags.list[i];
    }
    sortAccesses(this.#accesses.list, first, count);
  }

  /** Number of the kernel's key for what `row` sees under `key`. */
  #keyNumber(row: number, key: number): number {
    const { predictions, table } = this.#inputs;
    if (key >= this.#sharedOf.length) {
      const length = Math.max(key + 1, 2 * key);
      this.#sharedOf = longer(this.#sharedOf, length);
      this.#placeOf = longer(this.#placeOf, length);
    }
    const prediction = predictions?.find(row, key) ?? NO_PREDICTION;
    if (predictions !== undefined && prediction !== NO_PREDICTION) {
      return this.#addKey(key, predictions.start(prediction), predictions.end(prediction));
    }
    if (this.#sharedOf[key] === 0) {
      const length = table.loadBefore(key);
      const start = table.startBefore(key);
      this.#sharedOf[key] = this.#addKey(key, start, start + length) + 1;
    }
    return this.#sharedOf[key] - 1;
  }

  /** A new key of the kernel, with the value from `start` to `end` of the state; equal: absent. */
  #addKey(key: number, start: number, end: number): number {
    const { state } = this.#inputs.table;
    const ownAt = state.keyStart(key) + BEFORE_OWN;
    if (this.#placeOf[key] === 0) this.#placeOf[key] = this.#put(state.bytes, ownAt, state.keyEnd(key)) + 1;
    const number = this.#tableKeys.length;
    this.#tableKeys.push(key);
    const at = this.#keys.take(KEY_RECORD.words);
    let value = 0;
    if (end > start) {
      value = this.#room(4) + 4;
      writeU32(this.#bytes, value - 4, end - start);
      this.#put(state.bytes, start, end);
    }
    const keys = this.#keys.list;
    keys[at + KEY_FIELDS.HASH] = hashKey(this.#inputs.seed, state.bytes, ownAt, state.keyEnd(key));
    keys[at + KEY_FIELDS.KEY_AT] = this.#placeOf[key] - 1;
    keys[at + KEY_FIELDS.KEY_BYTES] = state.keyEnd(key) - ownAt;
    keys[at + KEY_FIELDS.VALUE_AT] = value;
    keys[at + KEY_FIELDS.VALUE_BYTES] = end > start ? end - start : NONE;
    return number;
  }

  /** Takes back a call that was too large: its bytes, its keys from word `keys` on and its head. */
  #drop(length: number, keys: number, head: number): void {
    for (let number = keys / KEY_RECORD.words; number < this.#tableKeys.length; number++) {
      const key = this.#tableKeys.list[number];
      if (this.#sharedOf[key] === number + 1) this.#sharedOf[key] = 0;
      if (this.#placeOf[key] > length) this.#placeOf[key] = 0;
    }
    this.#tableKeys.length = keys / KEY_RECORD.words;
    this.#keys.length = keys;
    this.#accesses.length -= this.#own.count * ACCESS_RECORD.words;
    this.#heads.length = head;
    this.#length = length;
  }

  #numberOf(program: Program): number {
    let number = this.#programNumbers.get(program.hash);
    if (number === undefined) {
      number = this.programs.size;
      this.programs.set(program.hash, program);
      this.#programNumbers.set(program.hash, number);
    }
    return number;
  }

  /** Copies bytes to the end, padded with zeros to whole words; gives where. */
  #put(from: Uint8Array, start: number, end: number): number {
    const at = this.#room(end - start);
    copyBytes(from, start, end, this.#bytes, at);
    return at;
  }

  /** Room for `length` bytes, padded with zeros to whole words; gives where. */
  #room(length: number): number {
    const at = this.#length;
    this.#length += (length + 3) & ~3;
    if (this.#length > this.#bytes.length) {
      const bytes = shared(Math.max(this.#length, 2 * this.#bytes.length));
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
    }
    for (let i = at + length; i < this.#length; i++) this.#bytes[i] = 0;
    return at;
  }
}

function shared(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}
