/** The writes of a block from its outcomes. */
import type { LaneKey, LaneOutcome, StateReader } from '../lane/types.js';

/** Last writes win; the deletion of a key that the state before the block does not have is left out. */
export function mergeWrites(
  outcomes: readonly LaneOutcome[],
  before: StateReader,
): Map<LaneKey, Uint8Array | undefined> {
  const writes = new Map<LaneKey, Uint8Array | undefined>();
  for (const outcome of outcomes) for (const [key, value] of outcome.writes) writes.set(key, value);
  for (const [key, value] of writes) {
    if (value === undefined && before.get(key) === undefined) writes.delete(key);
  }
  return writes;
}
