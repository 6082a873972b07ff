import { AdjacentEntry, type PackedEntry, type PackedWrites, type RowsBefore } from '../util/packed-writes.js';
import { ReusedRow } from '../util/row-bytes.js';
import { sortedByKey } from '../util/sort-packed.js';
import { copyWords, LastView, ViewsOf, viewOf } from '../util/words.js';
import type { Touched } from './touched.js';
import type { Namespace } from './types.js';

/** Entries, and bytes of them, that are copied together at most; bytes for an entry, if there are fewer. */
const MOST_ENTRIES = 1 << 16;
const MOST_BYTES = 4 << 20;
const BYTES_EACH = 128;
/** A longer entry is read where it lies. */
const LONGEST = 1_024;
/** Entries that are looked at together before they are copied. */
const TOUCHED = 32;
/** Of an entry that was copied: where its key begins and ends, where its value ends, which follows the key. */
const NUMBERS = 3;
/** In place of the first number of an entry that was not copied. */
const ELSEWHERE = -1;

const knownRow = new ReusedRow();

/**
 * The writes of a block to one namespace that change something, in the order of their keys: the database gives and
 * takes rows that come in order in half the time. Deletions of absent keys change nothing and leave no trace.
 *
 * The store goes through them several times, and in the order of their keys they lie anywhere in the memory of the
 * block: so the next ones are copied together when one of them is asked for.
 */
export class SortedWrites implements Touched {
  readonly #writes: PackedWrites;
  /** Of the entries, in their order. */
  readonly #addresses: Uint32Array;
  readonly #existed: Uint8Array;
  /** Places in both, in the order of the keys. */
  readonly #places: Uint32Array;
  readonly #before: RowsBefore | undefined;
  /** Those of entries `from` to `end` that were copied. */
  readonly #copied: Uint8Array;
  readonly #copiedView: DataView;
  readonly #numbers: Int32Array;
  #from = 0;
  #end = 0;
  readonly #entry = new AdjacentEntry();
  /** Of what is copied from: a few chunks, in any order. */
  readonly #views = new ViewsOf();
  readonly #rowViews = new LastView();
  /** See {@link #touch}. */
  protected touched = 0;

  /** `existed`: by write, in their order, 1 if its key had a value before, as the state tree tells. */
  constructor(writes: PackedWrites, existed: Uint8Array) {
    this.#writes = writes;
    this.#existed = existed;
    this.#addresses = writes.addresses();
    this.#before = writes.rowsBefore();
    const places = writes.prepared()?.order.slice() ?? sortedByKey(writes, this.#addresses);
    let count = 0;
    for (const place of places) {
      if (existed[place] === 1 || writes.read(this.#addresses[place]).valueEnd >= 0) places[count++] = place;
    }
    this.#places = places.subarray(0, count);
    this.#copied = new Uint8Array(Math.min(MOST_BYTES, Math.max(LONGEST, BYTES_EACH * count)));
    this.#copiedView = viewOf(this.#copied);
    this.#numbers = new Int32Array(NUMBERS * Math.min(MOST_ENTRIES, count));
  }

  get count(): number {
    return this.#places.length;
  }

  /** The write at `index`: good until the next call. */
  entry(index: number): PackedEntry {
    if (index < this.#from || index >= this.#end) this.#copy(index);
    const at = NUMBERS * (index - this.#from);
    const start = this.#numbers[at];
    if (start === ELSEWHERE) return this.#writes.read(this.#addresses[this.#places[index]]);
    const entry = this.#entry;
    entry.bytes = this.#copied;
    entry.keyStart = start;
    entry.keyEnd = this.#numbers[at + 1];
    entry.valueEnd = this.#numbers[at + 2];
    return entry;
  }

  isPresent(index: number): boolean {
    return this.#existed[this.#places[index]] === 1;
  }

  /** Whether the row that the write at `index` replaces is known, if there is one. */
  knowsRow(index: number): boolean {
    return this.#before !== undefined && this.#before.places[2 * this.#places[index] + 1] > 0;
  }

  /** The row that is known: good until the next call. */
  knownRow(index: number): Uint8Array | undefined {
    if (this.#before === undefined) return undefined;
    const { bytes, places } = this.#before;
    const start = places[2 * this.#places[index]];
    const end = places[2 * this.#places[index] + 1];
    const row = knownRow.of(end - start);
    copyWords(this.#rowViews.of(bytes), start, end, knownRow.view, 0);
    return row;
  }

  /** Copies the entries from `first` on, as many as there is room for. */
  #copy(first: number): void {
    const to = this.#copiedView;
    const numbers = this.#numbers;
    let index = first;
    for (let at = 0, used = 0; index < this.count && at < numbers.length; index++, at += NUMBERS) {
      if ((index - first) % TOUCHED === 0) this.touched = this.#touch(index);
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = this.#writes.read(this.#addresses[this.#places[index]]);
      const value = used + keyEnd - keyStart;
      const end = valueEnd < 0 ? value : value + valueEnd - valueStart;
      if (end - used > LONGEST) {
        numbers[at] = ELSEWHERE;
        continue;
      }
      if (end > to.byteLength) break;
      const from = this.#views.of(bytes);
      copyWords(from, keyStart, keyEnd, to, used);
      if (valueEnd >= 0) copyWords(from, valueStart, valueEnd, to, value);
      numbers[at] = used;
      numbers[at + 1] = value;
      numbers[at + 2] = valueEnd < 0 ? -1 : end;
      used = end;
    }
    this.#from = first;
    this.#end = index;
  }

  /**
   * Looks at both ends of the next entries, so that the memory that holds them is fetched at once: copying one after
   * the other waits for each. What it gives means nothing, but keeps compilers from leaving the looking out.
   */
  #touch(first: number): number {
    const last = Math.min(first + TOUCHED, this.count);
    let touched = 0;
    for (let index = first; index < last; index++) {
      const { bytes, keyStart, valueEnd } = this.#writes.read(this.#addresses[this.#places[index]]);
      touched ^= bytes[keyStart] ^ bytes[Math.max(0, valueEnd - 1)];
    }
    return touched;
  }
}

/** Of both namespaces. */
export function sortedWrites(
  writes: Readonly<Record<Namespace, PackedWrites>>,
  existed: Readonly<Record<Namespace, Uint8Array>>,
): Readonly<Record<Namespace, SortedWrites>> {
  return { S: new SortedWrites(writes.S, existed.S), P: new SortedWrites(writes.P, existed.P) };
}
