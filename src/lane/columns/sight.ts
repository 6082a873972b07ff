import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { copyWords } from '../../util/words.js';
import { AMOUNT_BYTES, addAmounts, compareAmounts, subtractAmounts } from './amounts.js';
import type { BlockState } from './block-state.js';
import { NumberSet } from './number-set.js';
import { WriteLayer } from './write-layer.js';

/** What one transaction sees: the state under what it has written itself. */
export class Sight {
  /** Keys read from outside, in the order of their first reads. */
  readonly reads = new NumberSet();
  readonly writes = new WriteLayer();
  /** What was found last, in the state's bytes. */
  start = 0;
  end = 0;
  readonly #state: BlockState;

  constructor(state: BlockState) {
    this.#state = state;
  }

  /** The next transaction. */
  clear(): void {
    this.reads.count = 0;
    this.writes.clear();
  }

  /** Finds the value of `key`; gives its length, 0 if it is absent. Records the read. */
  see(key: number): number {
    const { writes } = this;
    const place = writes.placeOf(key);
    if (place >= 0) {
      this.start = writes.start(place);
      this.end = writes.end(place);
      return this.end - this.start;
    }
    this.reads.include(key);
    const state = this.#state;
    const length = state.load(key);
    this.start = state.starts[key];
    this.end = state.ends[key];
    return length;
  }

  /** Adds the amount of the sheet entry at `at` of the state to the balance `key`; false if that passes u128. */
  credit(key: number, at: number): boolean {
    const state = this.#state;
    const amountAt = at + ID_LENGTH;
    const held = this.see(key);
    const to = state.room(AMOUNT_BYTES);
    const { view } = state;
    if (held === 0) copyWords(view, amountAt, amountAt + AMOUNT_BYTES, view, to);
    else if (!addAmounts(view, this.start, view, amountAt, view, to)) return false;
    state.take(AMOUNT_BYTES);
    this.writes.set(key, to, to + AMOUNT_BYTES);
    return true;
  }

  /**
   * Takes the amount at `amountAt` of `memory` off the balance `key`. False if that is less, but where `mayMint`:
   * nothing is left then.
   */
  debit(key: number, memory: DataView, amountAt: number, mayMint: boolean): boolean {
    const state = this.#state;
    const held = this.see(key);
    const order = held === 0 ? -1 : compareAmounts(state.view, this.start, memory, amountAt);
    if (order < 0 && !mayMint) return false;
    if (order > 0) {
      const to = state.room(AMOUNT_BYTES);
      subtractAmounts(state.view, this.start, memory, amountAt, state.view, to);
      state.take(AMOUNT_BYTES);
      this.writes.set(key, to, to + AMOUNT_BYTES);
    } else if (held > 0) this.writes.set(key, 0, 0);
    return true;
  }
}
