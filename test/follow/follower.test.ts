import { expect, test, vi } from 'vitest';
import { seededBytes } from '../../src/selftest/inputs/prng.js';
import {
  follow,
  followUntilCalm,
  GENESIS,
  grow,
  hashesOf,
  nodeDown,
  ROOT_CHAIN,
  ToyIndex,
  ToySource,
} from './helpers.js';

const LONG = grow(ROOT_CHAIN, 'a', 30);

test('an empty index starts at block 0 and ends at the tip', async () => {
  const source = new ToySource(LONG);
  const index = new ToyIndex();
  const { follower, states } = await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(states).toEqual(['at-tip', 'stopped']);
  expect(follower.status).toEqual({
    state: 'stopped',
    height: 30,
    nodeHeight: 30,
    reorgs: 0,
    deepestReorg: 0,
    blocksIndexed: 31,
    blocksUndone: 0,
    retries: 0,
    badBlocks: 0,
    lastError: undefined,
  });
});

test('an empty index starts at the start block, once the node has it', async () => {
  const source = new ToySource(LONG.slice(0, 10));
  const index = new ToyIndex();
  source.onWait = () => {
    source.chain = LONG;
  };
  const { states } = await followUntilCalm(source, index, { startBlock: 20 }, 2);
  expect(index.hashes).toEqual(hashesOf(LONG.slice(20)));
  expect(states).toEqual(['node-behind', 'syncing', 'at-tip', 'stopped']);
});

test('an index that has blocks goes on at its tip, whatever the start block', async () => {
  const index = ToyIndex.of(LONG.slice(0, 12), 5);
  await followUntilCalm(new ToySource(LONG), index, { startBlock: 2 });
  expect(index.hashes).toEqual(hashesOf(LONG.slice(5)));
});

test('exitAt ends after the block before it, also when that is indexed already', async () => {
  const source = new ToySource(LONG);
  const index = new ToyIndex();
  const first = follow(source, index, { exitAt: 17 });
  await first.end;
  expect(index.tip()?.height).toBe(16);
  expect(first.follower.status.state).toBe('stopped');
  const again = follow(source, index, { exitAt: 17 });
  await again.end;
  expect(again.follower.status.blocksIndexed).toBe(0);
  await follow(source, index, { exitAt: 9 }).end;
  expect(index.tip()?.height).toBe(16);
});

test('exitAt at or below the start block indexes nothing', async () => {
  const index = new ToyIndex();
  await follow(new ToySource(LONG), index, { startBlock: 7, exitAt: 7 }).end;
  expect(index.tip()).toBeUndefined();
});

test('new blocks are indexed as they come', async () => {
  const source = new ToySource(LONG.slice(0, 10));
  const index = new ToyIndex();
  source.onWait = () => {
    source.chain = LONG.slice(0, source.chain.length + 1);
  };
  await followUntilCalm(source, index, {}, 5);
  expect(index.hashes).toEqual(hashesOf(LONG.slice(0, 14)));
});

test('the node of another network is refused', async () => {
  const source = new ToySource(LONG);
  source.genesisHash = seededBytes('other', 'genesis');
  await expect(follow(source, new ToyIndex()).end).rejects.toMatchObject({ code: 'CHAIN_WRONG_NETWORK' });
  await expect(follow(new ToySource(LONG), new ToyIndex(), { network: 'testnet4' }).end).rejects.toMatchObject({
    code: 'CHAIN_WRONG_NETWORK',
  });
});

test('an index of another chain is refused, by its block 0 or by the recorded one', async () => {
  const other = grow([], 'other', 4);
  await expect(follow(new ToySource(LONG), ToyIndex.of(other)).end).rejects.toMatchObject({
    code: 'CHAIN_OTHER_GENESIS',
  });
  const recordedGenesis = seededBytes('other', 'genesis');
  await expect(follow(new ToySource(LONG), ToyIndex.of(LONG, 3), { recordedGenesis }).end).rejects.toMatchObject({
    code: 'CHAIN_OTHER_GENESIS',
  });
  await expect(
    follow(new ToySource(LONG), ToyIndex.of(LONG, 3), { recordedGenesis, network: 'private' }).end,
  ).rejects.toMatchObject({ code: 'CHAIN_OTHER_GENESIS' });
});

