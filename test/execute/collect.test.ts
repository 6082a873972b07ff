// Answers to many questions that are asked at once: in order, the first failure, and nothing kept after it.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { collect } from '../../src/execute/threads/collect.js';
import { collectGarbage } from '../helpers/collect-garbage.js';

type Asked = { readonly resolve: (answer: number) => void; readonly reject: (error: unknown) => void };

function asking<R>(count: number, read: (answer: number) => R): { asked: Asked[]; all: Promise<R[]> } {
  const asked: Asked[] = [];
  const all = collect<number, R>(count, read, (i, resolve, reject) => {
    asked[i] = { resolve, reject };
  });
  return { asked, all };
}

it('gives what it read of the answers in the order of the questions', async () => {
  const { asked, all } = asking(3, (answer) => answer * 10);
  for (const i of [2, 0, 1]) asked[i].resolve(i);
  expect(await all).toEqual([0, 10, 20]);
  expect(await asking(0, (answer) => answer).all).toEqual([]);
});

it('fails with the first failure, of an answer or of reading it, and reads no more', async () => {
  const read: number[] = [];
  const { asked, all } = asking(4, (answer) => {
    read.push(answer);
    if (answer === 1) throw new Error('cannot be read');
  });
  asked[0].resolve(0);
  asked[1].resolve(1);
  asked[2].reject(new Error('later'));
  asked[3].resolve(3);
  await expect(all).rejects.toThrow('cannot be read');
  expect(read).toEqual([0, 1]);
  const other = asking(2, (answer) => answer);
  other.asked[0].reject(new Error('no answer'));
  await expect(other.all).rejects.toThrow('no answer');
});

it('keeps nothing of what it read once it has failed, though answers are still to come', async () => {
  const found: WeakRef<object>[] = [];
  const { asked, all } = asking(3, () => {
    const object = {};
    found.push(new WeakRef(object));
    return object;
  });
  asked[0].resolve(0);
  await turn();
  collectGarbage();
  expect(found[0].deref()).toBeDefined();
  asked[1].reject(new Error('too large'));
  await expect(all).rejects.toThrow('too large');
  await turn();
  collectGarbage();
  expect(found[0].deref()).toBeUndefined();
  // Still waited for.
  expect(asked).toHaveLength(3);
  asked[2].resolve(2);
  expect(found).toHaveLength(1);
});
