import { bytesEqual, toBinaryString } from '../util/bytes.js';

/** What {@link FetchedValues.take} gives for a key that was not fetched. */
export const NOT_FETCHED = Symbol('not fetched');

/**
 * Values that were read together, each waiting to be asked for once. A module asks in the order in which it named the
 * keys, most of the time: then no table of them is made.
 */
export class FetchedValues {
  readonly #keys: readonly Uint8Array[];
  readonly #values: readonly (Uint8Array | undefined)[];
  #next = 0;
  /** Places by key (a binary string) of what is left, once a module asks in another order. */
  #places: Map<string, number> | undefined;

  constructor(keys: readonly Uint8Array[], values: readonly (Uint8Array | undefined)[]) {
    this.#keys = keys;
    this.#values = values;
  }

  /** The value of a key, or NOT_FETCHED; undefined if the state has none. */
  take(key: Uint8Array): Uint8Array | undefined | typeof NOT_FETCHED {
    if (this.#next < this.#values.length && bytesEqual(this.#keys[this.#next], key)) return this.#values[this.#next++];
    if (this.#next >= this.#values.length) return NOT_FETCHED;
    this.#places ??= this.#left();
    const place = this.#places.get(toBinaryString(key));
    return place === undefined ? NOT_FETCHED : this.#values[place];
  }

  #left(): Map<string, number> {
    const places = new Map<string, number>();
    for (let i = this.#next; i < this.#values.length; i++) places.set(toBinaryString(this.#keys[i]), i);
    return places;
  }
}
