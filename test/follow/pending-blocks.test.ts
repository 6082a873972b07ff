import { expect, test } from 'vitest';
import { PendingBlocks } from '../../src/pipeline/pending-blocks.js';
import { FlushedPairs } from '../../src/standard/flushed-pairs.js';
import { RowsRead } from '../../src/standard/rows-read.js';
import { ascii, list } from '../standard/guest-builder.js';
import { block, withStore } from '../store/helpers.js';

const TOGETHER = { moreFollow: true };

test('rows that were read for blocks which wait count as what these hold', async () => {
  await withStore((store) => {
    const pending = new PendingBlocks(store);
    const waiting: number[] = [];
    for (let height = 0; height < 4; height++) {
      const rows = new RowsRead();
      // Each block changes one key of a short value, and has read 4 MiB under it.
      rows.add(ascii(`${height}`), 0, new Uint8Array(4 << 20), 0);
      const flushes = [list(`${height}`, 'short')];
      const pairs = FlushedPairs.of(flushes, 1);
      const standardWrites = FlushedPairs.at(flushes, pairs.places(), undefined, rows.ofPairs(pairs));
      pending.add({ ...block(height), standardWrites, receipts: [] }, 100, TOGETHER);
      waiting.push(pending.count);
    }
    // Three times 4 MiB are more than 12 MiB with what they are read of: the first two are stored then.
    expect(waiting).toEqual([1, 2, 1, 2]);
    pending.settle();
  });
});
