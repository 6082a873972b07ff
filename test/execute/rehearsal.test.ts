// Worker threads run rows of a block for nothing but to be faster afterwards: whatever happens to them meanwhile, the
// blocks that count end as they do one transaction at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import type { BlockView } from '../../src/execute/choose/block-view.js';
import { PoolWarmth } from '../../src/execute/choose/pool-warmth.js';
import type { LaneEngine } from '../../src/execute/engine.js';
import { BlockBudget } from '../../src/execute/tasks/block-weight.js';
import { Rehearsal } from '../../src/execute/threads/rehearsal.js';
import { WorkerPool } from '../../src/execute/threads/worker-pool.js';
import { beginning } from '../../src/execute/threads/worker-protocol.js';
import { sharedColumns } from '../../src/lane/columns/lane-columns.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { shipped } from '../../src/util/shipped.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';

const LONG = { rows: 1_000_000_000, ms: 1_000_000 };
const SHORT = { rows: 50, ms: 1_000_000 };

/** Forty calls, some of them on the same counter. */
function blockIn(world: World): BlockOffsets {
  const id = world.deploy();
  const { raw } = makeBlock(Array.from({ length: 40 }, (_, i) => message(call(id, 4, i % 30))));
  return BlockOffsets.read(raw);
}

function poolOf(size: number): WorkerPool {
  const pool = new WorkerPool(size);
  onTestFinished(() => pool.close());
  return pool;
}

function begun(world: World, block: BlockOffsets, snapshot: ReadonlyMap<LaneKey, Uint8Array>) {
  const context = { height: world.height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
  const columns = scanColumns(block, { get: (key: LaneKey) => snapshot.get(key) });
  return beginning(context, { snapshot }, sharedColumns(columns));
}

async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 3_000 && !isSo(); n++) await sleep(20);
  expect(isSo()).toBe(true);
}

const whatCounts = (result: LaneBlockResult) => [result.receipts.map(comparable), sortedWrites(result)];
const process = (engine: LaneEngine, world: World, block: BlockOffsets): Promise<LaneBlockResult> =>
  engine.processBlock(block, world.height, sourceOf(world));

describe('threads rehearse', () => {
  it('under auto before they run a block, beside blocks that end as they always do', async () => {
    const world = new World();
    const block = blockIn(world);
    const truth = whatCounts(await process(makeEngine({ policy: 'sequential' }), world, block));
    const engine = makeEngine({ policy: 'auto', workers: 2, modes: { ...ALWAYS_PARALLEL } });
    let [alone, result] = [0, await process(engine, world, block)];
    for (; alone < 3_000 && result.statistics.executors.sequential > 0; alone++) {
      expect(whatCounts(result)).toEqual(truth);
      await sleep(20);
      result = await process(engine, world, block);
    }
    expect(alone).toBeGreaterThan(1);
    expect(result.statistics.executors).toMatchObject({ sequential: 0, gpu: 0 });
    expect(whatCounts(result)).toEqual(truth);
  });

  it('all of them, as many at a time as they may, until they have done enough', async () => {
    const world = new World();
    const pool = poolOf(2);
    const progress = pool.rehearse(begun(world, blockIn(world), world.state), SHORT);
    await until(() => pool.isReady);
    await sleep(50);
    expect(progress.ended).toBe(0);
    pool.makeRoom(false);
    await until(() => progress.ended === 2);
    expect(progress.isStopped).toBe(false);
    expect(progress.slowestUs).toBeGreaterThan(1);
    expect(progress.slowestUs).toBeLessThan(1_000_000);
  });

  it('until a block needs them, which they then run as they should', async () => {
    const world = new World();
    const block = blockIn(world);
    const pool = poolOf(2);
    const progress = pool.rehearse(begun(world, block, world.state), LONG);
    pool.makeRoom(false);
    await until(() => pool.isReady);
    await sleep(50);
    pool.begin(begun(world, block, world.state));
    expect(progress.isStopped).toBe(true);
    const found: number[] = [];
    const all = Uint32Array.from({ length: 40 }, (_, i) => i);
    const parts = { rows: all, ends: [30, 40] };
    await pool.runRows(parts, new BlockBudget(), { overrides: undefined }, ({ rows }) => found.push(...rows));
    expect(found.sort((a, b) => a - b)).toEqual([...all]);
    expect(progress.ended).toBe(0);
  });

  it('on a state that makes no sense, too: they end, and go on with what counts', async () => {
    const world = new World();
    const block = blockIn(world);
    const broken = new Map(world.state);
    for (const key of broken.keys()) if (key.startsWith('code/')) broken.set(key, Uint8Array.of(1));
    const pool = poolOf(2);
    const progress = pool.rehearse(begun(world, block, broken), SHORT);
    pool.makeRoom(false);
    await until(() => progress.ended === 2);
    expect(pool.failedRehearsals).toBe(2);
    const again = pool.rehearse(begun(world, block, world.state), SHORT);
    pool.makeRoom(false);
    await until(() => again.ended === 2);
    expect(pool.failedRehearsals).toBe(2);
  });

  it('and a pool that has died is at the end of it, so that the next block says why', async () => {
    const world = new World();
    const block = begun(world, blockIn(world), world.state);
    const pool = poolOf(1);
    const progress = pool.rehearse({ ...block, columns: { ...block.columns, block: undefined as never } }, SHORT);
    await until(() => progress.ended === 1);
    const parts = { rows: Uint32Array.of(0), ends: [1] };
    const run = pool.runRows(parts, new BlockBudget(), { overrides: undefined }, () => undefined);
    await expect(run).rejects.toThrow();
  });
});

