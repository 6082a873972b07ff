import type { LaneKey, StateReader } from '../lane/types.js';
import { fromBinaryString, toBinaryString } from '../util/bytes.js';
import type { StoreReader } from './reader.js';

/** What a row takes in memory beside its bytes, about. */
const ROW_BYTES = 200;

/** The lane's state at the tip of `store`. */
export class StoredState implements StateReader {
  constructor(readonly store: StoreReader) {}

  get(key: LaneKey): Uint8Array | undefined {
    return this.store.getLatest('P', fromBinaryString(key));
  }

  getAt(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    return this.store.getLatest('P', bytes, start, end);
  }

  getMany(keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    return this.store.getMany('P', keys.map(fromBinaryString));
  }

  getManyAt(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): (Uint8Array | undefined)[] {
    return this.store.getManyOf('P', bytes, starts, ends);
  }

  allUnder(prefix: LaneKey, most: number, mostBytes: number): ReadonlyMap<LaneKey, Uint8Array> | undefined {
    const rows = new Map<LaneKey, Uint8Array>();
    let left = mostBytes;
    for (const [key, value] of this.store.entriesAt('P', fromBinaryString(prefix))) {
      left -= ROW_BYTES + key.length + value.length;
      if (rows.size === most || left < 0) return undefined;
      rows.set(toBinaryString(key), value);
    }
    return rows;
  }
}
