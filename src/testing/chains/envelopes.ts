import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { locateEnvelope } from '../../protocol/envelope.js';

const MARKER = 'BIN';

/**
 * Positions of the transactions of a block that carry an envelope, ascending. The marker is looked for in the whole block at once:
 * only transactions that have its bytes somewhere are made and read.
 */
export function findEnvelopes(block: BlockOffsets): number[] {
  const bytes = Buffer.from(block.raw.buffer, block.raw.byteOffset, block.raw.length);
  const found: number[] = [];
  let index = 0;
  for (let at = bytes.indexOf(MARKER); at >= 0; at = bytes.indexOf(MARKER, at)) {
    while (index < block.count && block.starts[index + 1] <= at) index++;
    if (index === block.count) break;
    if (block.starts[index] <= at && locateEnvelope(block.transaction(index)) !== undefined) found.push(index);
    at = block.starts[index + 1];
  }
  return found;
}
