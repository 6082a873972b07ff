/** The writes of a block from its outcomes. */
import type { LaneKey, LaneWrites } from '../../lane/types.js';
import { PackedMap } from '../../util/packed-map.js';

/** Removes from `writes` the deletions of keys that do not exist before the block: `isThere` says whether one does. */
export function dropVoidDeletions(writes: LaneWrites, isThere: (key: LaneKey) => boolean): void {
  if (writes instanceof PackedMap) {
    writes.deleteAbsent((key) => !isThere(key));
    return;
  }
  for (const [key, value] of writes) if (value === undefined && !isThere(key)) writes.delete(key);
}
