import { longer } from '../../util/longer.js';
import type { BlockState } from './block-state.js';
import { NumberSet } from './number-set.js';

/** The writes of one transaction: by key, where the value lies in the bytes of the state; equal places: deleted. */
export class WriteLayer {
  readonly #keys = new NumberSet();
  #starts = new Uint32Array(16);
  #ends = new Uint32Array(16);
  /** Writes before this one are not the message's. */
  #kept = 0;

  get count(): number {
    return this.#keys.count;
  }

  /** By place; what lies behind `count` means nothing. */
  get keys(): Uint32Array {
    return this.#keys.list;
  }

  key(place: number): number {
    return this.#keys.list[place];
  }

  start(place: number): number {
    return this.#starts[place];
  }

  end(place: number): number {
    return this.#ends[place];
  }

  /** Place of the write of `key`, -1 if there is none. */
  placeOf(key: number): number {
    return this.#keys.placeOf(key);
  }

  set(key: number, start: number, end: number): void {
    let place = this.#keys.placeOf(key);
    if (place < 0) {
      place = this.#keys.add(key);
      if (place === this.#starts.length) {
        this.#starts = longer(this.#starts, 2 * place);
        this.#ends = longer(this.#ends, 2 * place);
      }
    }
    this.#starts[place] = start;
    this.#ends[place] = end;
  }

  clear(): void {
    this.#keys.count = 0;
    this.#kept = 0;
  }

  /** What follows is written by the message. */
  begin(): void {
    this.#kept = this.#keys.count;
  }

  /**
   * Drops what the message has written. It writes no key that was written before it; its keys count as read, so they
   * are added to `reads`, and `state` knows them.
   */
  drop(reads: NumberSet, state: BlockState): void {
    for (let i = this.#kept; i < this.count; i++) {
      const key = this.key(i);
      if (reads.placeOf(key) >= 0) continue;
      reads.add(key);
      state.load(key);
    }
    this.#keys.count = this.#kept;
  }
}
