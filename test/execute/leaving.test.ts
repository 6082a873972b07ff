// Under `balance`: whether calls that ask whether they run dry wait for the division, or run whole at once.
import { expect, it } from 'vitest';
import { FIRST_BLOCKS_EACH, Leaving, OTHER_TRIED_AFTER } from '../../src/execute/choose/leaving.js';

const PROGRAMS = new Set(['a', 'b']);

/** Blocks on a machine on which waiting takes `waits` ms a row; gives how each ran. */
function run(leaving: Leaving, blocks: number, [waits, atOnce]: readonly [number, number], rows = 1_000): boolean[] {
  return Array.from({ length: blocks }, () => {
    const isWaiting = leaving.waits(PROGRAMS, rows);
    leaving.took(rows * (isWaiting ? waits : atOnce));
    return isWaiting;
  });
}

it.each([
  ['waits where that is faster', [1, 2], true],
  ['runs at once where that is faster', [2, 1], false],
] as const)('%s, once both were tried', (_, times, better) => {
  const leaving = new Leaving();
  const first = run(leaving, 2 * FIRST_BLOCKS_EACH, times);
  expect(first).toEqual([...new Array(FIRST_BLOCKS_EACH).fill(true), ...new Array(FIRST_BLOCKS_EACH).fill(false)]);
  const later = run(leaving, 4 * OTHER_TRIED_AFTER, times);
  expect(later.filter((waits) => waits !== better)).toHaveLength(4);
});

it('finds out when the other way has become the faster one, and is not misled by blocks that were disturbed', () => {
  const leaving = new Leaving();
  run(leaving, 2 * FIRST_BLOCKS_EACH, [1, 2]);
  let block = 0;
  const disturbed = (ms: number): number => (block++ % 3 === 0 ? 9 * ms : ms);
  for (let i = 0; i < 60; i++) expect(run(leaving, 1, [disturbed(1), 2])).toEqual([true]);
  run(leaving, FIRST_BLOCKS_EACH * OTHER_TRIED_AFTER, [4, 2]);
  // But for the one that tries the other way again.
  expect(run(leaving, 60, [4, 2]).filter((waits) => waits).length).toBeLessThan(2);
});

it('learns nothing from small blocks, from blocks without such programs, or from those that were given up', () => {
  const leaving = new Leaving();
  expect(run(leaving, 50, [9, 1], 63)).toEqual(new Array(50).fill(true));
  for (let i = 0; i < 50; i++) {
    expect(leaving.waits(new Set(), 1_000)).toBe(true);
    leaving.took(5);
    expect(leaving.waits(PROGRAMS, 1_000)).toBe(true);
  }
});

it('tells sizes of blocks apart', () => {
  const leaving = new Leaving();
  run(leaving, 2 * FIRST_BLOCKS_EACH, [2, 1], 100);
  run(leaving, 2 * FIRST_BLOCKS_EACH, [1, 2], 5_000);
  expect([run(leaving, 1, [2, 1], 100), run(leaving, 1, [1, 2], 5_000)]).toEqual([[false], [true]]);
});
