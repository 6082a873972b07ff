import { expect, test } from 'vitest';
import { runSeeds } from '../../src/testing/sim/run.js';

const SEEDS = 300;

test(`${SEEDS} seeds of random faults leave the database of a fresh index, and meet every kind of fault`, async () => {
  const sum = await runSeeds(0, SEEDS);
  expect(sum.seeds).toBe(SEEDS);
  // The simulator is worth nothing if it stops making the cases that it is there for.
  expect(Object.keys(sum.ends).sort()).toEqual([
    'CHAIN_BAD_BLOCK',
    'CHAIN_REORG_TOO_DEEP',
    'at-tip',
    'node-behind',
    'stopped',
  ]);
  expect(sum.lives).toBeGreaterThan(3 * SEEDS);
  expect(sum.reorgs).toBeGreaterThan(SEEDS / 3);
  expect(sum.deepest).toBeGreaterThanOrEqual(6);
  expect(sum.badBlocks).toBeGreaterThan(SEEDS / 3);
  expect(sum.retries).toBeGreaterThan(SEEDS);
});

test('a seed alone is what it was among others', async () => {
  const [upTo, before, alone] = [await runSeeds(40, 8), await runSeeds(40, 7), await runSeeds(47, 1)];
  expect(upTo.retries - before.retries).toBe(alone.retries);
  expect(upTo.indexed - before.indexed).toBe(alone.indexed);
  expect(upTo.lives - before.lives).toBe(alone.lives);
});
