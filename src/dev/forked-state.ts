/** State over that of another server: what this chain has touched is its own, all else is read through. */
import type { LaneKey, StateReader } from '../lane/types.js';
import { StoreReader } from '../store/reader.js';
import type { Namespace } from '../store/types.js';
import { toBinaryString } from '../util/bytes.js';
import type { Origin } from './origin.js';

/** At which height each key of namespace P was written first; a deletion counts. */
export class TouchedKeys {
  readonly #first = new Map<LaneKey, number>();

  add(keys: Iterable<LaneKey>, height: number): void {
    for (const key of keys) if (!this.#first.has(key)) this.#first.set(key, height);
  }

  /** Blocks above `height` are undone. */
  undoTo(height: number): void {
    for (const [key, first] of this.#first) if (first > height) this.#first.delete(key);
  }

  has(key: LaneKey, height: number): boolean {
    return (this.#first.get(key) ?? Number.POSITIVE_INFINITY) <= height;
  }
}

/** The lane's state after block `height`. */
export class ForkedState implements StateReader {
  constructor(
    readonly own: StateReader,
    readonly origin: Origin,
    readonly touched: TouchedKeys,
    readonly height: number,
  ) {}

  get(key: LaneKey): Uint8Array | undefined {
    return this.touched.has(key, this.height) ? this.own.get(key) : this.origin.get(key);
  }

  getMany(keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    const others = keys.filter((key) => !this.touched.has(key, this.height));
    const values = this.origin.getMany(others);
    let at = 0;
    return keys.map((key) => (this.touched.has(key, this.height) ? this.own.get(key) : values[at++]));
  }
}

/** What JSON-RPC reads of a forked chain: single keys through the origin, everything else of its own blocks alone. */
export class ForkedReader extends StoreReader {
  constructor(
    store: StoreReader,
    readonly origin: Origin,
    readonly touched: TouchedKeys,
  ) {
    super(store.database);
  }

  override getAt(ns: Namespace, key: Uint8Array, height: number): Uint8Array | undefined {
    const name = toBinaryString(key);
    if (ns === 'S' || this.touched.has(name, height)) return super.getAt(ns, key, height);
    return this.origin.get(name);
  }
}
