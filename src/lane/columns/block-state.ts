/** The state inside a block while it is built: keys by number, values in one array of bytes. */
import type { Program } from '../../program/types.js';
import { binarySlice, writeBinaryString } from '../../util/bytes.js';
import { longer } from '../../util/longer.js';
import { PackedMap } from '../../util/packed-map.js';
import { unsetBytes } from '../../util/unset-bytes.js';
import { wordsEqual } from '../../util/word-hash.js';
import { copyWords, viewOf } from '../../util/words.js';
import type { LaneKey, StateReader } from '../types.js';
import { KeyTable } from './key-table.js';

/** Small blocks make and drop a state each: what large ones need is made as they grow. */
const FIRST_BYTES = 1 << 16;
const FIRST_KEYS = 128;
/** Bytes of keys and values after which those that were only read are forgotten, and the others are put aside. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What is known of a key's value. */
const UNKNOWN = 0;
const READ = 1;
const WRITTEN = 2;

/** Whether the state below has a value of a key: not asked; no; yes. */
const ABSENT = 1;
const PRESENT = 2;

/**
 * Values of namespace P as the transactions of a block so far have left them, over a state that does not change. No
 * value has no bytes: length 0 stands for an absent key. Numbers of keys hold until {@link settle}.
 */
export class BlockState {
  /** Keys and values; a longer array takes its place when it is full. */
  bytes: Uint8Array;
  /** All of `bytes`. */
  view: DataView;
  #used = 0;
  readonly #keys = new KeyTable();
  /** By key: where its value lies. */
  starts = new Uint32Array(FIRST_KEYS);
  ends = new Uint32Array(FIRST_KEYS);
  #known = new Uint8Array(FIRST_KEYS);
  #below = new Uint8Array(FIRST_KEYS);
  #base: StateReader;
  #mostBytes: number;
  /** Writes that were put aside: a value of no bytes is undefined here. */
  #aside: PackedMap | undefined;

