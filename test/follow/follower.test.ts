import { expect, test } from 'vitest';
import { InputError, InternalError, NodeError, ProgramError, StoreError } from '../../src/errors/errors.js';
import { seededBytes } from '../../src/selftest/inputs/prng.js';
import { toDisplayHash } from '../../src/util/bytes.js';
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

test('passing errors are retried with growing waits for ever, said once, and counted', async () => {
  const source = new ToySource(LONG);
  const index = new ToyIndex();
  for (let i = 0; i < 40; i++) source.errors.push(nodeDown());
  const { follower, waits, states, notes } = await followUntilCalm(source, index);
  expect(index.tip()?.height).toBe(30);
  expect(waits.slice(0, 4)).toEqual([187.5, 375, 750, 1500]);
  expect(Math.max(...waits)).toBe(22_500);
  expect(states).toEqual(['waiting-for-node', 'syncing', 'at-tip', 'stopped']);
  expect(follower.status).toMatchObject({ retries: 40, lastError: 'NODE_UNREACHABLE' });
  expect(notes).toEqual(['the node cannot be reached']);
});

test('a connection lost between two blocks loses no block', async () => {
  const source = new ToySource(LONG);
  const index = new ToyIndex();
  source.onCall = () => {
    if (source.calls === 9 || source.calls === 20) source.errors.push(nodeDown());
  };
  const { follower } = await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(follower.status.retries).toBe(2);
  expect(source.closed).toBe(3);
});

