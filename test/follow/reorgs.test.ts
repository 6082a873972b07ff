import { expect, test } from 'vitest';
import { follow, followUntilCalm, grow, hashesOf, ROOT_CHAIN, ToyIndex, ToySource } from './helpers.js';

const LONG = grow(ROOT_CHAIN, 'a', 30);

test.each([1, 2, 3, 6, 13, 29, 30])('a reorg of depth %i is followed, block by block', async (depth) => {
  const base = LONG.slice(0, 31 - depth);
  const other = grow(base, 'b', depth + 1);
  const index = ToyIndex.of(LONG);
  const { follower, rollbacks, states } = await followUntilCalm(new ToySource(other), index);
  expect(index.hashes).toEqual(hashesOf(other));
  expect(index.rollbacks).toEqual(Array.from({ length: depth }, (_, i) => 29 - i));
  expect(rollbacks).toEqual([{ from: { height: 30, hash: LONG[30].hash, raw: LONG[30].raw }, toHeight: 30 - depth }]);
  expect(follower.status).toMatchObject({
    reorgs: 1,
    deepestReorg: depth,
    blocksUndone: depth,
    blocksIndexed: depth + 1,
  });
  expect(states).toEqual(['rolling-back', 'syncing', 'at-tip', 'stopped']);
});

test('the fork point of a long chain is found with few questions', async () => {
  const chain = grow(ROOT_CHAIN, 'a', 3_000);
  const index = ToyIndex.of(chain);
  const source = new ToySource(grow(chain.slice(0, 2_996), 'b', 5));
  await followUntilCalm(source, index);
  expect(source.calls).toBeLessThan(25);
});

test('a chain that becomes shorter but differs is a reorg at once', async () => {
  const other = grow(LONG.slice(0, 20), 'b', 4);
  const index = ToyIndex.of(LONG);
  await followUntilCalm(new ToySource(other), index);
  expect(index.hashes).toEqual(hashesOf(other));
});

test('a node whose chain is part of ours is waited for, nothing is undone', async () => {
  const source = new ToySource(LONG.slice(0, 11));
  const index = ToyIndex.of(LONG);
  const { follower, states } = await followUntilCalm(source, index, {}, 3);
  expect(follower.status).toMatchObject({ height: 30, nodeHeight: 10, blocksUndone: 0, retries: 0 });
  expect(states).toEqual(['node-behind', 'stopped']);
  source.chain = grow(LONG, 'a2', 1);
  await followUntilCalm(source, index);
  expect(index.tip()?.height).toBe(31);
});

test('a node whose chain ends below the first block of the index is waited for', async () => {
  const index = ToyIndex.of(LONG, 15);
  const { states } = await followUntilCalm(new ToySource(grow(ROOT_CHAIN, 'b', 4)), index);
  expect(states).toEqual(['node-behind', 'stopped']);
  expect(index.blocks).toHaveLength(16);
});

test('a reorg below the undo data ends with the fork point, and nothing is undone', async () => {
  const index = ToyIndex.of(LONG);
  index.keep = 5;
  const run = follow(new ToySource(grow(LONG.slice(0, 25), 'b', 9)), index);
  await expect(run.end).rejects.toMatchObject({
    code: 'CHAIN_REORG_TOO_DEEP',
    facts: { fork: 'at height 24', lowestRollback: 25, blocksKept: 5, tip: 30 },
  });
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(run.follower.status).toMatchObject({ state: 'failed', lastError: 'CHAIN_REORG_TOO_DEEP' });
  index.keep = 6;
  await followUntilCalm(new ToySource(grow(LONG.slice(0, 25), 'b', 9)), index);
  expect(index.tip()?.height).toBe(33);
});

test('a reorg below the first block empties the index and starts there again', async () => {
  const other = grow(LONG.slice(0, 18), 'b', 15);
  const index = ToyIndex.of(LONG, 20);
  await followUntilCalm(new ToySource(other), index);
  expect(index.hashes).toEqual(hashesOf(other.slice(20)));
});

test('a reorg below the first block whose undo data is gone ends the follower', async () => {
  const index = ToyIndex.of(LONG, 20);
  index.keep = 10;
  const run = follow(new ToySource(grow(LONG.slice(0, 18), 'b', 15)), index);
  await expect(run.end).rejects.toMatchObject({ code: 'CHAIN_REORG_TOO_DEEP', facts: { fork: 'below height 20' } });
});

test('a chain that changes while its fork point is looked for is looked at again', async () => {
  const source = new ToySource(grow(LONG.slice(0, 20), 'b', 12));
  const index = ToyIndex.of(LONG);
  const last = grow(LONG.slice(0, 24), 'c', 20);
  source.onCall = () => {
    if (source.calls === 12) source.chain = last;
  };
  const { follower, waits } = await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(last));
  expect(index.rollbacks.at(-1)).toBe(23);
  expect(follower.status.retries).toBe(1);
  expect(waits).toEqual([187.5]);
});

test('a node that changes its mind all the time is followed ever more slowly', async () => {
  const chains = [LONG, grow(LONG.slice(0, 26), 'b', 5)];
  const source = new ToySource(chains[0]);
  const index = ToyIndex.of(LONG);
  let turns = 0;
  source.onWait = () => {
    source.chain = chains[++turns % 2];
  };
  const { follower, waits } = await followUntilCalm(source, index, {}, 8);
  expect(follower.status.reorgs).toBeGreaterThan(3);
  expect(waits.length).toBe(follower.status.retries);
  expect(waits.at(-1)).toBeGreaterThan(waits[0]);
});
