/** What a cache that is full forgets: what was used longest ago, or anything but the newest. */
export type Forgets = 'oldest' | 'any';

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
}

/**
 * A cache that holds at most `maxEntries` entries and `maxWeight` in sum. What is used in turns that are longer than
 * the cache would never be found again if the oldest went first: a cache whose misses are expensive forgets `any`.
 */
export class BoundedCache<V> {
  /** All entries but the newest, the oldest first: a Map iterates in order of insertion. */
  readonly #entries = new Map<string, Entry<V>>();
  /** The newest lies apart, so that what is used again and again moves nothing; undefined after it was taken. */
  #newest: string | undefined;
  #newestValue: V | undefined;
  #newestWeight = 0;
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
    return this.#entries.size + (this.#newest === undefined ? 0 : 1);
  }

  get weight(): number {
    return this.#weight;
  }

  get(key: string): V | undefined {
    if (key === this.#newest) return this.#newestValue;
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#makeNewest(key, entry.value, entry.weight);
    return entry.value;
  }

  /** Gives the entry of `key` and forgets it. */
  take(key: string): V | undefined {
    if (key === this.#newest) {
      const value = this.#newestValue;
      this.#weight -= this.#newestWeight;
      this.#newest = undefined;
      this.#newestValue = undefined;
      return value;
    }
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
    return entry.value;
  }

  /** Keeps `value`; the newest entry stays even if it is heavier than the whole cache should be. */
  set(key: string, value: V, weight: number): void {
    this.take(key);
    this.#weight += weight;
    this.#makeNewest(key, value, weight);
    while (this.#entries.size > 0 && (this.size > this.#maxEntries || this.#weight > this.#maxWeight)) {
      const before = this.#weight;
      const gone = this.#next();
      this.take(gone);
      this.#onForget?.(gone, before - this.#weight);
    }
  }

  /** Nothing is made for a key that is the newest again and again. */
  #makeNewest(key: string, value: V, weight: number): void {
    if (this.#newest !== undefined && this.#newestValue !== undefined) {
      this.#entries.set(this.#newest, { value: this.#newestValue, weight: this.#newestWeight });
    }
    this.#newest = key;
    this.#newestValue = value;
    this.#newestWeight = weight;
  }

  /** The entry that goes: never the newest. */
  #next(): string {
    let skip = this.#forgets === 'oldest' ? 0 : this.#draw(this.#entries.size);
    for (const key of this.#entries.keys()) if (skip-- === 0) return key;
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
