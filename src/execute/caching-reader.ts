/** The state before a block, each key read once. */
import type { LaneKey, StateReader } from '../lane/types.js';

/** Remembers what `base` said; valid while `base` does not change, so for one block. */
export class CachingReader implements StateReader {
  readonly #base: StateReader;
  readonly #known = new Map<LaneKey, Uint8Array | undefined>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  get(key: LaneKey): Uint8Array | undefined {
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.has(key)) return known;
    // A tight copy: values travel between threads, and a view would take its whole buffer along.
    const value = this.#base.get(key)?.slice();
    this.#known.set(key, value);
    return value;
  }
}