describe('a thread in a rehearsal', () => {
  it('takes part until it has no more to do, fails, or is stopped', () => {
    const rehearsal = Rehearsal.of(1);
    rehearsal.allow(1);
    let steps = 0;
    rehearsal.takePart(() => ++steps < 3);
    expect([steps, rehearsal.ended]).toEqual([3, 1]);
    rehearsal.takePart(() => {
      throw new Error('a read of a state that has changed');
    });
    expect([rehearsal.ended, rehearsal.failed]).toEqual([2, 1]);
    rehearsal.takePart(() => {
      if (++steps === 5) rehearsal.stop();
      return true;
    });
    expect([steps, rehearsal.ended, rehearsal.isStopped]).toEqual([5, 2, true]);
    rehearsal.takePart(() => expect.unreachable());
  });

  it('gives up its place when there is no room for it, and waits until there is', async () => {
    const rehearsal = Rehearsal.of(1);
    rehearsal.allow(1);
    const url = JSON.stringify(shipped('execute/threads/rehearsal.js').href);
    const later = `
      const { workerData } = require('node:worker_threads');
      import(${url}).then(({ Rehearsal }) => setTimeout(() => new Rehearsal(workerData).allow(1), 100));`;
    const other = new Worker(later, { eval: true, workerData: rehearsal.buffer });
    const began = performance.now();
    const waited: number[] = [];
    rehearsal.takePart(() => {
      waited.push(performance.now() - began);
      if (waited.length === 1) rehearsal.allow(0);
      return waited.length < 2;
    });
    expect(waited[1]).toBeGreaterThan(90);
    expect(rehearsal.ended).toBe(1);
    await other.terminate();
  });
});

describe('what the threads have run', () => {
  const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];
  const blockOf = (parts: Readonly<Record<string, number>>): BlockView => ({
    count: Object.values(parts).reduce((sum, rows) => sum + rows, 0),
    parts: new Map(Object.entries(parts)),
  });

  it('is known by program, for what makes up most of a block; the first time takes longest', () => {
    let now = 0;
    const warmth = new PoolWarmth(2, () => now);
    const [a, b] = [blockOf({ [A]: 95, [B]: 5 }), blockOf({ [A]: 50, [B]: 50 })];
    const first = warmth.wanted(a);
    expect([warmth.isWarmFor(a), warmth.isBusy]).toEqual([false, false]);
    const many = blockOf(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${n}`.repeat(64), 5])));
    expect(warmth.isWarmFor(many)).toBe(false);
    const progress = { ended: 0, isStopped: false, slowestUs: undefined };
    warmth.began(a, progress);
    expect([warmth.isWarmFor(a), warmth.isBusy, warmth.wanted(a), warmth.wanted(b)]).toEqual([
      false,
      true,
      undefined,
      undefined,
    ]);
    progress.ended = 1;
    expect(warmth.isWarmFor(a)).toBe(false);
    progress.ended = 2;
    expect([warmth.isWarmFor(a), warmth.isWarmFor(b), warmth.isBusy]).toEqual([true, false, false]);
    expect(warmth.isWarmFor(many)).toBe(true);
    // Not at once again.
    expect(warmth.wanted(b)).toBeUndefined();
    now += 1_000;
    const second = warmth.wanted(b);
    expect(second?.rows).toBeLessThan(first?.rows ?? 0);
  });

  it('is known, too, after blocks that count have ended a rehearsal, if these were enough', () => {
    const warmth = new PoolWarmth(2, () => 0);
    const [a, b] = [blockOf({ [A]: 1_000 }), blockOf({ [B]: 1_000 })];
    const progress = { ended: 0, isStopped: false, slowestUs: 300 };
    expect(warmth.slowestUs(a)).toBeUndefined();
    warmth.began(a, progress);
    expect([warmth.slowestUs(a), warmth.slowestUs(b)]).toEqual([300, undefined]);
    for (let n = 0; n < 4; n++) {
      expect([warmth.isWarmFor(a), warmth.slowestUs(a)]).toEqual([false, 300]);
      warmth.ranAnyway(a, 300);
    }
    expect([warmth.isWarmFor(a), warmth.isWarmFor(b), warmth.slowestUs(a)]).toEqual([true, false, undefined]);
  });

  it('is not known of a rehearsal that was stopped: it begins anew, after a rest', () => {
    let now = 0;
    const warmth = new PoolWarmth(1, () => now);
    const block = blockOf({ [A]: 10 });
    const first = warmth.wanted(block);
    warmth.began(block, { ended: 0, isStopped: true, slowestUs: undefined });
    expect([warmth.isWarmFor(block), warmth.isBusy, warmth.wanted(block)]).toEqual([false, false, undefined]);
    now += 1_000;
    expect(warmth.wanted(block)).toEqual(first);
    // Where other blocks always come in between, parts of it have to do.
    for (let n = 0; n < 2; n++) {
      expect(warmth.isWarmFor(block)).toBe(false);
      warmth.began(block, { ended: 0, isStopped: true, slowestUs: undefined });
    }
    expect(warmth.isWarmFor(block)).toBe(true);
  });
});
