import { expect, test } from 'vitest';
import { InputError, InternalError, NodeError, ProgramError, StoreError } from '../../src/errors/errors.js';
import { Refusals } from '../../src/follow/chain-checks.js';
import { seededBytes } from '../../src/selftest/inputs/prng.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { follow, followUntilCalm, grow, hashesOf, nodeDown, ROOT_CHAIN, ToyIndex, ToySource } from './helpers.js';

const LONG = grow(ROOT_CHAIN, 'a', 30);

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

test('an error of the node that may pass is waited out for a bounded time, and reported with the rest', async () => {
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
    message: expect.stringMatching(/^the node serves a block that cannot be indexed: [^$]+$/),
    facts: { height: 13, hash: toDisplayHash(LONG[13].hash), reason: 'BLOCK_BAD_MERKLE_ROOT', tries: 4 },
  });
  expect(index.tip()?.height).toBe(12);
  expect(run.follower.status).toMatchObject({ badBlocks: 4, retries: 3, lastError: 'CHAIN_BAD_BLOCK' });
});

test('bad blocks of different heights, or different ones of one height, are not one block that stays bad', () => {
  const refusals = new Refusals(2);
  const bad = new InputError('BLOCK_TRUNCATED', 'cut');
  refusals.add(1, 'aa', bad);
  refusals.add(2, 'aa', bad);
  refusals.add(2, 'bb', bad);
  refusals.add(2, '', bad);
  expect(() => refusals.add(2, '', bad)).toThrow('cannot be indexed: cut');
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
