/** What one transaction has read and written so far, over a state that does not change while it runs. */
import { PackedMap } from '../util/packed-map.js';
import type { LaneKey, LaneWrites, StateReader } from './types.js';

/** Entries from which on the changes of a block are packed: a `Map` of millions takes gigabytes. */
const MOST_PLAIN = 1 << 16;

/** Changes by key, `undefined` = deleted; the last one of each key stays. */
class Changes {
  #map: LaneWrites = new Map();

  set(key: LaneKey, value: Uint8Array | undefined): void {
    this.#map.set(key, value);
    if (this.#map instanceof Map && this.#map.size > MOST_PLAIN) this.#map = PackedMap.from(this.#map);
  }

  /** All of them, from now on the caller's. */
  get map(): LaneWrites {
    return this.#map;
  }
}

/** Changes in front of a reader: the state inside a block while it is built. */
export class MapOverlay implements StateReader {
  readonly #changes: Changes;

  constructor(
    readonly base: StateReader,
    changes = new Changes(),
  ) {
    this.#changes = changes;
  }

  get changes(): LaneWrites {
    return this.#changes.map;
  }

  get(key: LaneKey): Uint8Array | undefined {
    const { map } = this.#changes;
    const own = map.get(key);
    return own !== undefined || map.has(key) ? own : this.base.get(key);
  }

  apply(writes: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    for (const [key, value] of writes) this.#changes.set(key, value);
  }
}

/**
 * The view of one transaction: three layers of writes (the deleted sheets, what the transaction keeps, the running
 * message) over `base`. The first read of a key that the transaction has not written is recorded with the value seen;
 * reads survive every rollback, because they decided what happened.
 */
export class TransactionView implements StateReader {
  readonly reads = new Map<LaneKey, Uint8Array | undefined>();
  readonly #base: StateReader;
  readonly #spent = new Map<LaneKey, Uint8Array | undefined>();
  #kept = new Map<LaneKey, Uint8Array | undefined>();
  #message: Map<LaneKey, Uint8Array | undefined> | undefined;

  constructor(base: StateReader) {
    this.#base = base;
  }

  /** The value of `key` as this transaction sees it; recorded if it comes from outside. */
  get(key: LaneKey): Uint8Array | undefined {
    const layer = this.#layerOf(key);
    if (layer !== undefined) return layer.get(key);
    const seen = this.reads.get(key);
    if (seen !== undefined || this.reads.has(key)) return seen;
    const value = this.#base.get(key);
    this.reads.set(key, value);
    return value;
  }

  /** As {@link get}, recording nothing. */
  peek(key: LaneKey): Uint8Array | undefined {
    const layer = this.#layerOf(key);
    if (layer !== undefined) return layer.get(key);
    return this.reads.has(key) ? this.reads.get(key) : this.#base.get(key);
  }

  /** Writes, or deletes with `undefined`: into the running message if there is one, else into the transaction. */
  set(key: LaneKey, value: Uint8Array | undefined): void {
    (this.#message ?? this.#kept).set(key, value);
  }

  /** Deletes the sheet of a spent outpoint: this stays even if the transaction is undone. */
  deleteSpent(key: LaneKey): void {
    this.#spent.set(key, undefined);
  }

  beginMessage(): void {
    this.#message = new Map();
  }

  keepMessage(): void {
    if (this.#message !== undefined) {
      if (this.#kept.size === 0) this.#kept = this.#message;
      else for (const [key, value] of this.#message) this.#kept.set(key, value);
    }
    this.#message = undefined;
  }

  dropMessage(): void {
    this.#message = undefined;
  }

  /** Drops everything but the deletion of spent sheets. */
  undo(): void {
    this.#message = undefined;
    this.#kept = new Map();
  }

  /** The final diff. Writing the value that was already there still counts as a write. */
  writes(): Map<LaneKey, Uint8Array | undefined> {
    if (this.#spent.size === 0) return this.#kept;
    const all = new Map(this.#spent);
    for (const [key, value] of this.#kept) all.set(key, value);
    return all;
  }

  #layerOf(key: LaneKey): ReadonlyMap<LaneKey, Uint8Array | undefined> | undefined {
    // Most layers are empty, and asking an empty map costs as much as asking a full one.
    const message = this.#message;
    if (message !== undefined && message.size > 0 && message.has(key)) return message;
    if (this.#kept.size > 0 && this.#kept.has(key)) return this.#kept;
    return this.#spent.size > 0 && this.#spent.has(key) ? this.#spent : undefined;
  }
}
