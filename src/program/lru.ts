/** What a cache that is full forgets: what was used longest ago, or anything but the newest. */
export type Forgets = 'oldest' | 'any';

/**
 * A cache that holds at most `maxEntries` entries and `maxWeight` in sum. What is used in turns that are longer than
 * the cache would never be found again if the oldest went first: a cache whose misses are expensive forgets `any`.
 */
export class BoundedCache<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly weight: number }>();
  #weight = 0;
  /** State of the generator that says what goes; never 0. */
  #random = 0x9e3779b9;

  readonly #maxEntries: number;
  readonly #maxWeight: number;
  readonly #forgets: Forgets;
  readonly #onForget: ((key: string, weight: number) => void) | undefined;

  /** `onForget` hears of every entry that had to make room. */
  constructor(
    maxEntries: number,
    maxWeight: number,
    forgets: Forgets = 'oldest',
    onForget?: (key: string, weight: number) => void,
  ) {
    this.#maxEntries = maxEntries;
    this.#maxWeight = maxWeight;
    this.#forgets = forgets;
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#entries.size;
  }

  get weight(): number {
    return this.#weight;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    // A Map iterates in order of insertion: moving the entry to the end makes it the newest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Gives the entry of `key` and forgets it. */
  take(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#drop(key, entry.weight);
    return entry.value;
  }

  /** Keeps `value`; the newest entry stays even if it is heavier than the whole cache should be. */
  set(key: string, value: V, weight: number): void {
    this.#weight += weight - (this.#entries.get(key)?.weight ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, weight });
    while (this.#entries.size > 1 && (this.#entries.size > this.#maxEntries || this.#weight > this.#maxWeight)) {
      const [oldest, entry] = this.#next();
      this.#drop(oldest, entry.weight);
      this.#onForget?.(oldest, entry.weight);
    }
  }

  #drop(key: string, weight: number): void {
    this.#entries.delete(key);
    this.#weight -= weight;
  }

  /** The entry that goes: never the newest, which a Map has last. */
  #next(): [string, { readonly weight: number }] {
    let skip = this.#forgets === 'oldest' ? 0 : this.#draw(this.#entries.size - 1);
    for (const entry of this.#entries) if (skip-- === 0) return entry;
    throw new RangeError('an empty cache has nothing to forget');
  }

  /** A number from 0 to `below` - 1 (xorshift32). */
  #draw(below: number): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return (x >>> 0) % below;
  }
}
