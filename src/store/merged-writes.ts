import { binarySlice, compareBytes, fromBinaryString } from '../util/bytes.js';
import { CHANGE_BYTES, type PackedEntry, PackedWrites, type PreparedWrites } from '../util/packed-writes.js';
import { sortedByKey } from '../util/sort-packed.js';

/** All entries of several blocks, one after the other; an address is the place in that. */
class Entries extends PackedWrites {
  readonly #blocks: readonly PackedWrites[];
  /** By place: its block, and the address there. */
  readonly blockOf: Uint16Array;
  readonly addressOf: Uint32Array;
  /** By place: which of the entries of its block it is. */
  readonly placeOf: Uint32Array;

  constructor(blocks: readonly PackedWrites[]) {
    super();
    const addresses = blocks.map((block) => block.addresses());
    const count = addresses.reduce((sum, { length }) => sum + length, 0);
    this.#blocks = blocks;
    this.blockOf = new Uint16Array(count);
    this.addressOf = new Uint32Array(count);
    this.placeOf = new Uint32Array(count);
    let at = 0;
    addresses.forEach((of, block) => {
      this.blockOf.fill(block, at, at + of.length);
      this.addressOf.set(of, at);
      for (let place = 0; place < of.length; place++) this.placeOf[at++] = place;
    });
  }

  get size(): number {
    return this.blockOf.length;
  }

  override addresses(): Uint32Array {
    return Uint32Array.from({ length: this.size }, (_, place) => place);
  }

  override read(place: number): PackedEntry {
    return this.#blocks[this.blockOf[place]].read(this.addressOf[place]);
  }

  // What has a key several times is no map; nobody looks a key up in it.
  has(): boolean {
    return false;
  }

  get(): undefined {
    return undefined;
  }

  override *entries(): MapIterator<[string, Uint8Array | undefined]> {}

  override forgetIndex(): void {}
}

/**
 * The writes of several blocks to one namespace, in the order of their keys: as a map it has the last value of each. A
 * *version* is one write of one block; those of a key follow each other, in the order of the blocks.
 */
export class MergedWrites extends PackedWrites {
  readonly #entries: Entries;
  readonly #blocks: readonly PackedWrites[];
  /** Places of all versions, in the order of their keys. */
  readonly #order: Uint32Array;
  /** By key: where its versions begin in the order; one more at the end. */
  readonly #starts: Uint32Array;

  constructor(blocks: readonly PackedWrites[]) {
    super();
    this.#blocks = blocks;
    this.#entries = new Entries(blocks);
    // Entries of one key stay in their order, which is that of the blocks.
    this.#order = sortedByKey(this.#entries, this.#entries.addresses());
    const starts = new Uint32Array(this.#order.length + 1);
    let keys = 0;
    for (let at = 0; at < this.#order.length; at++) if (at === 0 || !this.#isSameKey(at - 1, at)) starts[keys++] = at;
    starts[keys] = this.#order.length;
    this.#starts = starts.subarray(0, keys + 1);
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  /** Numbers of the versions of a key: from the first to before the second. */
  versionsOf(key: number): readonly [first: number, end: number] {
    return [this.#starts[key], this.#starts[key + 1]];
  }

  /** Which block a version is of. */
  blockOf(version: number): number {
    return this.#entries.blockOf[this.#order[version]];
  }

  /** The write that a version is: good until the next call of any method. */
  version(version: number): PackedEntry {
    return this.#entries.read(this.#order[version]);
  }

  /** The row of a key before the first of the blocks, if the block that writes the key first has read it. */
  knownRow(key: number): Uint8Array | undefined {
    const place = this.#order[this.#starts[key]];
    const before = this.#blocks[this.#entries.blockOf[place]].rowsBefore();
    if (before === undefined) return undefined;
    const at = 2 * this.#entries.placeOf[place];
    const end = before.places[at + 1];
    return end === 0 ? undefined : before.bytes.subarray(before.places[at], end);
  }

  override addresses(): Uint32Array {
    return Uint32Array.from({ length: this.size }, (_, key) => key);
  }

  override read(key: number): PackedEntry {
    return this.version(this.#starts[key + 1] - 1);
  }

  /** What has been prepared of the blocks, if it has been of all of them. */
  override prepared(): PreparedWrites | undefined {
    const ofBlocks = this.#blocks.map((block) => block.prepared());
    if (ofBlocks.some((of) => of === undefined)) return undefined;
    const changes = new Uint8Array(CHANGE_BYTES * this.size);
    for (let key = 0; key < this.size; key++) {
      const place = this.#order[this.#starts[key + 1] - 1];
      const from = CHANGE_BYTES * this.#entries.placeOf[place];
      const of = ofBlocks[this.#entries.blockOf[place]]?.changes;
      if (of !== undefined) changes.set(of.subarray(from, from + CHANGE_BYTES), CHANGE_BYTES * key);
    }
    return { order: this.addresses(), changes };
  }

  has(key: string): boolean {
    return this.#find(fromBinaryString(key)) >= 0;
  }

  get(key: string): Uint8Array | undefined {
    const found = this.#find(fromBinaryString(key));
    if (found < 0) return undefined;
    const { bytes, valueStart, valueEnd } = this.read(found);
    return valueEnd < 0 ? undefined : bytes.slice(valueStart, valueEnd);
  }

  override *entries(): MapIterator<[string, Uint8Array | undefined]> {
    for (let key = 0; key < this.size; key++) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = this.read(key);
      yield [binarySlice(bytes, keyStart, keyEnd), valueEnd < 0 ? undefined : bytes.slice(valueStart, valueEnd)];
    }
  }

  override forgetIndex(): void {}

  #find(key: Uint8Array): number {
    let [from, end] = [0, this.size];
    while (from < end) {
      const middle = (from + end) >>> 1;
      const { bytes, keyStart, keyEnd } = this.read(middle);
      const order = compareBytes(bytes.subarray(keyStart, keyEnd), key);
      if (order === 0) return middle;
      if (order < 0) from = middle + 1;
      else end = middle;
    }
    return -1;
  }

  /** Whether two versions are of one key. */
  #isSameKey(a: number, b: number): boolean {
    const first = this.version(a);
    const { bytes, keyStart, keyEnd } = first;
    const second = this.version(b);
    const length = keyEnd - keyStart;
    if (second.keyEnd - second.keyStart !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[keyStart + i] !== second.bytes[second.keyStart + i]) return false;
    return true;
  }
}
