/** The writes of a block from its outcomes. */
import type { LaneKey, LaneOutcome, StateReader } from '../../lane/types.js';

/** The last writes of each key, from outcomes in block order. */
export function mergeWrites(outcomes: readonly LaneOutcome[]): Map<LaneKey, Uint8Array | undefined> {
  const writes = new Map<LaneKey, Uint8Array | undefined>();
  for (const outcome of outcomes) for (const [key, value] of outcome.writes) writes.set(key, value);
  return writes;
}

/** Removes from `writes` the deletions of keys that do not exist before the block. */
export function dropVoidDeletions(writes: Map<LaneKey, Uint8Array | undefined>, before: StateReader): void {
  for (const [key, value] of writes) {
    if (value === undefined && before.get(key) === undefined) writes.delete(key);
  }
}
