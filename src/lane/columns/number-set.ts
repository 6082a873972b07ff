import { longer } from '../../util/longer.js';

/** Small numbers in the order in which they came. Emptying or cutting it costs nothing. */
export class NumberSet {
  list = new Uint32Array(16);
  count = 0;
  #places = new Uint32Array(64);

  /** Place of `number` in `list`, -1 if it is not there. */
  placeOf(number: number): number {
    if (number >= this.#places.length) return -1;
    const place = this.#places[number];
    return place < this.count && this.list[place] === number ? place : -1;
  }

  include(number: number): void {
    if (this.placeOf(number) < 0) this.add(number);
  }

  /** Adds a number that is not there; gives its place. */
  add(number: number): number {
    if (number >= this.#places.length) this.#places = longer(this.#places, Math.max(number + 1, 2 * number));
    if (this.count === this.list.length) this.list = longer(this.list, 2 * this.count);
    const place = this.count++;
    this.list[place] = number;
    this.#places[number] = place;
    return place;
  }
}
