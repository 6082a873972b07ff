/** What the threads found out about the rows of a block, under one numbering of its keys. */
import { BlockState } from '../../lane/columns/block-state.js';
import { MESSAGE_STATUSES, type StateReader } from '../../lane/types.js';
import type { AccessSets, Rows } from '../../plan/access-sets.js';
import { longer } from '../../util/longer.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import {
  ASKED,
  AT,
  BEFORE,
  GIVEN_UP,
  HEAD,
  KERNEL,
  KEY_WORDS,
  RAN,
  REPLY_HEAD,
  type RowReply,
  SEEN,
  UNDONE,
  UNREADABLE,
  Words,
} from '../tasks/row-records.js';
import type { BlockMemory } from './block-memory.js';

/** What its arrays are kept as. */
const STATE = 'state';
const RECORDS = 'records';
/** No record. */
const NONE = -1;

/** Hears of a row of which what the kernel says does not count; `isUnreadable`: it cannot even be read. */
export type GiveUp = (row: number, isUnreadable: boolean) => void;

/** Numbers of one thread's keys among those of the block. */
interface Numbering {
  generation: number;
  readonly keys: Words;
}

/**
 * The newest record of each row, and the values that they name. All keys are numbers of `state`, all places are in its
 * bytes; `state` itself is the state before the block until rows are applied to it, in block order.
 */
export class RowTable {
  readonly state: BlockState;
  /** Of all records, each where {@link recordOf} says. */
  readonly words: Words;
  readonly #before: StateReader;
  readonly #recordOf: Int32Array;
  readonly #threadOf: Uint32Array;
  readonly #numberings = new Map<number, Numbering>();
  /** By key: where its value before the block lies, if it is known. */
  #starts = new Uint32Array(128);
  #ends = new Uint32Array(128);
  #isKnown = new Uint8Array(128);

  /** `before`: the state before the block, for reads that are remembered here; `memory`: of the blocks before. */
  constructor(rows: number, before: StateReader, memory?: BlockMemory) {
    this.state = new BlockState(before, undefined, memory?.takeBytes(STATE));
    this.words = new Words(memory?.takeWords(RECORDS));
    this.#before = before;
    this.#recordOf = new Int32Array(rows).fill(NONE);
    this.#threadOf = new Uint32Array(rows);
  }

  /**
   * Takes what a thread says of rows; those of which it says nothing keep what was said before, and `giveUp` is told.
   * Throws `BlockTooLarge` when it has no room in `budget`.
   */
  take({ rows, thread, words, bytes }: RowReply, budget: BlockBudget, giveUp?: GiveUp): void {
    budget.takeBytes(4 * words.length + bytes.length);
    const base = this.state.keep(bytes, 0, bytes.length);
    const [generation, , end] = words;
    const numbers = this.#learnKeys(thread, generation, words, base, end);
    const to = this.words.take(end - REPLY_HEAD) - REPLY_HEAD;
    const { list } = this.words;
    list.set(words.subarray(REPLY_HEAD, end), to + REPLY_HEAD);
    for (let i = 0, at = to + REPLY_HEAD; i < rows.length; i++) {
      this.#threadOf[rows[i]] = thread;
      if ((list[at + AT.flags] & GIVEN_UP) !== 0) giveUp?.(rows[i], (list[at + AT.flags] & UNREADABLE) !== 0);
      else {
        this.#recordOf[rows[i]] = at;
        renumber(list, at, numbers, base);
      }
      at += list[at];
    }
  }

  /** Nobody asks any more. */
  release(memory: BlockMemory): void {
    memory.giveBackBytes(STATE, this.state.bytes);
    memory.giveBackWords(RECORDS, this.words.list);
  }

  /** Where the record of `row` begins in `words`. */
  recordOf(row: number): number {
    return this.#recordOf[row];
  }

  /** The thread that ran `row` last: it knows most of what the row reads. 0: the engine's. */
  threadOf(row: number): number {
    return this.#threadOf[row];
  }

