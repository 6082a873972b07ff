import type { PackedEntry, PackedWrites, RowsBefore } from '../util/packed-writes.js';
import { ReusedRow } from '../util/row-bytes.js';
import { sortedByKey } from '../util/sort-packed.js';
import { copyWords, LastView, ViewsOf, viewOf } from '../util/words.js';
import {
  type CopiedRoom,
  CopiedWrites,
  ELSEWHERE,
  KEY_END,
  KEY_START,
  NUMBERS,
  PRESENT,
  ROW_END,
  VALUE_END,
  type WritesToCommit,
} from './copied-writes.js';
import type { Namespace } from './types.js';

/** Entries, and bytes of them, that are copied together at most; bytes for an entry, if there are fewer. */
const MOST_ENTRIES = 1 << 16;
const MOST_BYTES = 8 << 20;
const BYTES_EACH = 192;
/** A longer entry is read where it lies. */
const LONGEST = 1_024;
/** Entries that are looked at together before they are copied. */
const TOUCHED = 32;

const knownRow = new ReusedRow();

/** Gives memory for at least so many entries and bytes of them. */
export type RoomFor = (entries: number, bytes: number) => CopiedRoom;

const ownRoom: RoomFor = (entries, bytes) => ({
  bytes: new Uint8Array(bytes),
  numbers: new Int32Array(NUMBERS * entries),
});

/**
 * The writes of a block to one namespace that change something, in the order of their keys: the database gives and
 * takes rows that come in order in half the time. Deletions of absent keys change nothing and leave no trace.
 *
 * The store goes through them several times, and in the order of their keys they lie anywhere in the memory of the
 * block: so the next ones are copied together when one of them is asked for.
 */
export class SortedWrites implements WritesToCommit {
  readonly #writes: PackedWrites;
  /** Of the entries, in their order. */
  readonly #addresses: Uint32Array;
  readonly #existed: Uint8Array;
  /** Places in both, in the order of the keys. */
  readonly #places: Uint32Array;
  readonly #before: RowsBefore | undefined;
  /** Where entries `from` to `end` were copied to. */
  #room: CopiedRoom;
  #roomView: DataView;
  #copied: CopiedWrites;
  #from = 0;
  #end = 0;
  #isShared = false;
  /** Of what is copied from: a few chunks, in any order. */
  readonly #views = new ViewsOf();
  readonly #rowViews = new LastView();
  /** See {@link #touch}. */
  protected touched = 0;

  /** `existed`: by write, in their order, 1 if its key had a value before, as the state tree tells. */
  constructor(writes: PackedWrites, existed: Uint8Array, roomFor = ownRoom) {
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
    this.#room = roomOf(count, roomFor);
    this.#roomView = viewOf(this.#room.bytes);
    this.#copied = new CopiedWrites(this.#room, 0);
  }

  get count(): number {
    return this.#places.length;
  }

  /**
   * Copies the first entries, as many as there is room for, for other threads: what lies there stays as it is. Not all
   * of them need be there ({@link CopiedWrites.isElsewhere}).
   */
  share(): { readonly room: CopiedRoom; readonly copied: CopiedWrites } {
    if (this.#from !== 0 || this.#end === 0) this.#copy(0);
    this.#isShared = true;
    return { room: this.#room, copied: this.#copied };
  }

  entry(index: number): PackedEntry {
    if (index < this.#from || index >= this.#end) this.#copy(index);
    const at = index - this.#from;
    if (this.#copied.isElsewhere(at)) return this.#writes.read(this.#addresses[this.#places[index]]);
    return this.#copied.entry(at);
  }

  isPresent(index: number): boolean {
    return this.#existed[this.#places[index]] === 1;
  }

  knowsRow(index: number): boolean {
    return this.#before !== undefined && this.#before.places[2 * this.#places[index] + 1] > 0;
  }

  knownRow(index: number): Uint8Array | undefined {
    if (this.#before === undefined) return undefined;
    const at = index - this.#from;
    if (index >= this.#from && index < this.#end && !this.#copied.isElsewhere(at)) return this.#copied.knownRow(at);
    const { bytes, places } = this.#before;
    const start = places[2 * this.#places[index]];
    const end = places[2 * this.#places[index] + 1];
    const row = knownRow.of(end - start);
    copyWords(this.#rowViews.of(bytes), start, end, knownRow.view, 0);
    return row;
  }

  /** Copies the entries from `first` on, as many as there is room for. */
  #copy(first: number): void {
    if (this.#isShared) {
      this.#isShared = false;
      this.#room = roomOf(this.count, ownRoom);
      this.#roomView = viewOf(this.#room.bytes);
    }
    const to = this.#roomView;
    const { numbers } = this.#room;
    const before = this.#before?.places;
    let index = first;
    for (let at = 0, used = 0; index < this.count && at < numbers.length; index++, at += NUMBERS) {
      if ((index - first) % TOUCHED === 0) this.touched = this.#touch(index);
      const place = this.#places[index];
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = this.#writes.read(this.#addresses[place]);
      const rowStart = before === undefined ? 0 : before[2 * place];
      const rowBytes = before === undefined ? 0 : before[2 * place + 1] - rowStart;
      const value = used + keyEnd - keyStart;
      const row = valueEnd < 0 ? value : value + valueEnd - valueStart;
      const end = row + rowBytes;
      if (end - used > LONGEST) {
        numbers[at + KEY_START] = ELSEWHERE;
        continue;
      }
      if (end > to.byteLength) break;
      const from = this.#views.of(bytes);
      copyWords(from, keyStart, keyEnd, to, used);
      if (valueEnd >= 0) copyWords(from, valueStart, valueEnd, to, value);
      if (rowBytes > 0 && this.#before !== undefined) {
        copyWords(this.#rowViews.of(this.#before.bytes), rowStart, rowStart + rowBytes, to, row);
      }
      numbers[at + KEY_START] = used;
      numbers[at + KEY_END] = value;
      numbers[at + VALUE_END] = valueEnd < 0 ? -1 : row;
      numbers[at + ROW_END] = rowBytes > 0 ? end : 0;
      numbers[at + PRESENT] = this.#existed[place];
      used = end;
    }
    this.#from = first;
    this.#end = index;
    this.#copied = new CopiedWrites(this.#room, index - first);
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

function roomOf(count: number, roomFor: RoomFor): CopiedRoom {
  return roomFor(Math.min(MOST_ENTRIES, count), Math.min(MOST_BYTES, Math.max(LONGEST, BYTES_EACH * count)));
}

/** Of both namespaces. `roomFor`: memory for the entries of each. */
export function sortedWrites(
  writes: Readonly<Record<Namespace, PackedWrites>>,
  existed: Readonly<Record<Namespace, Uint8Array>>,
  roomFor?: Readonly<Record<Namespace, RoomFor>>,
): Readonly<Record<Namespace, SortedWrites>> {
  return {
    S: new SortedWrites(writes.S, existed.S, roomFor?.S),
    P: new SortedWrites(writes.P, existed.P, roomFor?.P),
  };
}