test('an error of the node that does not pass ends the follower', async () => {
  const source = new ToySource(LONG);
  source.errors.push(new InternalError('a defect'));
  await expect(follow(source, new ToyIndex()).end).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('an error of the node that may pass is waited out for a bounded time, and told with what is left of it', async () => {
  const source = new ToySource(LONG);
  const unknown = new NodeError('NODE_RPC_ERROR', 'what no version has said yet', { hint: 'look' });
  const told: (number | undefined)[] = [];
  const options = {
    patience: () => 60_000,
    onNote: (_: string, __?: unknown, left?: number) => void told.push(left),
  };
  source.errors.push(...Array.from({ length: 5 }, () => unknown));
  const { waits, follower } = await followUntilCalm(source, new ToyIndex(), options);
  expect(follower.status).toMatchObject({ height: 30, retries: 5, lastError: 'NODE_RPC_ERROR' });
  expect([told, waits.length]).toEqual([[60_000], 5]);

  source.onCall = () => void source.errors.push(unknown);
  const run = follow(source, new ToyIndex(), options);
  await expect(run.end).rejects.toMatchObject({ code: 'NODE_RPC_ERROR', hint: 'look', facts: { triedForSeconds: 60 } });
  expect(run.waits.reduce((sum, ms) => sum + ms, 0)).toBe(60_000);
});

test('the bound of what may pass begins anew once the node was only away, and after every block', async () => {
  const source = new ToySource(LONG);
  const unknown = new NodeError('NODE_RPC_ERROR', 'unknown');
  const patience = (error: unknown): number => (error === unknown ? 1_000 : Number.POSITIVE_INFINITY);
  // More in all than a second, never a second in a row.
  const row = [unknown, unknown, nodeDown(), unknown];
  source.errors.push(...row);
  source.onCall = () => {
    if (source.calls === 12 || source.calls === 25) source.errors.push(...row);
  };
  const { follower } = await followUntilCalm(source, new ToyIndex(), { patience, mostRetryMs: 500 });
  expect(follower.status).toMatchObject({ height: 30, retries: 12 });
});

test('block files that lack a block for a while are no bad block', async () => {
  const source = new ToySource(LONG);
  const missing = new InputError('BLOCK_FILES_MISSING_BLOCK', 'the block files lack a block');
  source.onCall = () => {
    if (source.calls > 10 && source.calls < 40) source.errors.push(missing);
  };
  const { follower } = await followUntilCalm(source, new ToyIndex(), { patience: () => 10_000_000 });
  expect(follower.status).toMatchObject({ height: 30, badBlocks: 0 });
});

test.each([
  new StoreError('STORE_WRITE_FAILED', 'no space'),
  new ProgramError('MODULE_TRAPPED', 'unreachable'),
  new TypeError('a defect'),
  nodeDown(),
])('an error of the index ends the follower at once: %s', async (error) => {
  const index = ToyIndex.of(LONG.slice(0, 10));
  index.error = error;
  const run = follow(new ToySource(LONG), index);
  await expect(run.end).rejects.toBe(error);
  expect(run.follower.status).toMatchObject({ state: 'failed', retries: 0, height: 9 });
  expect(index.blocks).toHaveLength(10);
});

test('a bad block is tried again, never skipped, and named in the end', async () => {
  const source = new ToySource(LONG);
  const index = new ToyIndex();
  index.refuse = ({ height }) => height === 13;
  const run = follow(source, index, { badBlockTries: 4 });
  await expect(run.end).rejects.toMatchObject({
    code: 'CHAIN_BAD_BLOCK',
    facts: { height: 13, hash: toDisplayHash(LONG[13].hash), reason: 'BLOCK_BAD_MERKLE_ROOT', tries: 4 },
  });
  expect(index.tip()?.height).toBe(12);
  expect(run.follower.status).toMatchObject({ badBlocks: 4, retries: 3, lastError: 'CHAIN_BAD_BLOCK' });
});

test('a block served badly a few times is indexed when it comes whole', async () => {
  const source = new ToySource(LONG);
  let bad = 3;
  source.serve = (block) => (block.height === 13 && bad-- > 0 ? { ...block, raw: seededBytes('x', 'y') } : block);
  const index = new ToyIndex();
  const { follower } = await followUntilCalm(source, index, { badBlockTries: 4 });
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(follower.status.badBlocks).toBe(3);
});

test('a bad block that the source itself refuses ends the follower too', async () => {
  const source = new ToySource(LONG);
  source.serve = (block) => {
    if (block.height === 5) throw new InputError('BLOCK_TRUNCATED', 'cut');
    return block;
  };
  await expect(follow(source, new ToyIndex(), { badBlockTries: 3 }).end).rejects.toMatchObject({
    code: 'CHAIN_BAD_BLOCK',
    facts: { height: 5, hash: 'unknown', reason: 'BLOCK_TRUNCATED', tries: 3 },
  });
});

test('a stale block in the place of the tip is not indexed', async () => {
  const source = new ToySource(LONG);
  const stale = grow(LONG.slice(0, 30), 'stale', 1);
  let lies = 2;
  source.serve = (block) => (block.height === 30 && lies-- > 0 ? stale[30] : block);
  const index = new ToyIndex();
  const { follower } = await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(follower.status).toMatchObject({ blocksUndone: 0, retries: 2 });
});

test('a stale block below the tip is undone as soon as the chain contradicts it', async () => {
  const source = new ToySource(LONG);
  const stale = grow(LONG.slice(0, 20), 'stale', 1);
  let lies = 1;
  source.serve = (block) => (block.height === 20 && lies-- > 0 ? stale[20] : block);
  const index = new ToyIndex();
  const { follower } = await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(follower.status).toMatchObject({ reorgs: 1, blocksUndone: 1 });
});

test.each(['skips', 'repeats', 'ends'] as const)('a source that %s a block is asked again', async (what) => {
  const source = new ToySource(LONG);
  let lies = 1;
  source.serve = (block) => {
    if (block.height !== 8 || lies-- === 0) return block;
    return what === 'skips' ? LONG[9] : what === 'repeats' ? LONG[7] : undefined;
  };
  const index = new ToyIndex();
  const { follower } = await followUntilCalm(source, index);
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(follower.status.retries).toBe(1);
});

test('a tip that the node does not have is asked for with back-off, not in a tight loop', async () => {
  const source = new ToySource(LONG);
  source.tip = async () => ({ height: 40, hash: seededBytes('lie', 'tip') });
  const index = new ToyIndex();
  const run = follow(source, index);
  while (run.waits.length < 12) await new Promise<void>((resolve) => setImmediate(resolve));
  await run.follower.stop();
  expect(index.hashes).toEqual(hashesOf(LONG));
  expect(run.waits.slice(0, 3)).toEqual([187.5, 375, 750]);
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