test('a node replaced by one of another network while following undoes nothing', async () => {
  const source = new ToySource(LONG);
  const index = ToyIndex.of(LONG, 20);
  source.onWait = () => {
    source.chain = grow([], 'other', 40);
    source.genesisHash = source.chain[0].hash;
  };
  const run = follow(source, index);
  await expect(run.end).rejects.toMatchObject({ code: 'CHAIN_WRONG_NETWORK' });
  expect(index.hashes).toEqual(hashesOf(LONG.slice(20)));
});

test('a source without block 0 is taken, with a note', async () => {
  const source = new ToySource(LONG);
  source.genesisHash = undefined;
  const { notes } = await followUntilCalm(source, ToyIndex.of(LONG, 5));
  expect(notes).toEqual(['the source has no block 0: its network is not checked']);
  await expect(follow(source, ToyIndex.of(grow([], 'other', 4))).end).rejects.toMatchObject({
    code: 'CHAIN_OTHER_GENESIS',
  });
});

test('the genesis hash is asked for again when the node was away', async () => {
  const source = new ToySource(LONG);
  source.errors.push(nodeDown(), nodeDown());
  const { follower } = await followUntilCalm(source, new ToyIndex());
  expect(follower.status.retries).toBe(2);
  source.genesisHash = GENESIS.slice().reverse();
  source.errors.push(nodeDown());
  await expect(follow(source, new ToyIndex()).end).rejects.toMatchObject({ code: 'CHAIN_WRONG_NETWORK' });
});

test('stop finishes the block that is being indexed', async () => {
  const index = new ToyIndex();
  let release = (): void => undefined;
  let stopped = false;
  index.onIndex = () => (index.blocks.length === 7 ? new Promise<void>((resolve) => (release = resolve)) : undefined);
  const { follower, end } = follow(new ToySource(LONG), index);
  while (index.blocks.length < 7) await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => setImmediate(resolve));
  const stopping = follower.stop().then(() => {
    stopped = true;
  });
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(stopped).toBe(false);
  release();
  await Promise.all([stopping, end]);
  expect(index.blocks).toHaveLength(8);
  expect(follower.status).toMatchObject({ state: 'stopped', blocksIndexed: 8 });
});

test('stop in the middle of a rollback leaves whole blocks, and the next start goes on', async () => {
  const other = grow(LONG.slice(0, 15), 'b', 20);
  const index = ToyIndex.of(LONG);
  const source = new ToySource(other);
  const run = follow(source, index);
  const rollback = index.rollback.bind(index);
  index.rollback = async (height) => {
    await rollback(height);
    if (height === 25) void run.follower.stop();
  };
  await run.end;
  expect(index.tip()?.height).toBe(25);
  expect(run.rollbacks).toMatchObject([{ toHeight: 25 }]);
  await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(other));
});

test('stop while the node is away ends at once', async () => {
  const source = new ToySource(LONG);
  const run = follow(source, new ToyIndex());
  source.onCall = () => source.errors.push(nodeDown());
  while (run.waits.length < 3) await new Promise<void>((resolve) => setImmediate(resolve));
  await run.follower.stop();
  expect(run.follower.status.state).toBe('stopped');
});

test('the chain is compared before each block of the last ones, if so many are to be', async () => {
  const chain = grow(ROOT_CHAIN, 'a', 30);
  for (const [checkWithin, looks] of [
    [0, 2],
    [6, 8],
    [100, 32],
  ]) {
    const source = new ToySource(chain);
    const tip = vi.spyOn(source, 'tip');
    const index = new ToyIndex();
    await followUntilCalm(source, index, { checkWithin });
    expect(index.hashes).toEqual(hashesOf(chain));
    // Once for the blocks that are not near the tip, once for each other one, and once at the tip.
    expect(tip).toHaveBeenCalledTimes(looks);
  }
});
