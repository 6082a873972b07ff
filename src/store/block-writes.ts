/** What blocks write, as the store goes through it. */
import { InternalError } from '../errors/errors.js';
import { freeMemory } from '../util/free-memory.js';
import { PackedMap } from '../util/packed-map.js';
import { PackedWrites } from '../util/packed-writes.js';
import { receiptCount } from './receipt-rows.js';
import type { BlockCommit } from './types.js';

/** Writes that take hundreds of megabytes on their way. */
const MANY_WRITES = 1 << 20;

/** The same writes; nothing is looked up in them from now on. */
export function packedWrites(writes: ReadonlyMap<string, Uint8Array | undefined>): PackedWrites {
  const map = writes instanceof PackedWrites ? writes : PackedMap.from(writes);
  map.forgetIndex();
  // What it took to look so many up, and to run what wrote them, is freed before storing them takes as much again.
  if (map.size >= MANY_WRITES) freeMemory();
  return map;
}

/** The writes of one of several blocks that are committed together. */
export function groupedWrites(block: BlockCommit): PackedWrites {
  if (block.laneWrites.size > 0 || receiptCount(block) > 0) {
    throw new InternalError('a block of lane transactions is stored alone', { facts: { height: block.height } });
  }
  return packedWrites(block.standardWrites);
}
