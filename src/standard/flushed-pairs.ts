import { hashOfBytes } from '../util/byte-hash.js';
import { binarySlice, fromBinaryString } from '../util/bytes.js';
import { type PackedEntry, PackedWrites, type PreparedWrites, type RowsBefore } from '../util/packed-writes.js';
import { eachElement } from './flush.js';
import { type Preparation, takePrepared } from './preparation.js';

/** Numbers of a place: which flush, where its key begins and ends, where its value begins and ends. */
const NUMBERS = 5;

class Entry implements PackedEntry {
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
}

/**
 * Last value per key over several flush buffers, in the order in which the keys were first flushed. All of it stays
 * where it lies in the buffers: that takes a fraction of the time of a `Map` of strings, and goes to another thread as
 * buffers and places. Values are views of the buffers.
 */
export class FlushedPairs extends PackedWrites<Uint8Array> {
  readonly #flushes: readonly Uint8Array[];
  readonly #places: Int32Array;
  #count: number;
  /** Number of an entry plus one, 0 for none; at most half are taken. Undefined until something is looked up. */
  #slots: Int32Array | undefined;
  readonly #entry = new Entry();
  #preparation: Preparation | undefined;
  #prepared: PreparedWrites | undefined;
  #before: RowsBefore | undefined;

  private constructor(flushes: readonly Uint8Array[], places: Int32Array, count: number) {
    super();
    this.#flushes = flushes;
    this.#places = places;
    this.#count = count;
  }

  /** Of buffers that passed `checkFlush`; `pairCount`: the sum of what that gave. */
  static of(flushes: readonly Uint8Array[], pairCount: number): FlushedPairs {
    const pairs = new FlushedPairs(flushes, new Int32Array(pairCount * NUMBERS), 0);
    pairs.#slots = emptySlots(pairCount);
    for (const [flush, bytes] of flushes.entries()) {
      let from = -1;
      let to = 0;
      eachElement(bytes, (start, end) => {
        if (from < 0) {
          from = start;
          to = end;
          return;
        }
        pairs.#put(flush, from, to, start, end);
        from = -1;
      });
    }
    return pairs;
  }

  /** What another thread found: its buffers, the {@link places} in them, what it prepares, and what it has read. */
  static at(
    flushes: readonly Uint8Array[],
    places: Int32Array,
    preparation?: Preparation,
    before?: RowsBefore,
  ): FlushedPairs {
    const pairs = new FlushedPairs(flushes, places, places.length / NUMBERS);
    pairs.#preparation = preparation;
    pairs.#before = before;
    return pairs;
  }

  override rowsBefore(): RowsBefore | undefined {
    return this.#before;
  }

  override prepared(): PreparedWrites | undefined {
    if (this.#preparation !== undefined) this.#prepared = takePrepared(this.#preparation);
    this.#preparation = undefined;
    return this.#prepared;
  }

  /** A copy of where everything lies, for {@link at}. */
  places(): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#places.subarray(0, this.#count * NUMBERS));
  }

  get size(): number {
    return this.#count;
  }

  /** Sum of the lengths of the values. */
  get valueBytes(): number {
    let bytes = 0;
    for (let at = 0; at < this.#count * NUMBERS; at += NUMBERS) bytes += this.#places[at + 4] - this.#places[at + 3];
    return bytes;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): Uint8Array | undefined {
    return this.find(fromBinaryString(key));
  }

  /** The value of a key; undefined if it was not flushed. */
  find(key: Uint8Array): Uint8Array | undefined {
    const entry = this.entryOf(key, 0, key.length);
    return entry < 0 ? undefined : this.#value(entry);
  }

  /** The place of the entry of the key from `start` to `end` of `bytes`; below 0 if it was not flushed. */
  entryOf(bytes: Uint8Array, start: number, end: number): number {
    this.#slots ??= this.#index();
    return this.#slots[this.#slotOf(this.#slots, bytes, start, end)] - 1;
  }

  *entries(): MapIterator<[string, Uint8Array]> {
    for (let entry = 0; entry < this.#count; entry++) {
      const { bytes, keyStart, keyEnd } = this.read(entry);
      yield [binarySlice(bytes, keyStart, keyEnd), this.#value(entry)];
    }
  }

  override addresses(): Uint32Array {
    const addresses = new Uint32Array(this.#count);
    for (let entry = 0; entry < this.#count; entry++) addresses[entry] = entry;
    return addresses;
  }

  override read(address: number): PackedEntry {
    const entry = this.#entry;
    const places = this.#places;
    const at = address * NUMBERS;
    entry.bytes = this.#flushes[places[at]];
    entry.keyStart = places[at + 1];
    entry.keyEnd = places[at + 2];
    entry.valueStart = places[at + 3];
    entry.valueEnd = places[at + 4];
    return entry;
  }

  override forgetIndex(): void {
    this.#slots = undefined;
  }

  #value(entry: number): Uint8Array {
    const { bytes, valueStart, valueEnd } = this.read(entry);
    return bytes.subarray(valueStart, valueEnd);
  }

  #put(flush: number, keyStart: number, keyEnd: number, start: number, end: number): void {
    const slots = this.#slots as Int32Array;
    const slot = this.#slotOf(slots, this.#flushes[flush], keyStart, keyEnd);
    if (slots[slot] === 0) slots[slot] = ++this.#count;
    const at = (slots[slot] - 1) * NUMBERS;
    const places = this.#places;
    places[at] = flush;
    places[at + 1] = keyStart;
    places[at + 2] = keyEnd;
    places[at + 3] = start;
    places[at + 4] = end;
  }

  #index(): Int32Array {
    const slots = emptySlots(this.#count);
    for (let entry = 0; entry < this.#count; entry++) {
      const { bytes, keyStart, keyEnd } = this.read(entry);
      slots[this.#slotOf(slots, bytes, keyStart, keyEnd)] = entry + 1;
    }
    return slots;
  }

  /** The slot of the key in `bytes` from `start` to `end`: empty if it is not there. */
  #slotOf(slots: Int32Array, bytes: Uint8Array, start: number, end: number): number {
    const mask = slots.length - 1;
    let slot = hashOfBytes(bytes, start, end) & mask;
    while (slots[slot] !== 0 && !this.#isKey(slots[slot] - 1, bytes, start, end)) slot = (slot + 1) & mask;
    return slot;
  }

  #isKey(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const at = entry * NUMBERS;
    const from = this.#places[at + 1];
    const length = end - start;
    if (this.#places[at + 2] - from !== length) return false;
    const own = this.#flushes[this.#places[at]];
    for (let i = 0; i < length; i++) if (own[from + i] !== bytes[start + i]) return false;
    return true;
  }
}

function emptySlots(count: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
}
