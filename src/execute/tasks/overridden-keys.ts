import type { BlockState } from '../../lane/columns/block-state.js';
import { NumberSet } from '../../lane/columns/number-set.js';
import { CODE_PREFIX } from '../../lane/keys.js';
import { fromBinaryString } from '../../util/bytes.js';
import type { RowOverrides } from './row-records.js';
import { Words } from './row-records.js';

const CODE = fromBinaryString(CODE_PREFIX);
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

  /** Whether a value that is set is code. */
  get hasCode(): boolean {
    return this.#hasCode;
  }

  /** Sets the values that row number `at` of `overrides` sees. */
  set({ ends, words, bytes }: RowOverrides, at: number): void {
    const state = this.#state;
    for (let word = at === 0 ? 0 : ends[at - 1]; word < ends[at]; word += 4) {
      const key = state.keyOf(bytes, words[word], words[word + 1]);
      const start = state.keep(bytes, words[word + 2], words[word + 3]);
      this.put(key, start, start + words[word + 3] - words[word + 2]);
    }
  }

  /** Sets what the row sees under `key`: what lies from `start` to `end` of the state. The first of a key counts. */
  put(key: number, start: number, end: number): void {
    const state = this.#state;
    if (this.has(key)) return;
    this.#keys.add(key);
    this.#saved.push(state.isKnown(key) ? state.starts[key] : NOT_KNOWN);
    this.#saved.push(state.ends[key]);
    state.set(key, start, end);
    this.#hasCode ||= CODE.every((byte, i) => state.bytes[state.keyStart(key) + i] === byte);
  }

  /** Takes them away again. */
  restore(): void {
    const state = this.#state;
    for (let i = 0; i < this.#keys.count; i++) {
      const key = this.#keys.list[i];
      const [start, end] = [this.#saved.list[2 * i], this.#saved.list[2 * i + 1]];
      state.forget(key);
      if (start !== NOT_KNOWN) state.learn(key, start, end);
    }
    this.#keys.count = 0;
    this.#saved.length = 0;
    this.#hasCode = false;
  }
}