  /** Whether its record is that of a dry run that counts for nothing but its keys. */
  hasAsked(row: number): boolean {
    return (this.words.list[this.#recordOf[row] + AT.flags] & ASKED) !== 0;
  }

  /** Whether its dry run asked whether it is one, whatever its record is of. */
  askedDry(row: number): boolean {
    return (this.words.list[this.#recordOf[row] + AT.flags] & (ASKED | RAN)) !== 0;
  }

  /** Whether its record is that of a dry run which was a whole run. */
  isDryRun(row: number): boolean {
    return (this.words.list[this.#recordOf[row] + AT.flags] & (ASKED | SEEN | RAN)) === 0;
  }

  /** Whether its record, that of a dry run, is of a whole run: nothing was undone, and every message ended OK. */
  isClean(row: number): boolean {
    const { list } = this.words;
    const at = this.#recordOf[row];
    if ((list[at + AT.flags] & (ASKED | UNDONE)) !== 0) return false;
    const end = at + list[at + AT.words];
    for (let i = end - list[at + AT.messages]; i < end; i++) if (MESSAGE_STATUSES[list[i]] !== 'OK') return false;
    return true;
  }

  /** Whether its record is that of a run whose call the kernel ran. */
  isKernelRun(row: number): boolean {
    return (this.words.list[this.#recordOf[row] + AT.flags] & KERNEL) !== 0;
  }

  /** Whether the record of `row`, of one message, says that this ended well. */
  isOk(row: number): boolean {
    const { list } = this.words;
    const at = this.#recordOf[row];
    return MESSAGE_STATUSES[list[at + list[at + AT.words] - 1]] === 'OK';
  }

  /** The record of `row` begins at `at` in `words` from now on. */
  put(row: number, at: number): void {
    this.#recordOf[row] = at;
  }

  /** Bytes of all receipts of records. */
  receiptBytes(): number {
    const { list } = this.words;
    let bytes = 0;
    for (const at of this.#recordOf) if (at !== NONE) bytes += list[at + AT.receiptEnd] - list[at + AT.receipt];
    return bytes;
  }

  /** Where the keys that `row` has written begin in `words`. */
  writesOf(row: number): number {
    const at = this.#recordOf[row];
    const { list } = this.words;
    return at + HEAD + list[at + AT.reads] + list[at + AT.declaredReads];
  }

  /** Where begin and end of the values that `row` has seen lie in `words`, read for read; 0: as before the block. */
  seenOf(row: number): number {
    const { list } = this.words;
    if ((list[this.#recordOf[row] + AT.flags] & SEEN) === 0) return 0;
    return this.#afterKeys(row);
  }

  /** Where begin and end of the values that `row` has written lie in `words`, write for write. */
  valuesOf(row: number): number {
    const at = this.#recordOf[row];
    const { list } = this.words;
    return this.#afterKeys(row) + ((list[at + AT.flags] & SEEN) === 0 ? 0 : 2 * list[at + AT.reads]);
  }

  #afterKeys(row: number): number {
    const at = this.#recordOf[row];
    const { list } = this.words;
    const reads = list[at + AT.reads] + list[at + AT.declaredReads];
    return at + HEAD + reads + list[at + AT.writes] + list[at + AT.declaredWrites];
  }

  /** Bytes of the value of `key` before the block; afterwards {@link startBefore} says where it lies. */
  loadBefore(key: number): number {
    if (key >= this.#starts.length) this.#grow(key);
    if (this.#isKnown[key] === 0) {
      const value = this.#before.get(this.state.keyText(key));
      const at = value === undefined ? 0 : this.state.keep(value, 0, value.length);
      this.#know(key, at, at + (value?.length ?? 0));
    }
    return this.#ends[key] - this.#starts[key];
  }

  startBefore(key: number): number {
    return this.#starts[key];
  }

  /** Read and write sets of `rows`: what each touched and what its programs declared. */
  accessSets(rows: Uint32Array): AccessSets {
    const { list } = this.words;
    const count = rows.length;
    const readOffsets = new Uint32Array(count + 1);
    const writeOffsets = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) {
      const at = this.#recordOf[rows[i]];
      readOffsets[i + 1] = readOffsets[i] + list[at + AT.reads] + list[at + AT.declaredReads];
      writeOffsets[i + 1] = writeOffsets[i] + list[at + AT.writes] + list[at + AT.declaredWrites];
    }
    const reads: Rows = { offsets: readOffsets, values: new Uint32Array(readOffsets[count]) };
    const writes: Rows = { offsets: writeOffsets, values: new Uint32Array(writeOffsets[count]) };
    for (let i = 0; i < count; i++) {
      let from = this.#recordOf[rows[i]] + HEAD;
      for (let to = readOffsets[i]; to < readOffsets[i + 1]; to++) reads.values[to] = list[from++];
      for (let to = writeOffsets[i]; to < writeOffsets[i + 1]; to++) writes.values[to] = list[from++];
    }
    return { count, keyCount: this.state.keys, reads, writes };
  }

  /** Whether these places hold the same bytes; equal places each: absent. */
  isSame(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    if (start === otherStart && end === otherEnd) return true;
    if (end - start !== otherEnd - otherStart) return false;
    const { bytes } = this.state;
    for (let a = start, b = otherStart; a < end; a++, b++) if (bytes[a] !== bytes[b]) return false;
    return true;
  }

  /** Whether the value that a read saw, as `seen` says (0: before the block), lies from `start` to `end`. */
  isSeen(key: number, seen: number, start: number, end: number): boolean {
    const { list } = this.words;
    if (seen !== 0 && list[seen] !== BEFORE) return this.isSame(list[seen], list[seen + 1], start, end);
    const length = this.loadBefore(key);
    const at = this.startBefore(key);
    return this.isSame(at, at + length, start, end);
  }

  /** Learns the keys that a reply names for the first time; gives the numbers of all keys of its thread. */
  #learnKeys(thread: number, generation: number, words: Uint32Array, base: number, from: number): Uint32Array {
    let numbering = this.#numberings.get(thread);
    if (numbering === undefined || numbering.generation !== generation) {
      numbering = { generation, keys: new Words() };
      this.#numberings.set(thread, numbering);
    }
    for (let at = from; at < words.length; at += KEY_WORDS) {
      const key = this.state.keyOfKept(base + words[at], base + words[at + 1]);
      numbering.keys.push(key);
      if (key >= this.#starts.length) this.#grow(key);
      if (words[at + 2] === 1 && this.#isKnown[key] === 0) this.#know(key, base + words[at + 3], base + words[at + 4]);
    }
    return numbering.keys.list;
  }

  #know(key: number, start: number, end: number): void {
    this.#starts[key] = start;
    this.#ends[key] = end;
    this.#isKnown[key] = 1;
    this.state.learn(key, start, end);
  }

  #grow(key: number): void {
    const length = Math.max(key + 1, 2 * this.#starts.length);
    this.#starts = longer(this.#starts, length);
    this.#ends = longer(this.#ends, length);
    const isKnown = new Uint8Array(length);
    isKnown.set(this.#isKnown);
    this.#isKnown = isKnown;
  }
}

/** Gives the record at `at` the block's numbers and places in the place of its thread's. */
function renumber(list: Uint32Array, at: number, numbers: Uint32Array, base: number): void {
  list[at + AT.receipt] += base;
  list[at + AT.receiptEnd] += base;
  const reads = list[at + AT.reads];
  const writes = list[at + AT.writes];
  const keys = reads + list[at + AT.declaredReads] + writes + list[at + AT.declaredWrites];
  let word = at + HEAD;
  for (const end = word + keys; word < end; word++) list[word] = numbers[list[word]];
  if ((list[at + AT.flags] & SEEN) !== 0) {
    for (const end = word + 2 * reads; word < end; word++) if (list[word] !== BEFORE) list[word] += base;
  }
  for (const end = word + 2 * writes; word < end; word++) list[word] += base;
}
