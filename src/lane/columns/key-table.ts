/** Keys of a block under small numbers, so that nothing on the way compares or hashes a key twice. */
import { randomBytes } from 'node:crypto';
import { toBinaryString } from '../../util/bytes.js';

/** Odd numbers, random per process: nobody can choose keys that all fall on one place of everybody's tables. */
const [SEED_A, SEED_B] = new Uint32Array(Uint8Array.from(randomBytes(8)).buffer).map((word) => word | 1);

const FIRST_KEYS = 1_024;
/** Places that are looked at for a key; beyond them it is found by a map, whose hash nobody can foresee. */
const MOST_STEPS = 24;
const NONE = 0;

/** Numbers keys from 0 on, in the order in which they come. */
export class KeyTable {
  /** Where the bytes of each key lie; `keep` says where those of a new one are. */
  starts = new Uint32Array(FIRST_KEYS);
  ends = new Uint32Array(FIRST_KEYS);
  #hashes = new Int32Array(FIRST_KEYS);
  #count = 0;
  /** Hash of the key that was looked for last. */
  #hash = 0;
  /** Number of a key + 1, {@link NONE} for an empty place. */
  #places = new Uint32Array(2 * FIRST_KEYS);
  /** By key, as a binary string: those that found no place near their own. */
  readonly #far = new Map<string, number>();
  readonly #mostSteps: number;

  constructor(mostSteps = MOST_STEPS) {
    this.#mostSteps = mostSteps;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * The number of the key from `start` to `end` of `bytes`, whose other keys lie in `kept`; -1 if it has none: {@link
   * add} gives it one.
   */
  find(bytes: Uint8Array, start: number, end: number, kept: Uint8Array): number {
    const hash = hashOf(bytes, start, end);
    this.#hash = hash;
    const places = this.#places;
    const mask = places.length - 1;
    for (let steps = 0, place = hash & mask; steps < this.#mostSteps; steps++, place = (place + 1) & mask) {
      const number = places[place] - 1;
      if (number < 0) return -1;
      if (this.#hashes[number] === hash && this.#equals(number, bytes, start, end, kept)) return number;
    }
    if (this.#far.size === 0) return -1;
    return this.#far.get(toBinaryString(bytes.subarray(start, end))) ?? -1;
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

  #equals(number: number, bytes: Uint8Array, start: number, end: number, kept: Uint8Array): boolean {
    const from = this.starts[number];
    if (this.ends[number] - from !== end - start) return false;
    for (let at = start, k = from; at < end; at++, k++) if (bytes[at] !== kept[k]) return false;
    return true;
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
    this.#far.set(toBinaryString(kept.subarray(this.starts[number], this.ends[number])), number);
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

/** `list` with room for `length` numbers. */
export function longer(list: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(length);
  out.set(list);
  return out;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED_A ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    hash = Math.imul(hash ^ word, SEED_B);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at], SEED_B);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x5bd1e995);
  return hash ^ (hash >>> 15);
}
