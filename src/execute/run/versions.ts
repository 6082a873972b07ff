/** Values of a block while it runs: every write is kept with the position of its transaction. */
import type { LaneKey, LaneOutcome, StateReader } from '../../lane/types.js';

interface KeyVersions {
  /** Positions of the writers in ascending order, and the value that each wrote. */
  readonly positions: number[];
  readonly values: (Uint8Array | undefined)[];
}

/** Multi-version values over the state before the block. Positions count lane transactions in block order. */
export class Versions {
  readonly #keys = new Map<LaneKey, KeyVersions>();
  readonly #written = new Map<number, LaneOutcome['writes']>();

  constructor(readonly base: StateReader) {}

  /** The value that transaction `position` reads: the last write before it, else the state before the block. */
  get(key: LaneKey, position: number): Uint8Array | undefined {
    const versions = this.#keys.get(key);
    const at = versions === undefined ? -1 : lowerBound(versions.positions, position) - 1;
    return versions === undefined || at < 0 ? this.base.get(key) : versions.values[at];
  }

  /** Whether a transaction of the block before `position` has written `key`. */
  isWrittenBefore(key: LaneKey, position: number): boolean {
    const versions = this.#keys.get(key);
    return versions !== undefined && versions.positions.length > 0 && versions.positions[0] < position;
  }

  /** A live view of the state that transaction `position` reads. */
  before(position: number): StateReader {
    return { get: (key) => this.get(key, position) };
  }

  /** Sets the writes of `position`, replacing all of its previous ones. */
  put(position: number, writes: LaneOutcome['writes']): void {
    for (const key of this.#written.get(position)?.keys() ?? []) {
      if (!writes.has(key)) this.#remove(key, position);
    }
    this.#written.set(position, writes);
    for (const [key, value] of writes) {
      let versions = this.#keys.get(key);
      if (versions === undefined) {
        versions = { positions: [], values: [] };
        this.#keys.set(key, versions);
      }
      const at = lowerBound(versions.positions, position);
      const replaces = versions.positions[at] === position ? 1 : 0;
      versions.positions.splice(at, replaces, position);
      versions.values.splice(at, replaces, value);
    }
  }

  #remove(key: LaneKey, position: number): void {
    const versions = this.#keys.get(key);
    const at = versions === undefined ? 0 : lowerBound(versions.positions, position);
    if (versions?.positions[at] !== position) return;
    versions.positions.splice(at, 1);
    versions.values.splice(at, 1);
  }
}

/** First place in ascending `values` that is not below `limit`. */
function lowerBound(values: readonly number[], limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
