import { binarySlice, writeBinaryString } from './bytes.js';
import { copyBytes } from './copy-bytes.js';
import { AdjacentEntry, type PackedEntry, PackedWrites } from './packed-writes.js';
import { hashOfWords, wordsEqual } from './word-hash.js';
import { copyWords, LastView } from './words.js';

/** Bytes of a chunk; the first ones are smaller, and a longer entry gets one of its own. */
const CHUNK_BITS = 20;
const FIRST_CHUNK_BITS = 13;
/** Entries begin at multiples of this many bytes: an address counts them. */
const UNIT_BITS = 3;
const ADDRESS_BITS = CHUNK_BITS - UNIT_BITS;
/** Numbers, not powers: a bundle keeps no constants, and computes a power each time. */
const UNIT_MASK = (1 << UNIT_BITS) - 1;
const ADDRESSES = 1 << ADDRESS_BITS;
const ADDRESS_MASK = ADDRESSES - 1;
/** Words of an entry before its key: bytes of the key, bytes of the value or one of the two below. */
const HEAD = 8;
/** The value is undefined. */
const ABSENT = 0xffffffff;
/** The entry was deleted. */
const DELETED = 0xfffffffe;
const FIRST_ENTRIES = 64;

/** Of what entries are copied from: for all maps, so that none keeps that alive. */
const FROM = new LastView();
const VALUES = new LastView();

/** A block has run: keeps alive nothing that entries were copied from, which may be all that it read and wrote. */
export function forgetSources(): void {
  FROM.forget();
  VALUES.forget();
}

/**
 * Bytes, or undefined, by binary string, in the order in which the keys were first set. Keys and values lie packed in
 * large buffers: a map of millions of short ones takes a fifth of the memory of a `Map`, and nothing of it is looked
 * through by the garbage collector. Values are copied in and out.
 */
export class PackedMap extends PackedWrites {
  readonly #chunks: Uint8Array[] = [];
  readonly #words: Uint32Array[] = [];
  readonly #views: DataView[] = [];
  /** Where the last chunk has room. */
  #next = 0;
  /** By entry. */
  #addresses = new Uint32Array(FIRST_ENTRIES);
  #hashes = new Int32Array(0);
  #count = 0;
  #deleted = 0;
  /** Number of an entry plus one, 0 for none; at most half are taken. Empty until something is looked up. */
  #slots = new Uint32Array(0);
  #room = new Uint8Array(256);
  readonly #entry = new AdjacentEntry();

  static from(entries: Iterable<readonly [string, Uint8Array | undefined]>): PackedMap {
    const map = new PackedMap();
    for (const [key, value] of entries) map.set(key, value);
    return map;
  }

  get size(): number {
    return this.#count - this.#deleted;
  }

  /** Bytes of its entries, those that others have replaced included. */
  get bytes(): number {
    const last = this.#chunks.at(-1)?.length ?? 0;
    return this.#chunks.reduce((sum, { length }) => sum + length, 0) - last + this.#next;
  }

  has(key: string): boolean {
    return this.#find(key);
  }

