/** The writes of a block from its outcomes. */
import { Changes } from '../../lane/overlay.js';
import type { LaneKey, LaneOutcome, LaneWrites } from '../../lane/types.js';
import { PackedMap } from '../../util/packed-map.js';

/** The last writes of each key, from outcomes in block order. */
export function mergeWrites(outcomes: readonly LaneOutcome[]): LaneWrites {
  const writes = new Changes();
  for (const outcome of outcomes) for (const [key, value] of outcome.writes) writes.set(key, value);
  return writes.map;
}

/** Removes from `writes` the deletions of keys that do not exist before the block: `isThere` says whether one does. */
export function dropVoidDeletions(writes: LaneWrites, isThere: (key: LaneKey) => boolean): void {
  if (writes instanceof PackedMap) {
    writes.deleteAbsent((key) => !isThere(key));
    return;
  }
  for (const [key, value] of writes) if (value === undefined && !isThere(key)) writes.delete(key);
}