  /** `bytes`: an array to begin with; what it holds means nothing. */
  constructor(base: StateReader, mostBytes = MOST_BYTES, bytes: Uint8Array = unsetBytes(FIRST_BYTES)) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#base = base;
    this.#mostBytes = mostBytes;
  }

  /** Begins anew, as if it had just been made, in the memory that it has. */
  begin(base: StateReader, mostBytes = MOST_BYTES): void {
    this.#base = base;
    this.#mostBytes = mostBytes;
    this.#aside = undefined;
    this.#forgetKeys();
  }

  #forgetKeys(): void {
    this.#known.fill(UNKNOWN, 0, this.keys);
    this.#below.fill(UNKNOWN, 0, this.keys);
    this.#keys.clear();
    this.#used = 0;
  }

  /** Numbers of keys are below this. */
  get keys(): number {
    return this.#keys.count;
  }

  /** The number of the key that lies from `start` to `end` of `bytes`. */
  keyOf(bytes: Uint8Array, start: number, end: number): number {
    const found = this.#keys.find(bytes, start, end, this.bytes);
    if (found >= 0) return found;
    const at = this.keep(bytes, start, end);
    const key = this.#keys.add(this.bytes, at, at + end - start);
    if (key === this.starts.length) this.#grow();
    return key;
  }

  /** The number of the key that lies from `start` to `end` of what is kept. */
  keyOfKept(start: number, end: number): number {
    const found = this.#keys.findIn(this.view, start, end, this.view);
    if (found >= 0) return found;
    const key = this.#keys.add(this.bytes, start, end);
    if (key === this.starts.length) this.#grow();
    return key;
  }

  /** The number of `key`, -1 if it has none. */
  findText(key: LaneKey): number {
    const at = this.room(key.length);
    writeBinaryString(this.bytes, at, key);
    return this.#keys.findIn(this.view, at, at + key.length, this.view);
  }

  /** The number of `key`. */
  keyOfText(key: LaneKey): number {
    const at = this.room(key.length);
    writeBinaryString(this.bytes, at, key);
    return this.keyInRoom(key.length);
  }

  /** The number of the key that was written where {@link room} said. */
  keyInRoom(length: number): number {
    const at = this.#used;
    const found = this.#keys.findIn(this.view, at, at + length, this.view);
    if (found >= 0) return found;
    this.#used = at + length;
    const key = this.#keys.add(this.bytes, at, at + length);
    if (key === this.starts.length) this.#grow();
    return key;
  }

  /** Whether `key`, which is that long, has the `length` bytes at `at` of `view` behind its first `skipped` ones. */
  hasAt(key: number, skipped: number, view: DataView, at: number, length: number): boolean {
    return wordsEqual(view, at, this.view, this.keyStart(key) + skipped, length);
  }

  /** Where the bytes of a key lie in `bytes`. */
  keyStart(key: number): number {
    return this.#keys.starts[key];
  }

  keyEnd(key: number): number {
    return this.#keys.ends[key];
  }

  keyText(key: number): LaneKey {
    return binarySlice(this.bytes, this.#keys.starts[key], this.#keys.ends[key]);
  }

  /** Bytes of the value of `key` as it is now, 0 if it is absent; afterwards it lies at `starts` and `ends`. */
  load(key: number): number {
    if (this.#known[key] === UNKNOWN) this.#read(key);
    return this.ends[key] - this.starts[key];
  }

  /** Loads those of the first `count` of `keys` that are not known, where the state below reads many at once. */
  loadMany(keys: Uint32Array, count: number): void {
    const base = this.#base;
    if (base.getManyAt === undefined) return;
    const wanted = new Uint32Array(count);
    const [starts, ends] = [new Uint32Array(count), new Uint32Array(count)];
    let found = 0;
    for (let i = 0; i < count; i++) {
      const key = keys[i];
      if (this.#known[key] !== UNKNOWN || this.#isAsideAt(key)) continue;
      wanted[found] = key;
      starts[found] = this.keyStart(key);
      ends[found++] = this.keyEnd(key);
    }
    const values = base.getManyAt(this.bytes, starts.subarray(0, found), ends.subarray(0, found));
    for (let i = 0; i < found; i++) this.#placeOfBase(wanted[i], values[i]);
  }

  #isAsideAt(key: number): boolean {
    return this.#aside?.findAt(this.bytes, this.keyStart(key), this.keyEnd(key)) !== undefined;
  }

  /** The value of a key that is not known here, in the bytes in which it lies. */
  #read(key: number): void {
    const { bytes } = this;
    const keyStart = this.keyStart(key);
    const keyEnd = this.keyEnd(key);
    const aside = this.#aside?.findAt(bytes, keyStart, keyEnd);
    if (aside !== undefined) {
      const length = Math.max(0, aside.valueEnd - aside.keyEnd);
      this.#place(key, length === 0 ? 0 : this.keep(aside.bytes, aside.keyEnd, aside.valueEnd), length);
      return;
    }
    const base = this.#base;
    const value = base.getAt === undefined ? base.get(this.keyText(key)) : base.getAt(bytes, keyStart, keyEnd);
    this.#placeOfBase(key, value);
  }

  #placeOfBase(key: number, value: Uint8Array | undefined): void {
    this.#below[key] = value === undefined ? ABSENT : PRESENT;
    this.#place(key, value === undefined ? 0 : this.keep(value, 0, value.length), value?.length ?? 0);
  }

  /** Whether the state below has a value of `key`; undefined where that was not asked since keys got their numbers. */
  hasBelow(key: LaneKey): boolean | undefined {
    const number = this.findText(key);
    const below = number < 0 ? UNKNOWN : this.#below[number];
    return below === UNKNOWN ? undefined : below === PRESENT;
  }

  #place(key: number, at: number, length: number): void {
    this.starts[key] = at;
    this.ends[key] = at + length;
    this.#known[key] = READ;
  }

  /** The value of `key` becomes what lies from `start` to `end` of `bytes`; equal: the key is absent. */
  set(key: number, start: number, end: number): void {
    this.starts[key] = start;
    this.ends[key] = end;
    this.#known[key] = WRITTEN;
  }

  /** Takes what lies from `start` to `end` of `bytes` for the value of `key` in the state below, if it has none yet. */
  learn(key: number, start: number, end: number): void {
    if (this.#known[key] !== UNKNOWN) return;
    this.starts[key] = start;
    this.ends[key] = end;
    this.#known[key] = READ;
  }

  /** Whether the value of `key` lies at `starts` and `ends`, and whether it was written rather than read. */
  isKnown(key: number): boolean {
    return this.#known[key] !== UNKNOWN;
  }

  isWritten(key: number): boolean {
    return this.#known[key] === WRITTEN;
  }

  /** Takes back what is known of the value of `key`: it is read anew. */
  forget(key: number): void {
    this.#known[key] = UNKNOWN;
  }

  /** Bytes of keys and values that are kept. */
  get used(): number {
    return this.#used;
  }

  /** Makes room for `length` bytes at the end of what is kept, and gives where; {@link take} keeps them. */
  room(length: number): number {
    const wanted = this.#used + length;
    if (wanted > this.bytes.length) {
      const bytes = unsetBytes(Math.max(wanted, 2 * this.bytes.length));
      bytes.set(this.bytes.subarray(0, this.#used));
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    return this.#used;
  }

  /** Keeps `length` bytes that were written where {@link room} said; gives where they begin. */
  take(length: number): number {
    const at = this.#used;
    this.#used += length;
    return at;
  }

  /** Copies bytes of another array to where values are kept, and gives where. */
  keepWords(from: DataView, start: number, end: number): number {
    const at = this.room(end - start);
    copyWords(from, start, end, this.view, at);
    return this.take(end - start);
  }

  /** The same, of any array. */
  keep(from: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const at = this.room(length);
    const { bytes } = this;
    if (length < 64) for (let i = 0; i < length; i++) bytes[at + i] = from[start + i];
    else if (from === bytes) bytes.copyWithin(at, start, end);
    else bytes.set(start === 0 && end === from.length ? from : from.subarray(start, end), at);
    return this.take(length);
  }

  /**
   * Between two transactions: forgets what was only read, and old values, and puts the others aside, if there is much
   * of it. True: keys have other numbers now.
   */
  settle(): boolean {
    if (this.#used <= this.#mostBytes) return false;
    this.#aside = this.writes();
    // The arrays serve again: touching new memory takes longer than all the rest.
    this.#forgetKeys();
    return true;
  }

  /** Whether a write of `key` was put aside. */
  isAside(key: LaneKey): boolean {
    return this.#aside?.has(key) ?? false;
  }

  /** All writes of the block, by key; undefined: the key is deleted. They are the caller's if nothing follows. */
  writes(): PackedMap {
    const writes = this.#aside ?? new PackedMap();
    for (let key = 0; key < this.keys; key++) {
      if (this.#known[key] !== WRITTEN) continue;
      const start = this.starts[key];
      const end = this.ends[key];
      if (this.#aside === undefined) writes.addAt(this.bytes, this.keyStart(key), this.keyEnd(key), start, end);
      else writes.setAt(this.bytes, this.keyStart(key), this.keyEnd(key), start, end);
    }
    return writes;
  }

  #grow(): void {
    const length = 2 * this.starts.length;
    this.starts = longer(this.starts, length);
    this.ends = longer(this.ends, length);
    this.#known = longerBytes(this.#known, length);
    this.#below = longerBytes(this.#below, length);
  }
}

function longerBytes(list: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  out.set(list);
  return out;
}

/** The same state for those that name keys by their text. */
export class BlockStateReader implements StateReader {
  isGuess = false;

  /** `before`: the state before the block. */
  constructor(
    readonly state: BlockState,
    readonly before: StateReader,
  ) {}

  get(key: LaneKey): Uint8Array | undefined {
    const { state } = this;
    let number = state.findText(key);
    if (number < 0 || !state.isKnown(number)) {
      // Who reads by text may read a lot, code above all, and the state before the block remembers it.
      if (!state.isAside(key)) return this.before.get(key);
      number = state.keyOfText(key);
    }
    if (state.load(number) === 0) return undefined;
    return state.bytes.slice(state.starts[number], state.ends[number]);
  }

  programAt(key: LaneKey): Program | undefined {
    return this.#isBelow(key) ? this.before.programAt?.(key) : undefined;
  }

  learnCode(key: LaneKey, program: Program): void {
    if (this.#isBelow(key)) this.before.learnCode?.(key, program);
  }

  /** Whether nothing is known of `key` here. */
  #isBelow(key: LaneKey): boolean {
    const number = this.state.findText(key);
    return (number < 0 || !this.state.isKnown(number)) && !this.state.isAside(key);
  }

  /** Applies what a transaction has written. */
  apply(writes: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    const { state } = this;
    for (const [key, value] of writes) {
      const number = state.keyOfText(key);
      const at = value === undefined ? 0 : state.keep(value, 0, value.length);
      state.set(number, at, at + (value?.length ?? 0));
    }
  }
}
