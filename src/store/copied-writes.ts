import { AdjacentEntry, type PackedEntry } from '../util/packed-writes.js';
import { ReusedRow } from '../util/row-bytes.js';
import { copyWords, viewOf } from '../util/words.js';
import type { Touched } from './touched.js';

/** Numbers of an entry: see the constants below. */
export const NUMBERS = 5;
/** Where its key begins; {@link ELSEWHERE} if it was not copied. */
export const KEY_START = 0;
/** Where its key ends and its value begins. */
export const KEY_END = 1;
/** Where its value ends; -1 if the key is deleted. */
export const VALUE_END = 2;
/** Where the row that it replaces ends, which follows the value, or the key; 0 if the row is not known. */
export const ROW_END = 3;
/** 1 if its key had a value before. */
export const PRESENT = 4;

export const ELSEWHERE = -1;

/** Memory for entries, which other threads may see. */
export interface CopiedRoom {
  readonly bytes: Uint8Array;
  readonly numbers: Int32Array;
}

/** Writes of a block to one namespace, in the order of their keys, as they are committed. */
export interface WritesToCommit extends Touched {
  /** The write at `index`: good until the next call. */
  entry(index: number): PackedEntry;
  /** Whether the row that the write at `index` replaces is known, if there is one. */
  knowsRow(index: number): boolean;
  /** The row that is known: good until the next call. */
  knownRow(index: number): Uint8Array | undefined;
}

const knownRow = new ReusedRow();

/** Entries that were copied one behind the other: key, value, and the row of `latest` that they replace. */
export class CopiedWrites implements WritesToCommit {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #numbers: Int32Array;
  readonly #entry = new AdjacentEntry();

  /** `count`: entries that are there. */
  constructor(
    { bytes, numbers }: CopiedRoom,
    readonly count: number,
  ) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#numbers = numbers;
  }

  /** Whether the entry lies elsewhere: nothing else may be asked of it here then. */
  isElsewhere(index: number): boolean {
    return this.#numbers[index * NUMBERS + KEY_START] === ELSEWHERE;
  }

  entry(index: number): PackedEntry {
    const at = index * NUMBERS;
    const entry = this.#entry;
    entry.bytes = this.#bytes;
    entry.keyStart = this.#numbers[at + KEY_START];
    entry.keyEnd = this.#numbers[at + KEY_END];
    entry.valueEnd = this.#numbers[at + VALUE_END];
    return entry;
  }

  isPresent(index: number): boolean {
    return this.#numbers[index * NUMBERS + PRESENT] === 1;
  }

  knowsRow(index: number): boolean {
    return this.#numbers[index * NUMBERS + ROW_END] > 0;
  }

  knownRow(index: number): Uint8Array | undefined {
    const at = index * NUMBERS;
    const end = this.#numbers[at + ROW_END];
    if (end === 0) return undefined;
    const start = Math.max(this.#numbers[at + KEY_END], this.#numbers[at + VALUE_END]);
    const row = knownRow.of(end - start);
    copyWords(this.#view, start, end, knownRow.view, 0);
    return row;
  }
}
