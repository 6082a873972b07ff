/** Finds where in a stream a replica goes on. */
import type { StoreReader } from '../store/reader.js';
import { bytesEqual } from '../util/bytes.js';
import { decodeChunk, NO_HEIGHT } from './chunk.js';
import type { StreamLog } from './log.js';

/** Blocks that are looked up in the stream, from the tip of the replica downwards. */
const MOST_LOOKS = 200;

/**
 * Sequence of a message from which on the replica finds everything that it lacks: one that begins the newest event
 * after which its highest block that the stream has, too, was the stream's tip. 0, for the beginning of the stream,
 * where there is none: whether the stream goes on from the replica's tip then shows at its first block. Throws
 * StreamError STREAM_*.
 */
export async function findStart(store: StoreReader, log: StreamLog): Promise<number> {
  const tip = store.tip();
  const { bytes } = await log.end();
  if (tip === undefined || bytes === undefined) return 0;
  const end = decodeChunk(bytes);
  const from = end.height === NO_HEIGHT ? tip.height : Math.min(tip.height, end.height);
  const lowest = Math.max(0, from - MOST_LOOKS + 1);
  for (let height = from; height >= lowest; height--) {
    const own = store.blockHash(height);
    const found = own && (await log.lastOf('block', height));
    if (found === undefined) return 0;
    const { hash, number } = decodeChunk(found.bytes);
    if (!bytesEqual(hash, own)) continue;
    const undone = await log.lastOf('undone', height);
    const isTip = undone !== undefined && bytesEqual(decodeChunk(undone.bytes).hash, own);
    return Math.max(1, found.sequence - number, isTip ? undone.sequence : 0);
  }
  return 0;
}
