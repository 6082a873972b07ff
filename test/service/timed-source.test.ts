import { expect, test } from 'vitest';
import type { ChainBlock, ChainSource } from '../../src/chain/source.js';
import { TimedSource } from '../../src/service/timed-source.js';

const bytes = new Uint8Array(32);

test('it counts the time until a block comes or fails, and not what is done with it', async () => {
  let now = 0;
  let closed = false;
  const source: ChainSource = {
    kind: 'fixture',
    name: 'slow',
    genesis: async () => bytes,
    tip: async () => ({ height: 9, hash: bytes }),
    hashAt: async () => bytes,
    async *blocks(from): AsyncGenerator<ChainBlock, void, void> {
      try {
        for (let height = from; height < from + 2; height++) {
          now += 10;
          yield { height, hash: bytes, raw: bytes };
        }
        now += 5;
        throw new Error('lost');
      } finally {
        closed = true;
      }
    },
    changed: async () => undefined,
    close: async () => undefined,
  };
  const timed = new TimedSource(source, () => now);
  const { signal } = new AbortController();
  const waited: number[] = [];
  const read = async (): Promise<void> => {
    for await (const _ of timed.blocks(3, 9, signal)) {
      now += 100;
      waited.push(timed.takeWaited());
    }
  };
  await expect(read()).rejects.toThrow('lost');
  expect([waited, timed.takeWaited(), closed]).toEqual([[10, 10], 5, true]);
  closed = false;
  for await (const { height } of timed.blocks(3, 9, signal)) {
    expect(height).toBe(3);
    break;
  }
  expect(closed).toBe(true);
});
