/** What one transaction has read and written so far, over a state that does not change while it runs. */
import type { Program } from '../program/types.js';
import { PackedMap } from '../util/packed-map.js';
import { CODE_PREFIX } from './keys.js';
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

  programAt(key: LaneKey): Program | undefined {
    return this.#changes.map.has(key) ? undefined : this.base.programAt?.(key);
  }

  learnCode(key: LaneKey, program: Program): void {
    if (!this.#changes.map.has(key)) this.base.learnCode?.(key, program);
  }

  apply(writes: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    for (const [key, value] of writes) this.#changes.set(key, value);
  }
}

type Layer = Map<LaneKey, Uint8Array | undefined>;

/** Code that is longer than this counts as long. */
const LONG_CODE_BYTES = 64 * 1024;
/**
 * Long code that a transaction holds at most, in bytes; further code is read again when it is wanted: one transaction
 * may enter hundreds of contracts of 2 MiB.
 */
const MOST_HELD_BYTES = 32 * 1024 * 1024;
/**
 * In the place of long code among the values that a transaction has read. Code never changes once it is there, so that
 * whoever wants it can read it from any later state.
 */
export const LONG_CODE: Uint8Array = new Uint8Array(0);

/** Bytes of `value` if it is long code, else 0. */
function longCodeBytes(key: LaneKey, value: Uint8Array | undefined): number {
  return value !== undefined && value.length > LONG_CODE_BYTES && key.startsWith(CODE_PREFIX) ? value.length : 0;
}

/** Whether the hash of the code `value` is worth remembering. */
export function isLongCode(value: Uint8Array): boolean {
  return value.length > LONG_CODE_BYTES;
}

/** What an outcome says of a value that was read. */
export function toldOf(key: LaneKey, value: Uint8Array | undefined): Uint8Array | undefined {
  return longCodeBytes(key, value) > 0 ? LONG_CODE : value;
}

/**
 * The view of one transaction over `base`: the deleted sheets, what the transaction keeps, the running message, and in
 * it the static calls under way, each in front of what was before it. The first read of a key that the transaction has
 * not written is recorded with the value seen; reads survive every rollback, because they decided what happened.
 */
export class TransactionView implements StateReader {
  /** Keys read from outside so far, with the values seen, or {@link LONG_CODE}. */
  readonly reads: Layer = new Map();
  readonly #base: StateReader;
  readonly #spent: Layer = new Map();
  #kept: Layer = new Map();
  /** Where writes go, if a message runs: its layer, or that of the innermost static call in it. */
  #top: Layer | undefined;
  /** Those below the top, the message's first. */
  readonly #below: Layer[] = [];
  /** Bytes of long code among `reads`. */
  #heldBytes = 0;
  /** Keys of writes that were taken back by a failed message or a static call. */
  readonly #takenBack = new Set<LaneKey>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  get isGuess(): boolean {
    return this.#base.isGuess === true;
  }

  /** The value of `key` as this transaction sees it; recorded if it comes from outside. */
  get(key: LaneKey): Uint8Array | undefined {
    const layer = this.#layerOf(key);
    return layer === undefined ? this.#read(key) : layer.get(key);
  }

  #read(key: LaneKey): Uint8Array | undefined {
    const seen = this.reads.get(key);
    if (seen === LONG_CODE) return this.#base.get(key);
    if (seen !== undefined || this.reads.has(key)) return seen;
    const value = this.#base.get(key);
    this.reads.set(key, this.#hasRoomFor(key, value) ? value : LONG_CODE);
    return value;
  }

  #hasRoomFor(key: LaneKey, value: Uint8Array | undefined): boolean {
    const bytes = longCodeBytes(key, value);
    if (bytes > 0 && this.#heldBytes + bytes > MOST_HELD_BYTES) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Recorded as a read if it is known: whatever runs by it has seen the code. */
  programAt(key: LaneKey): Program | undefined {
    if (this.#layerOf(key) !== undefined) return undefined;
    const program = this.#base.programAt?.(key);
    if (program !== undefined && !this.reads.has(key)) this.reads.set(key, LONG_CODE);
    return program;
  }

  learnCode(key: LaneKey, program: Program): void {
    if (this.#layerOf(key) === undefined) this.#base.learnCode?.(key, program);
  }

  /** As {@link get}, recording nothing. */
  peek(key: LaneKey): Uint8Array | undefined {
    const layer = this.#layerOf(key);
    if (layer !== undefined) return layer.get(key);
    const seen = this.reads.get(key);
    return seen !== LONG_CODE && this.reads.has(key) ? seen : this.#base.get(key);
  }

  /** Writes, or deletes with `undefined`: into the running message if there is one, else into the transaction. */
  set(key: LaneKey, value: Uint8Array | undefined): void {
    (this.#top ?? this.#kept).set(key, value);
  }

  /** Deletes the sheet of a spent outpoint: this stays even if the transaction is undone. */
  deleteSpent(key: LaneKey): void {
    this.#spent.set(key, undefined);
  }

  beginMessage(): void {
    this.#top = new Map();
  }

  /** What follows in the running message is taken back by {@link endTrial}. */
  beginTrial(): void {
    if (this.#top === undefined) throw new RangeError('no message runs');
    this.#below.push(this.#top);
    this.#top = new Map();
  }

  endTrial(): void {
    this.#takeBack(this.#top);
    this.#top = this.#below.pop();
  }

  keepMessage(): void {
    const message = this.#top;
    if (message !== undefined) {
      if (this.#kept.size === 0) this.#kept = message;
      else for (const [key, value] of message) this.#kept.set(key, value);
    }
    this.#top = undefined;
  }

  /** Takes the message back, with the static calls in it that have not ended. */
  dropMessage(): void {
    while (this.#below.length > 0) this.endTrial();
    this.#takeBack(this.#top);
    this.#top = undefined;
  }

  /** Drops everything but the deletion of spent sheets. */
  undo(): void {
    this.dropMessage();
    this.#kept = new Map();
  }

  #takeBack(layer: Layer | undefined): void {
    if (layer !== undefined) for (const key of layer.keys()) this.#takenBack.add(key);
  }

  /**
   * The transaction is over. Keys read from outside, with the values seen: a key that was written only by what was
   * taken back is one of them (lane rules 9). The final diff: writing the value that was already there still counts as
   * a write.
   */
  end(): { readonly reads: Layer; readonly writes: Layer } {
    for (const key of this.#takenBack) if (!this.#kept.has(key) && !this.#spent.has(key)) this.#read(key);
    if (this.#heldBytes > 0) for (const [key, value] of this.reads) this.reads.set(key, toldOf(key, value));
    return { reads: this.reads, writes: this.#writes() };
  }

  #writes(): Layer {
    if (this.#spent.size === 0) return this.#kept;
    const all = new Map(this.#spent);
    for (const [key, value] of this.#kept) all.set(key, value);
    return all;
  }

  #layerOf(key: LaneKey): Layer | undefined {
    // Most layers are empty, and asking an empty map costs as much as asking a full one.
    const top = this.#top;
    if (top !== undefined && top.size > 0 && top.has(key)) return top;
    for (let i = this.#below.length - 1; i >= 0; i--) if (this.#below[i].has(key)) return this.#below[i];
    if (this.#kept.size > 0 && this.#kept.has(key)) return this.#kept;
    return this.#spent.size > 0 && this.#spent.has(key) ? this.#spent : undefined;
  }
}
