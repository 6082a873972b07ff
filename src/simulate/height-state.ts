import type { LaneKey, StateReader } from '../lane/types.js';
import type { StoreReader } from '../store/reader.js';
import { fromBinaryString } from '../util/bytes.js';

/** The lane's state after block `height`, whatever other threads commit meanwhile. */
export class HeightState implements StateReader {
  constructor(
    readonly store: Pick<StoreReader, 'getAt' | 'getManyAt'>,
    readonly height: number,
  ) {}

  /** Throws StoreError STORE_HISTORY_PRUNED if the state after that block is no longer kept. */
  get(key: LaneKey): Uint8Array | undefined {
    return this.store.getAt('P', fromBinaryString(key), this.height);
  }

  getMany(keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    return this.store.getManyAt('P', keys.map(fromBinaryString), this.height);
  }
}
