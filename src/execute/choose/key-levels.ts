/** Who of a block has read what others of it have written, found while they run one after the other. */
import type { BlockState } from '../../lane/columns/block-state.js';
import type { CommonRunner } from '../../lane/columns/common-run.js';

/** Values longer than this are not looked at for steps. */
const MOST_BYTES = 64;
/** What is known of the step by which the last writer changed a key; any other number stands for one step. */
const NO_STEP = 0;
const FIRST_STEP = 1;
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Keys are those of a BlockState, by number. */
export class KeyLevels {
  /** By key: level of its last writer, 0 if the block has not written it. */
  #levels = new Uint32Array(1_024);
  #steps = new Uint32Array(1_024);
  #keys = 0;
  /** Of the last transaction: it read a value that another one wrote, and that does not change by the same step. */
  stale = false;
  /** It read a value of another one that does. */
  steady = false;
  /** Its place in the chain of stale ones that it belongs to; 1: it follows none. */
  level = 1;

  /** Looks at the transaction that `run` has run and that `state` does not have yet. */
  look(run: CommonRunner, state: BlockState): void {
    this.#makeRoom(state.keys);
    const { reads, writes } = run;
    this.stale = false;
    this.steady = false;
    this.level = 1;
    for (let i = 0; i < reads.count; i++) {
      const key = reads.list[i];
      const level = this.#levels[key];
      const place = writes.placeOf(key);
      const step = place < 0 ? NO_STEP : stepOf(state, key, writes.start(place), writes.end(place));
      if (level > 0) this.#met(key, level, step);
      if (place >= 0) this.#steps[key] = step;
    }
    for (let i = 0; i < writes.count; i++) {
      const key = writes.key(i);
      if (reads.placeOf(key) < 0) this.#steps[key] = NO_STEP;
      this.#levels[key] = this.level;
    }
  }

  #met(key: number, level: number, step: number): void {
    const before = this.#steps[key];
    if (step !== NO_STEP && (before === FIRST_STEP || before === step)) this.steady = true;
    else {
      this.stale = true;
      this.level = Math.max(this.level, level + 1);
    }
  }

  #makeRoom(keys: number): void {
    if (keys < this.#keys) {
      // They have other numbers now. What was written before is taken for what was there before the block.
      this.#levels.fill(0);
      this.#steps.fill(NO_STEP);
    }
    this.#keys = keys;
    if (keys <= this.#levels.length) return;
    const length = Math.max(keys, 2 * this.#levels.length);
    const [levels, steps] = [this.#levels, this.#steps];
    this.#levels = new Uint32Array(length);
    this.#steps = new Uint32Array(length);
    this.#levels.set(levels);
    this.#steps.set(steps);
  }
}

/** A number for the difference between the value of `key` in `state` and the one that takes its place. */
function stepOf(state: BlockState, key: number, start: number, end: number): number {
  const { bytes, starts, ends } = state;
  const old = starts[key];
  const length = end - start;
  if (length === 0 || length > MOST_BYTES) return NO_STEP;
  // The first value of a counter: the next one tells the step.
  if (ends[key] === old) return FIRST_STEP;
  if (ends[key] - old !== length) return NO_STEP;
  let borrow = 0;
  let hash = FNV_BASIS;
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i] - bytes[old + i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    hash = Math.imul(hash ^ (difference & 0xff), FNV_PRIME);
  }
  return (hash | 2) >>> 0;
}
