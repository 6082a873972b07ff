/** The writes of a block from its outcomes. */
import type { LaneWrites, StateReader } from '../../lane/types.js';
import { PackedMap } from '../../util/packed-map.js';

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
