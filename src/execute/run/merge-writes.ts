/** The writes of a block from its outcomes. */
import { Changes } from '../../lane/overlay.js';
import type { LaneOutcome, LaneWrites, StateReader } from '../../lane/types.js';
import { PackedMap } from '../../util/packed-map.js';

/** The last writes of each key, from outcomes in block order. */
export function mergeWrites(outcomes: readonly LaneOutcome[]): LaneWrites {
  const writes = new Changes();
  for (const outcome of outcomes) for (const [key, value] of outcome.writes) writes.set(key, value);
  return writes.map;
}

/** Removes from `writes` the deletions of keys that do not exist before the block. */
export function dropVoidDeletions(writes: LaneWrites, before: StateReader): void {
  if (writes instanceof PackedMap) {
    writes.deleteAbsent((key) => before.get(key) === undefined);
    return;
  }
  for (const [key, value] of writes) {
    if (value === undefined && before.get(key) === undefined) writes.delete(key);
  }
}