  get(key: string): Uint8Array | undefined {
    if (!this.#find(key)) return undefined;
    const { bytes, keyEnd, valueEnd } = this.#entry;
    return valueEnd < 0 ? undefined : bytes.slice(keyEnd, valueEnd);
  }

  set(key: string, value: Uint8Array | undefined): void {
    if (key.length > this.#room.length) this.#room = new Uint8Array(2 * key.length);
    const room = this.#room;
    writeBinaryString(room, 0, key);
    this.#set(room, 0, key.length, value);
  }

  /**
   * As {@link set}, of the key and the value that lie in `from`: from `keyStart` to `keyEnd`, from `valueStart` to
   * `valueEnd`. A value of no bytes stands for undefined.
   */
  setAt(from: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    this.#set(from, keyStart, keyEnd, valueStart === valueEnd ? undefined : from, valueStart, valueEnd);
  }

  /** As {@link set}, of an entry of other writes. */
  setEntry({ bytes, keyStart, keyEnd, valueStart, valueEnd }: PackedEntry): void {
    if (valueEnd < 0) this.#set(bytes, keyStart, keyEnd, undefined, 0, 0);
    else this.#set(bytes, keyStart, keyEnd, bytes, valueStart, valueEnd);
  }

  /** The value is undefined, or the part of `value` that is named. */
  #set(
    from: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | undefined,
    valueStart = 0,
    valueEnd = value?.length ?? 0,
  ): void {
    const view = FROM.of(from);
    const hash = hashOfWords(view, keyStart, keyEnd);
    const slot = this.#slotOf(hash, view, keyStart, keyEnd);
    const entry = this.#slots[slot] - 1;
    if (entry >= 0) {
      if (this.#load(this.#addresses[entry]) === DELETED) this.#deleted--;
      if (this.#setInPlace(entry, value, valueStart, valueEnd)) return;
      this.#addresses[entry] = this.#append(from, keyStart, keyEnd, value, valueStart, valueEnd);
      return;
    }
    this.#slots[slot] = this.#count + 1;
    this.#hashes[this.#count] = hash;
    this.#add(this.#append(from, keyStart, keyEnd, value, valueStart, valueEnd));
  }

  /**
   * As {@link setAt}, of a key that has never had an entry: it is not looked for while there is nothing to look it up
   * by.
   */
  addAt(from: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    if (this.#slots.length > 0) {
      this.setAt(from, keyStart, keyEnd, valueStart, valueEnd);
      return;
    }
    this.#add(this.#append(from, keyStart, keyEnd, valueStart === valueEnd ? undefined : from, valueStart, valueEnd));
  }

  /** The entry of the key from `start` to `end` of `bytes`, if it has one: good until the next call of any method. */
  findAt(bytes: Uint8Array, start: number, end: number): PackedEntry | undefined {
    if (this.#count === 0) return undefined;
    const view = FROM.of(bytes);
    const slot = this.#slotOf(hashOfWords(view, start, end), view, start, end);
    const entry = this.#slots[slot];
    return entry !== 0 && this.#load(this.#addresses[entry - 1]) !== DELETED ? this.#entry : undefined;
  }

  /** Writes an entry whose value is the part of `value` that is named, and gives its address. */
  #append(
    from: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | undefined,
    valueStart = 0,
    valueEnd = value?.length ?? 0,
  ): number {
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    const size = HEAD + keyBytes + valueBytes;
    const at = this.#roomFor(size);
    const chunk = this.#chunks.length - 1;
    const view = this.#views[chunk];
    const fromView = FROM.of(from);
    copyWords(fromView, keyStart, keyEnd, view, at + HEAD);
    if (value !== undefined) {
      const valueView = value === from ? fromView : VALUES.of(value);
      copyWords(valueView, valueStart, valueEnd, view, at + HEAD + keyBytes);
    }
    const words = this.#words[chunk];
    words[at >>> 2] = keyBytes;
    words[(at >>> 2) + 1] = value === undefined ? ABSENT : valueBytes;
    this.#next = at + aligned(size);
    return chunk * ADDRESSES + (at >>> UNIT_BITS);
  }

  #add(address: number): void {
    this.#addresses[this.#count++] = address;
    if (this.#count === this.#addresses.length) this.#grow();
  }

  delete(key: string): boolean {
    if (!this.#find(key)) return false;
    const { bytes, keyStart } = this.#entry;
    new DataView(bytes.buffer).setUint32(keyStart - 4, DELETED, true);
    this.#deleted++;
    return true;
  }

  /** Deletes the entries whose value is undefined and of whose key `isVoid` says so. */
  deleteAbsent(isVoid: (key: string) => boolean): void {
    for (let i = 0; i < this.#count; i++) {
      const address = this.#addresses[i];
      if (this.#load(address) !== ABSENT) continue;
      const { bytes, keyStart, keyEnd } = this.#entry;
      if (!isVoid(binarySlice(bytes, keyStart, keyEnd))) continue;
      this.#words[address >>> ADDRESS_BITS][((keyStart - HEAD) >>> 2) + 1] = DELETED;
      this.#deleted++;
    }
  }

  /** Gives back the memory by which keys are looked up: the next look-up makes it again. */
  forgetIndex(): void {
    this.#hashes = new Int32Array(0);
    this.#slots = new Uint32Array(0);
  }

  addresses(): Uint32Array {
    const all = this.#addresses.subarray(0, this.#count);
    return this.#deleted === 0 ? all : all.filter((address) => this.#load(address) !== DELETED);
  }

  read(address: number): PackedEntry {
    this.#load(address);
    return this.#entry;
  }

  *entries(): MapIterator<[string, Uint8Array | undefined]> {
    for (let i = 0; i < this.#count; i++) {
      if (this.#load(this.#addresses[i]) === DELETED) continue;
      const { bytes, keyStart, keyEnd, valueEnd } = this.#entry;
      const value = valueEnd < 0 ? undefined : bytes.slice(keyEnd, valueEnd);
      yield [binarySlice(bytes, keyStart, keyEnd), value];
    }
  }

  /** Whether there is an entry; it is the one that was read last then. */
  #find(key: string): boolean {
    if (key.length > this.#room.length) this.#room = new Uint8Array(2 * key.length);
    writeBinaryString(this.#room, 0, key);
    const view = FROM.of(this.#room);
    const slot = this.#slotOf(hashOfWords(view, 0, key.length), view, 0, key.length);
    const entry = this.#slots[slot];
    return entry !== 0 && this.#load(this.#addresses[entry - 1]) !== DELETED;
  }

  /** Gives an entry another value, if there is room for it where the last one is. */
  #setInPlace(entry: number, value: Uint8Array | undefined, valueStart: number, valueEnd: number): boolean {
    const address = this.#addresses[entry];
    const old = this.#load(address);
    const { bytes, keyStart, keyEnd } = this.#entry;
    const used = old === ABSENT || old === DELETED ? keyEnd : keyEnd + old;
    const length = valueEnd - valueStart;
    if (keyEnd + length > keyStart - HEAD + aligned(used - keyStart + HEAD)) return false;
    if (value !== undefined) copyBytes(value, valueStart, valueEnd, bytes, keyEnd);
    this.#words[address >>> ADDRESS_BITS][((keyStart - HEAD) >>> 2) + 1] = value === undefined ? ABSENT : length;
    return true;
  }

  /** Reads an entry; returns the second word of its head. */
  #load(address: number): number {
    const chunk = address >>> ADDRESS_BITS;
    const at = (address & ADDRESS_MASK) << UNIT_BITS;
    const words = this.#words[chunk];
    const entry = this.#entry;
    const value = words[(at >>> 2) + 1];
    entry.bytes = this.#chunks[chunk];
    entry.keyStart = at + HEAD;
    entry.keyEnd = at + HEAD + words[at >>> 2];
    entry.valueEnd = value === ABSENT || value === DELETED ? -1 : entry.keyEnd + value;
    return value;
  }

  /** Where the last chunk has room for `size` bytes. */
  #roomFor(size: number): number {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#next + size <= last.length) return this.#next;
    const bits = Math.min(CHUNK_BITS, FIRST_CHUNK_BITS + this.#chunks.length);
    const buffer = new ArrayBuffer(Math.max(2 ** bits, aligned(size)));
    this.#chunks.push(new Uint8Array(buffer));
    this.#words.push(new Uint32Array(buffer));
    this.#views.push(new DataView(buffer));
    this.#next = 0;
    return 0;
  }

  /** The slot of the key in `view` from `start` to `end`: empty if it is not there. */
  #slotOf(hash: number, view: DataView, start: number, end: number): number {
    if (this.#slots.length === 0) this.#index();
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot] - 1;
      if (this.#hashes[entry] === hash && this.#isKey(entry, view, start, end)) return slot;
    }
    return slot;
  }

  #isKey(entry: number, view: DataView, start: number, end: number): boolean {
    const address = this.#addresses[entry];
    const at = (address & ADDRESS_MASK) << UNIT_BITS;
    const chunk = address >>> ADDRESS_BITS;
    if (this.#words[chunk][at >>> 2] !== end - start) return false;
    return wordsEqual(this.#views[chunk], at + HEAD, view, start, end - start);
  }

  #grow(): void {
    const addresses = new Uint32Array(2 * this.#addresses.length);
    addresses.set(this.#addresses);
    this.#addresses = addresses;
    if (this.#slots.length === 0) return;
    const hashes = new Int32Array(addresses.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#fillSlots();
  }

  /** Makes all by which keys are looked up. */
  #index(): void {
    this.#hashes = new Int32Array(this.#addresses.length);
    for (let i = 0; i < this.#count; i++) {
      const address = this.#addresses[i];
      this.#load(address);
      const { keyStart, keyEnd } = this.#entry;
      this.#hashes[i] = hashOfWords(this.#views[address >>> ADDRESS_BITS], keyStart, keyEnd);
    }
    this.#fillSlots();
  }

  #fillSlots(): void {
    const hashes = this.#hashes;
    const slots = new Uint32Array(2 * hashes.length);
    const mask = slots.length - 1;
    for (let i = 0; i < this.#count; i++) {
      let slot = hashes[i] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = i + 1;
    }
    this.#slots = slots;
  }
}

/** `size` and what is missing to the begin of the next entry. */
function aligned(size: number): number {
  return size + (-size & UNIT_MASK);
}
