import type { PackedWrites } from './packed-writes.js';

/** Fewer than this are sorted by insertion. */
const FEW = 24;
/** Bytes that are compared at once. */
const FIRST_STEP = 8;
/** By byte, after those of keys that have ended. */
const BUCKETS = 257;

/** Places in `addresses`, of entries of `writes`, in the order of their keys' bytes. */
export function sortedByKey(writes: PackedWrites, addresses: Uint32Array): Uint32Array {
  const places = new Uint32Array(addresses.length);
  for (let i = 0; i < places.length; i++) places[i] = i;
  new KeySort(writes, addresses, places).run();
  return places;
}

/**
 * By one byte after the other, the most significant first: keys of one contract share their first 39 bytes, which are
 * looked at once. What is left to do lies in a list, not on the stack: keys may be as deep as they are long.
 */
class KeySort {
  readonly #writes: PackedWrites;
  readonly #addresses: Uint32Array;
  readonly #places: Uint32Array;
  readonly #moved: Uint32Array;
  readonly #digits: Uint16Array;
  /** From, end and depth of ranges that are not sorted; what lies before their depth is the same. */
  readonly #open: number[] = [];

  constructor(writes: PackedWrites, addresses: Uint32Array, places: Uint32Array) {
    this.#writes = writes;
    this.#addresses = addresses;
    this.#places = places;
    this.#moved = new Uint32Array(places.length);
    this.#digits = new Uint16Array(places.length);
  }

  run(): void {
    this.#open.push(0, this.#places.length, 0);
    while (this.#open.length > 0) {
      const depth = this.#open.pop() ?? 0;
      const end = this.#open.pop() ?? 0;
      const from = this.#open.pop() ?? 0;
      if (end - from < FEW) this.#insert(from, end, depth);
      else this.#distribute(from, end, this.#shared(from, end, depth));
    }
  }

  /**
   * How many first bytes all keys of a range share: `depth` at least. They are compared in steps that double, so that
   * it takes about as long as what it finds: else long keys of which one differs early could make it the square.
   */
  #shared(from: number, end: number, depth: number): number {
    let shared = depth;
    for (let step = FIRST_STEP; ; step *= 2) {
      const next = this.#sharedUpTo(from, end, shared, shared + step);
      if (next < shared + step) return next;
      shared = next;
    }
  }

  /** The same, `most` at most. */
  #sharedUpTo(from: number, end: number, depth: number, most: number): number {
    const of = this.#writes.read(this.#addresses[this.#places[from]]);
    const first = of.bytes.subarray(of.keyStart, of.keyEnd);
    let shared = Math.min(first.length, most);
    for (let i = from + 1; i < end && shared > depth; i++) {
      const { bytes, keyStart, keyEnd } = this.#writes.read(this.#addresses[this.#places[i]]);
      const last = Math.min(shared, keyEnd - keyStart);
      shared = depth;
      while (shared < last && bytes[keyStart + shared] === first[shared]) shared++;
    }
    return shared;
  }

  #distribute(from: number, end: number, depth: number): void {
    const places = this.#places;
    const ends = new Uint32Array(BUCKETS + 1);
    for (let i = from; i < end; i++) {
      const { bytes, keyStart, keyEnd } = this.#writes.read(this.#addresses[places[i]]);
      const digit = keyStart + depth < keyEnd ? bytes[keyStart + depth] + 1 : 0;
      this.#digits[i] = digit;
      ends[digit + 1]++;
    }
    for (let digit = 1; digit <= BUCKETS; digit++) {
      const count = ends[digit];
      ends[digit] += ends[digit - 1];
      // Keys that have ended are one at most.
      if (count > 1 && digit > 1) this.#open.push(from + ends[digit - 1], from + ends[digit], depth + 1);
    }
    for (let i = from; i < end; i++) this.#moved[from + ends[this.#digits[i]]++] = places[i];
    places.set(this.#moved.subarray(from, end), from);
  }

  /** No object is made for a comparison: there are tens of millions of them. */
  #insert(from: number, end: number, depth: number): void {
    const places = this.#places;
    for (let i = from + 1; i < end; i++) {
      const place = places[i];
      const { bytes, keyStart, keyEnd } = this.#writes.read(this.#addresses[place]);
      let at = i;
      for (; at > from && this.#isAbove(places[at - 1], depth, bytes, keyStart, keyEnd); at--) {
        places[at] = places[at - 1];
      }
      places[at] = place;
    }
  }

  /** Whether the key of `place` comes after the one in `bytes` from `start` to `end`. */
  #isAbove(place: number, depth: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#writes.read(this.#addresses[place]);
    const length = own.keyEnd - own.keyStart;
    const shorter = Math.min(length, end - start);
    for (let i = depth; i < shorter; i++) {
      const difference = own.bytes[own.keyStart + i] - bytes[start + i];
      if (difference !== 0) return difference > 0;
    }
    return length > end - start;
  }
}
