/**
 * What became of transactions, in columns: one record of words for each, which names keys by number and values by where
 * they lie in the bytes beside it.
 *
 * A record: its words, flags, begin and end of the receipt, counts of keys read, declared as read, written and declared
 * as written, messages; fuel used, and bytes of the result of its call or {@link NOT_CALLED}; then the keys of these
 * four kinds; begin and end of each value seen, if {@link SEEN}; begin and end of each value written; the status of
 * each message.
 */
import type { CommonRunner } from '../../lane/columns/common-run.js';
import { longer } from '../../util/longer.js';

export const HEAD = 11;
/** Places in a record. */
export const AT = {
  words: 0,
  flags: 1,
  receipt: 2,
  receiptEnd: 3,
  reads: 4,
  declaredReads: 5,
  writes: 6,
  declaredWrites: 7,
  messages: 8,
  fuel: 9,
  result: 10,
} as const;

/** Flag: a program asked whether this was a dry run; the record names keys but is no result. */
export const ASKED = 1;
/** Flag: where the values lie that were read. Without it they are those before the block. */
export const SEEN = 2;

/** Flag: a program asked in the dry run, and this is the whole run that followed it. */
export const RAN = 4;
/** Flag: the kernel ran its call. */
export const KERNEL = 8;

/** Flag: the record has nothing but its head: what the kernel says of the row's call does not count. */
export const GIVEN_UP = 16;

/** Flag beside {@link GIVEN_UP}: what the kernel left cannot be read. */
export const UNREADABLE = 32;

/** Flag: the whole transaction was undone. */
export const UNDONE = 64;

/** In the place of the bytes of a result: the row is not of the common kind, or no program ran. */
export const NOT_CALLED = 0xffffffff;
/** What to expect of a call whose run gave no result. */
const UNKNOWN_RESULT_BYTES = 448;

/** In the place of a value that was read: the one before the block. */
export const BEFORE = 0xffffffff;

/** What its record says of the call that `run` has run last. */
export function resultOf({ resultBytes }: CommonRunner): number {
  if (resultBytes === undefined) return NOT_CALLED;
  return resultBytes < 0 ? UNKNOWN_RESULT_BYTES : resultBytes;
}

/** Words of a reply in front of its records: generation, number of records, where the new keys begin. */
export const REPLY_HEAD = 3;
/** Words of a new key: begin and end of it, 1 if its value before the block is told, begin and end of that. */
export const KEY_WORDS = 5;

/** Records of rows, in their order, and keys that are named for the first time. */
export interface RowReply {
  readonly rows: Uint32Array<ArrayBuffer>;
  /** What numbered the keys: 0 is the engine's own thread, then its workers. */
  readonly thread: number;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Milliseconds of some of the rows, those whose time was taken. */
  readonly times: readonly number[];
}

/** Values that rows see in place of those before the block. All of it lies in shared memory. */
export interface RowOverrides {
  /** By place of a row in the task: where its entries end, in `words`. */
  readonly ends: Uint32Array;
  /** Begin and end of a key in `bytes`, begin and end of its value; equal: the key is absent. */
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/** How rows are to be run. */
export interface RunOfRows {
  /** undefined: a dry run. */
  readonly overrides: RowOverrides | undefined;
  /** The kernel has run the calls of the rows, and the thread knows its outcomes. */
  readonly kernel?: KernelNumbers;
}

/** Rows to run. */
export interface RowTask extends RunOfRows {
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** By place of a row in the task: the number of its call, and that of its outcome. All of it lies in shared memory. */
export interface KernelNumbers {
  readonly calls: Uint32Array;
  readonly outcomes: Uint32Array;
}

const FIRST_WORDS = 256;

/** Words that grow. */
export class Words {
  list: Uint32Array;
  length = 0;

  /** `list`: what to begin with; what it holds means nothing. */
  constructor(list: Uint32Array = new Uint32Array(FIRST_WORDS)) {
    this.list = list;
  }

  push(word: number): void {
    const at = this.take(1);
    this.list[at] = word;
  }

  /** The first `count` words of `words`. */
  add(words: Uint32Array, count: number): void {
    const at = this.take(count);
    for (let i = 0; i < count; i++) this.list[at + i] = words[i];
  }

  /** Makes room for `count` words, and gives where. */
  take(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.list.length) this.list = this.longer(Math.max(this.length, 2 * this.list.length));
    return at;
  }

  /** A copy with room for `length` words. */
  protected longer(length: number): Uint32Array {
    return longer(this.list, length);
  }

  /** What was taken, where it lies. */
  get view(): Uint32Array {
    return this.list.subarray(0, this.length);
  }

  taken(): Uint32Array<ArrayBuffer> {
    return this.list.slice(0, this.length);
  }
}

/** The same in shared memory. */
export class SharedWords extends Words {
  constructor(list: Uint32Array = new Uint32Array(new SharedArrayBuffer(4 * FIRST_WORDS))) {
    super(list);
  }

  protected override longer(length: number): Uint32Array {
    const words = new Uint32Array(new SharedArrayBuffer(4 * length));
    words.set(this.list);
    return words;
  }
}
