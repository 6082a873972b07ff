import { expect, test } from 'vitest';
import { WorkWatch } from '../../src/execute/tasks/work-watch.js';

const txid = (index: number) => new Uint8Array(32).fill(index);

test('another thread sees the block and the transaction that has been under way longest', async () => {
  const writer = new WorkWatch();
  const reader = new WorkWatch(writer.buffer);
  expect(reader.look()).toBeUndefined();
  writer.beginBlock(7);
  expect(reader.look()).toMatchObject({ height: 7, transaction: undefined });
  writer.thread(2)?.begin(5, txid(5), 0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  writer.thread(0)?.begin(9, txid(9), 0);
  const later = Date.now() + 60_000;
  const seen = reader.look(later);
  expect(seen?.transaction).toMatchObject({ index: 5, txid: '05'.repeat(32) });
  expect(seen?.transaction?.ms).toBeGreaterThanOrEqual(60_000);
  expect(seen?.ms).toBeGreaterThanOrEqual(seen?.transaction?.ms ?? 0);
  writer.thread(2)?.end();
  expect(reader.look()?.transaction?.index).toBe(9);
  writer.endBlock();
  expect(reader.look()).toBeUndefined();
  // What a thread ends later belongs to no block.
  writer.thread(1)?.begin(1, txid(1), 0);
  expect(reader.look()).toBeUndefined();
});

test('a thread beyond those that are watched is not watched', () => {
  const watch = new WorkWatch();
  expect(watch.thread(256)).toBeDefined();
  expect(watch.thread(257)).toBeUndefined();
});
