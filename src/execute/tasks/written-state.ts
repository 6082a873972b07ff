/** What earlier parts of a block have written, in front of the state before the block. */
import { KeyTable } from '../../lane/columns/key-table.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import { binarySlice, fromBinaryString } from '../../util/bytes.js';
import { copyBytes } from '../../util/copy-bytes.js';
import type { PackedWrites } from '../../util/packed-writes.js';
import { hasPrefix } from './known-ranges.js';

/** Words of a write: begin and end of its key, end of its value, which follows; equal ends: the key is deleted. */
const PLACE_WORDS = 3;
/** A part of the state is looked for among the writes if these are at most so many times the rows that it may have. */
const MOST_LOOKED_THROUGH = 16;

/** Writes for several threads: both lists lie in shared memory. */
export interface SharedWrites {
  readonly places: Uint32Array;
  readonly bytes: Uint8Array;
}

/** `writes` for other threads. */
export function shareWrites(writes: PackedWrites): SharedWrites {
  const addresses = writes.addresses();
  let length = 0;
  for (const address of addresses) {
    const { keyStart, keyEnd, valueEnd } = writes.read(address);
    length += Math.max(keyEnd, valueEnd) - keyStart;
  }
  const places = new Uint32Array(new SharedArrayBuffer(4 * PLACE_WORDS * addresses.length));
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  let at = 0;
  for (let i = 0; i < addresses.length; i++) {
    const entry = writes.read(addresses[i]);
    const end = Math.max(entry.keyEnd, entry.valueEnd);
    copyBytes(entry.bytes, entry.keyStart, end, bytes, at);
    places[PLACE_WORDS * i] = at;
    places[PLACE_WORDS * i + 1] = at + entry.keyEnd - entry.keyStart;
    at += end - entry.keyStart;
    places[PLACE_WORDS * i + 2] = at;
  }
  return { places, bytes };
}

/** The writes of one part by their keys. */
class Layer {
  readonly #table: KeyTable;

  constructor(readonly writes: SharedWrites) {
    const { places, bytes } = writes;
    this.#table = new KeyTable(undefined, Math.max(1, this.count));
    for (let i = 0; i < places.length; i += PLACE_WORDS) {
      this.#table.find(bytes, places[i], places[i + 1], bytes);
      this.#table.add(bytes, places[i], places[i + 1]);
    }
  }

  get count(): number {
    return this.writes.places.length / PLACE_WORDS;
  }

  /** Number of the write of the key from `start` to `end` of `bytes`, -1 if there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#table.find(bytes, start, end, this.writes.bytes);
  }

  /** The value of write `i`; undefined: its key is deleted. */
  value(i: number): Uint8Array | undefined {
    const { places, bytes } = this.writes;
    const [start, end] = [places[PLACE_WORDS * i + 1], places[PLACE_WORDS * i + 2]];
    return start === end ? undefined : new Uint8Array(bytes.subarray(start, end));
  }

  /** Makes `rows`, all keys under `prefix`, what they are after these writes. */
  applyTo(rows: Map<LaneKey, Uint8Array>, prefix: Uint8Array): void {
    const { places, bytes } = this.writes;
    for (let i = 0; i < places.length; i += PLACE_WORDS) {
      if (!hasPrefix(bytes, places[i], places[i + 1], prefix)) continue;
      const key = binarySlice(bytes, places[i], places[i + 1]);
      const value = this.value(i / PLACE_WORDS);
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    }
  }
}

/** The state before the next part of a block. Later parts stand in front of earlier ones. */
export class WrittenState implements StateReader {
  readonly getAt: StateReader['getAt'];
  readonly getMany: StateReader['getMany'];
  readonly getManyAt: StateReader['getManyAt'];
  readonly allUnder: StateReader['allUnder'];
  readonly #base: StateReader;
  readonly #layers: Layer[] = [];
  #writes = 0;
  /** Number of the write that was found last. */
  #found = -1;

  /** `base`: the state before the block. */
  constructor(base: StateReader) {
    this.#base = base;
    this.getAt = base.getAt && ((bytes, start, end) => this.#getAt(base, bytes, start, end));
    this.getMany = base.getMany && ((keys) => this.#getMany(base, keys));
    this.getManyAt = base.getManyAt && ((bytes, starts, ends) => this.#getManyAt(base, bytes, starts, ends));
    this.allUnder = base.allUnder && ((prefix, most, mostBytes) => this.#allUnder(base, prefix, most, mostBytes));
  }

  /** Another part has written `writes`. */
  add(writes: SharedWrites): void {
    const layer = new Layer(writes);
    this.#layers.push(layer);
    this.#writes += layer.count;
  }

  get(key: LaneKey): Uint8Array | undefined {
    const bytes = fromBinaryString(key);
    const layer = this.#find(bytes, 0, bytes.length);
    return layer === undefined ? this.#base.get(key) : layer.value(this.#found);
  }

  #getAt(base: StateReader, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const layer = this.#find(bytes, start, end);
    return layer === undefined ? base.getAt?.(bytes, start, end) : layer.value(this.#found);
  }

  /** The newest part that has written the key from `start` to `end` of `bytes`. */
  #find(bytes: Uint8Array, start: number, end: number): Layer | undefined {
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      this.#found = this.#layers[i].find(bytes, start, end);
      if (this.#found >= 0) return this.#layers[i];
    }
    return undefined;
  }

  #getMany(base: StateReader, keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    const layers = keys.map((key) => this.#find(fromBinaryString(key), 0, key.length));
    const rest = base.getMany?.(keys.filter((_, i) => layers[i] === undefined)) ?? [];
    let next = 0;
    return keys.map((key, i) => (layers[i] === undefined ? rest[next++] : this.get(key)));
  }

  #getManyAt(base: StateReader, bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): (Uint8Array | undefined)[] {
    const values = new Array<Uint8Array | undefined>(starts.length);
    const left: number[] = [];
    for (let i = 0; i < starts.length; i++) {
      const layer = this.#find(bytes, starts[i], ends[i]);
      if (layer === undefined) left.push(i);
      else values[i] = layer.value(this.#found);
    }
    const [leftStarts, leftEnds] = [starts, ends].map((list) => Uint32Array.from(left, (i) => list[i]));
    const rest = base.getManyAt?.(bytes, leftStarts, leftEnds) ?? [];
    left.forEach((i, n) => {
      values[i] = rest[n];
    });
    return values;
  }

  /** Going through the writes must not take more than the reads that it saves. */
  #allUnder(
    base: StateReader,
    prefix: LaneKey,
    most: number,
    mostBytes: number,
  ): ReadonlyMap<LaneKey, Uint8Array> | undefined {
    if (this.#writes > MOST_LOOKED_THROUGH * most) return undefined;
    const below = base.allUnder?.(prefix, most, mostBytes);
    if (below === undefined) return undefined;
    const rows = new Map(below);
    const prefixBytes = fromBinaryString(prefix);
    for (const layer of this.#layers) layer.applyTo(rows, prefixBytes);
    return rows.size > most ? undefined : rows;
  }
}
