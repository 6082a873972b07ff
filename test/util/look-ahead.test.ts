import { expect, test, vi } from 'vitest';
import { lookAhead } from '../../src/pipeline/look-ahead.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('each item comes with the one after it, once that is there', async () => {
  const seen: [number, number | undefined, number | undefined][] = [];
  for await (const { item, following } of lookAhead([1, 2, 3])) {
    const early = following();
    await turn();
    seen.push([item, early, following()]);
  }
  expect(seen.map(([item, , next]) => [item, next])).toEqual([
    [1, 2],
    [2, 3],
    [3, undefined],
  ]);
  for await (const _ of lookAhead([])) throw new Error('there is none');
});

test('two items are taken before their turn, and no more', async () => {
  let taken = 0;
  const source = function* () {
    for (let item = 1; item <= 5; item++) {
      taken = item;
      yield item;
    }
  };
  const seen: (number | undefined)[][] = [];
  for await (const { item, following } of lookAhead(source())) {
    await turn();
    expect(taken).toBe(Math.min(5, item + 2));
    seen.push([item, following(1), following(2), following(3)]);
  }
  expect(seen[0]).toEqual([1, 2, 3, undefined]);
  expect(seen[3]).toEqual([4, 5, undefined, undefined]);
});

test('an error of the source comes in its turn', async () => {
  const source = async function* () {
    yield 1;
    yield 2;
    throw new Error('the source broke');
  };
  const seen: number[] = [];
  const all = async () => {
    for await (const { item, following } of lookAhead(source())) {
      await turn();
      seen.push(item);
      if (item === 2) expect(following()).toBeUndefined();
    }
  };
  await expect(all()).rejects.toThrow('the source broke');
  expect(seen).toEqual([1, 2]);
});

test('a consumer that stops ends the source, and does not wait for an item that never comes', async () => {
  let ended = false;
  let release = (): void => undefined;
  const source = async function* () {
    try {
      yield 1;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield 2;
    } finally {
      ended = true;
    }
  };
  for await (const _ of lookAhead(source())) break;
  expect(ended).toBe(false);
  release();
  await turn();
  expect(ended).toBe(true);
});

test('only the time that the consumer itself waits is counted', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  try {
    const source = async function* () {
      for (const item of [1, 2, 3]) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        yield item;
      }
    };
    const seen: number[] = [];
    const all = (async () => {
      for await (const { waited } of lookAhead(source())) {
        seen.push(waited);
        await new Promise((resolve) => setTimeout(resolve, 70));
      }
    })();
    await vi.advanceTimersByTimeAsync(1_000);
    await all;
    expect(seen).toEqual([100, 30, 30]);
  } finally {
    vi.useRealTimers();
  }
});
