/** Keys of a block under small numbers, so that nothing on the way compares or hashes a key twice. */
import { binarySlice } from '../../util/bytes.js';
import { longer } from '../../util/longer.js';
import { hashOfWords, wordsEqual } from '../../util/word-hash.js';
import { bytesOf, LastView } from '../../util/words.js';

const FIRST_KEYS = 128;
/** Places that are looked at for a key; beyond them it is found by a map, whose hash nobody can foresee. */
export const MOST_STEPS = 24;
const NONE = 0;

/** Numbers keys from 0 on, in the order in which they come. */
export class KeyTable {
  /** Where the bytes of each key lie; `keep` says where those of a new one are. */
  starts: Uint32Array;
  ends: Uint32Array;
  #hashes: Int32Array;
  #count = 0;
  /** Hash of the key that was looked for last. */
  #hash = 0;
  /** Number of a key + 1, {@link NONE} for an empty place. */
  #places: Uint32Array;
  /** By key, as a binary string: those that found no place near their own. */
  readonly #far = new Map<string, number>();
  readonly #mostSteps: number;
  readonly #view = new LastView();
  readonly #keptView = new LastView();

  /** `keys`: so many have room from the beginning; at least one. */
  constructor(mostSteps = MOST_STEPS, keys = FIRST_KEYS) {
    this.#mostSteps = mostSteps;
    const room = 2 ** Math.ceil(Math.log2(keys));
    this.starts = new Uint32Array(room);
    this.ends = new Uint32Array(room);
    this.#hashes = new Int32Array(room);
    this.#places = new Uint32Array(2 * room);
  }

  get count(): number {
    return this.#count;
  }

  /** Forgets all keys; what has room for them stays. */
  clear(): void {
    this.#count = 0;
    this.#places.fill(NONE);
    this.#far.clear();
  }

  /**
   * The number of the key from `start` to `end` of `bytes`, whose other keys lie in `kept`; -1 if it has none: {@link
   * add} gives it one.
   */
  find(bytes: Uint8Array, start: number, end: number, kept: Uint8Array): number {
    const keptView = this.#keptView.of(kept);
    return this.findIn(bytes === kept ? keptView : this.#view.of(bytes), start, end, keptView);
  }

  /** The same by views of the bytes. */
  findIn(view: DataView, start: number, end: number, kept: DataView): number {
    const hash = hashOfWords(view, start, end);
    this.#hash = hash;
    const places = this.#places;
    const mask = places.length - 1;
    for (let steps = 0, place = hash & mask; steps < this.#mostSteps; steps++, place = (place + 1) & mask) {
      const number = places[place] - 1;
      if (number < 0) return -1;
      if (this.#hashes[number] === hash && this.isAt(number, view, start, end, kept)) return number;
    }
    if (this.#far.size === 0) return -1;
    return this.#far.get(binarySlice(bytesOf(view), start, end)) ?? -1;
  }

  /** Whether the key `number`, in `kept`, is the one that lies from `start` to `end` of `view`. */
  isAt(number: number, view: DataView, start: number, end: number, kept: DataView): boolean {
    const from = this.starts[number];
    if (this.ends[number] - from !== end - start) return false;
    return wordsEqual(view, start, kept, from, end - start);
  }

  /** Gives the next number to the key that {@link find} has just not found, which lies in `kept` now. */
  add(kept: Uint8Array, start: number, end: number): number {
    if (this.#count === this.starts.length) this.#grow(kept);
    const number = this.#count++;
    this.starts[number] = start;
    this.ends[number] = end;
    this.#hashes[number] = this.#hash;
    this.#put(number, kept);
    return number;
  }

  #put(number: number, kept: Uint8Array): void {
    const places = this.#places;
    const mask = places.length - 1;
    for (
      let steps = 0, place = this.#hashes[number] & mask;
      steps < this.#mostSteps;
      steps++, place = (place + 1) & mask
    ) {
      if (places[place] !== NONE) continue;
      places[place] = number + 1;
      return;
    }
    this.#far.set(binarySlice(kept, this.starts[number], this.ends[number]), number);
  }

  #grow(kept: Uint8Array): void {
    const length = 2 * this.starts.length;
    this.starts = longer(this.starts, length);
    this.ends = longer(this.ends, length);
    const hashes = new Int32Array(length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#places = new Uint32Array(2 * length);
    this.#far.clear();
    for (let number = 0; number < this.#count; number++) this.#put(number, kept);
  }
}
