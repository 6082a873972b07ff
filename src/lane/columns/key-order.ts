import type { BlockState } from './block-state.js';

/** More keys are sorted the general way. */
export const MOST_SORTED = 64;

/**
 * Sorts the keys of one transaction after the other, as their bytes do. What follows each other mostly has the same
 * order, so the last one is tried first: one comparison a key tells that it is the right one.
 */
export class KeyOrder {
  /** What was sorted last. */
  readonly sorted = new Uint32Array(MOST_SORTED);
  /** Where each of them stood before. */
  readonly #places = new Uint8Array(MOST_SORTED);
  #count = 0;

  /** Sorts the first `count` of `keys`, {@link MOST_SORTED} at most, into `sorted`. */
  sort(state: BlockState, keys: Uint32Array, count: number): void {
    const { sorted } = this;
    const places = this.#places;
    if (count !== this.#count) {
      this.#count = count;
      for (let i = 0; i < count; i++) places[i] = i;
    }
    for (let i = 0; i < count; i++) {
      const from = places[i];
      const key = keys[from];
      let place = i;
      for (; place > 0 && isAfter(state, sorted[place - 1], key); place--) {
        sorted[place] = sorted[place - 1];
        places[place] = places[place - 1];
      }
      sorted[place] = key;
      places[place] = from;
    }
  }
}

/** Whether the key `a` comes after the other one. */
function isAfter(state: BlockState, a: number, b: number): boolean {
  const { view } = state;
  const startA = state.keyStart(a);
  const startB = state.keyStart(b);
  const lengthA = state.keyEnd(a) - startA;
  const lengthB = state.keyEnd(b) - startB;
  const length = Math.min(lengthA, lengthB);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    // As numbers whose first byte is the highest, words are in the order of their bytes.
    const wordA = view.getUint32(startA + i);
    const wordB = view.getUint32(startB + i);
    if (wordA !== wordB) return wordA > wordB;
  }
  for (; i < length; i++) {
    const difference = view.getUint8(startA + i) - view.getUint8(startB + i);
    if (difference !== 0) return difference > 0;
  }
  return lengthA > lengthB;
}
