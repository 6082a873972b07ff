import type { BlockState } from '../../lane/columns/block-state.js';
import { NumberSet } from '../../lane/columns/number-set.js';
import type { RowOverrides } from './row-records.js';
import { Words } from './row-records.js';

const CODE = new TextEncoder().encode('code/');
const NOT_KNOWN = 0xffffffff;

/** Values that one row sees in place of those before the block, and what they stand in front of. */
export class OverriddenKeys {
  readonly #state: BlockState;
  readonly #keys = new NumberSet();
  /** By key of the set: begin and end of its value before. */
  readonly #saved = new Words();
  #hasCode = false;

  constructor(state: BlockState) {
    this.#state = state;
  }

  has(key: number): boolean {
    return this.#keys.placeOf(key) >= 0;
  }

  /** Sets the values that row number `at` of `overrides` sees. True: one of them is code. */
  set({ ends, words, bytes }: RowOverrides, at: number): boolean {
    const state = this.#state;
    this.#hasCode = false;
    for (let word = at === 0 ? 0 : ends[at - 1]; word < ends[at]; word += 4) {
      const key = state.keyOf(bytes, words[word], words[word + 1]);
      if (this.#keys.placeOf(key) >= 0) continue;
      this.#keys.add(key);
      this.#saved.push(state.isKnown(key) ? state.starts[key] : NOT_KNOWN);
      this.#saved.push(state.ends[key]);
      const start = state.keep(bytes, words[word + 2], words[word + 3]);
      state.set(key, start, start + words[word + 3] - words[word + 2]);
      this.#hasCode ||= CODE.every((byte, i) => state.bytes[state.keyStart(key) + i] === byte);
    }
    return this.#hasCode;
  }

  /** Takes them away again. True: one of them was code. */
  restore(): boolean {
    const state = this.#state;
    for (let i = 0; i < this.#keys.count; i++) {
      const key = this.#keys.list[i];
      const [start, end] = [this.#saved.list[2 * i], this.#saved.list[2 * i + 1]];
      state.forget(key);
      if (start !== NOT_KNOWN) state.learn(key, start, end);
    }
    this.#keys.count = 0;
    this.#saved.length = 0;
    return this.#hasCode;
  }
}
