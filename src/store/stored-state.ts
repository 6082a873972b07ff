import type { LaneKey, StateReader } from '../lane/types.js';
import { fromBinaryString } from '../util/bytes.js';
import type { StoreReader } from './reader.js';

/** The lane's state at the tip of `store`. */
export class StoredState implements StateReader {
  constructor(readonly store: StoreReader) {}

  get(key: LaneKey): Uint8Array | undefined {
    return this.store.getLatest('P', fromBinaryString(key));
  }

  getMany(keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    return this.store.getMany('P', keys.map(fromBinaryString));
  }
}
