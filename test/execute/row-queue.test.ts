// Rows that threads take from shared memory: each once, whoever takes them, and none when a block is given up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockTooLarge } from '../../src/execute/tasks/block-weight.js';
import { RowQueue, shareRows } from '../../src/execute/tasks/row-queue.js';

const rowsFrom = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => 1_000 + i);
const ROOM = 1_000;

describe('rows in parts', () => {
  it('are taken once each, those of its own part first by every thread, in whatever order threads ask', () => {
    const sizes = fc.array(fc.nat(60), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(4), { maxLength: 200 }), (parts, asked) => {
        let total = 0;
        const ends = parts.map((size) => {
          total += size;
          return total;
        });
        const shared = shareRows({ rows: rowsFrom(total), ends }, ROOM);
        const queues = parts.map(() => new RowQueue(shared));
        const taken: number[] = [];
        const next = [0, ...ends.slice(0, -1)];
        const take = (thread: number): boolean => {
          const queue = queues[thread];
          if (!queue.take(thread)) return false;
          if (next[thread] < ends[thread]) expect(queue.from).toBe(next[thread]);
          const part = ends.findIndex((end) => queue.from < end);
          expect([queue.from, queue.to <= ends[part], queue.to > queue.from]).toEqual([next[part], true, true]);
          next[part] = queue.to;
          taken.push(...queue.rows.subarray(queue.from, queue.to));
          return true;
        };
        for (const thread of asked) take(thread % parts.length);
        while (take(0));
        expect(taken.sort((a, b) => a - b)).toEqual([...rowsFrom(total)]);
        for (const [thread] of parts.entries()) expect(take(thread)).toBe(false);
      }),
      { seed: 13, numRuns: 200 },
    );
  });

  it('are taken a few at a time where few are left, so that threads end together', () => {
    const queue = new RowQueue(shareRows({ rows: rowsFrom(1_000), ends: [1_000] }, ROOM));
    const sizes: number[] = [];
    while (queue.take(0)) sizes.push(queue.to - queue.from);
    expect([sizes[0], sizes.at(-1)]).toEqual([16, 1]);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  it('are not taken any more after the queue was stopped', () => {
    const shared = shareRows({ rows: rowsFrom(40), ends: [20, 40] }, ROOM);
    const queue = new RowQueue(shared);
    expect(queue.take(1)).toBe(true);
    new RowQueue(shared).stop();
    expect([queue.take(0), queue.take(1)]).toEqual([false, false]);
  });

  it('may keep as many bytes as there is room for, all threads together', () => {
    const shared = shareRows({ rows: rowsFrom(4), ends: [2, 4] }, 30);
    const [one, other] = [new RowQueue(shared), new RowQueue(shared)];
    one.keep(10);
    other.keep(20);
    one.keep(0);
    expect(() => one.keep(1)).toThrow(BlockTooLarge);
    expect(() => other.keep(1)).toThrow(BlockTooLarge);
    expect(() => new RowQueue(shareRows({ rows: rowsFrom(1), ends: [1] }, 1e12)).keep(1e9)).not.toThrow();
  });
});
