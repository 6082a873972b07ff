// What a block tells of its batches, of the time of its transactions, of the device, and of single transactions.
import { expect, it } from 'vitest';
import { EnvironmentError } from '../../src/errors/errors.js';
import type { LaneEngine, LaneEngineOptions } from '../../src/execute/engine.js';
import { TimeSampler } from '../../src/execute/tasks/time-sampler.js';
import { WorkWatch } from '../../src/execute/tasks/work-watch.js';
import {
  addDistributions,
  addValue,
  COUNTS,
  type Distribution,
  type Distributions,
} from '../../src/lane/distribution.js';
import { addNotes, noNotes, note } from '../../src/lane/notes.js';
import type { LaneStatistics } from '../../src/lane/statistics.js';
import { call, makeBlock, type makeTx, World } from '../lane/world.js';
import { makeEngine, message, sourceOf, turnPointer } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const counted = (of: Distribution | undefined) => of?.counts.reduce((sum, count) => sum + count, 0) ?? 0;

async function statisticsOf(
  world: World,
  transactions: ReturnType<typeof makeTx>[],
  options: Partial<LaneEngineOptions>,
): Promise<LaneStatistics> {
  const engine = makeEngine({ keepsNotes: true, ...options });
  return (await engine.processBlock(makeBlock(transactions), world.height, sourceOf(world))).statistics;
}

it('values fall into the range that ends with their bound, and sums of blocks are sums of their ranges', () => {
  const all: Distributions = {};
  addValue(all, 'a', [1, 10], 1);
  addValue(all, 'a', [1, 10], 1.5, 3);
  addValue(all, 'a', [1, 10], 11);
  expect(all).toEqual({ a: { counts: [1, 3, 1], sum: 16.5 } });
  const sum: Distributions = {};
  addDistributions(sum, all);
  addDistributions(sum, { ...all, b: { counts: [1, 0, 0], sum: 0.5 } });
  expect(sum).toEqual({ a: { counts: [2, 6, 2], sum: 33 }, b: { counts: [1, 0, 0], sum: 0.5 } });
  expect(all.a.counts).toEqual([1, 3, 1]);
});

it('one in 16 is timed, the first one too, and none of which nobody wants to know', () => {
  const times: number[] = [];
  const sampler = new TimeSampler((ms) => times.push(ms));
  for (let i = 0; i < 33; i++) {
    sampler.begin();
    sampler.end(i !== 16);
  }
  expect(times).toHaveLength(2);
});

it('batches and times are told by what ran them', async () => {
  const world = new World();
  const id = world.deploy();
  const transactions = Array.from({ length: 40 }, () => message(call(id, 4, 0)));
  const alone = await statisticsOf(world, transactions, { policy: 'sequential' });
  expect(counted(alone.seconds.sequential)).toBe(3);
  expect(alone.widths).toEqual({});

  const workers = await statisticsOf(world, transactions, { workers: 2 });
  expect(workers.widths.workers).toMatchObject({ sum: 39 });
  expect(counted(workers.seconds.workers)).toBeGreaterThanOrEqual(Math.ceil(79 / 16));
  expect(workers.seconds.workers.sum).toBeGreaterThan(0);

  const gpu = new FakeGpu();
  gpu.beforeBatch = () => {
    gpu.timings.deviceMs += 5;
    gpu.timings.bytesUp += 1_000;
    gpu.timings.bytesDown += 70;
  };
  const kernel = await statisticsOf(world, transactions, { policy: 'gpu', gpu });
  expect(kernel.widths.kernel).toMatchObject({ sum: 40 });
  expect(counted(kernel.seconds.kernel)).toBe(40);
  expect(kernel).toMatchObject({ gpuMs: 5, gpuBytesUp: 1_000, gpuBytesDown: 70 });
  // All but the first one see a value that is predicted.
  expect(kernel).toMatchObject({ predictedReads: 39, mispredictedReads: 0 });
});

it('how many transactions wait for the workers is seen from other threads while a batch runs', async () => {
  const queued: number[] = [];
  class Heard extends WorkWatch {
    override queue(count: number): void {
      super.queue(count);
      queued.push(new WorkWatch(this.buffer).queued);
    }
  }
  const world = new World();
  const id = world.deploy();
  const watch = new Heard();
  watch.beginBlock(world.height);
  await statisticsOf(
    world,
    Array.from({ length: 40 }, (_, i) => message(call(id, 4, i))),
    { workers: 2, watch },
  );
  expect([queued[0], queued.at(-1)]).toEqual([40, 0]);
  expect(queued).toEqual([...queued].sort((a, b) => b - a));
  watch.queue(5);
  watch.endBlock();
  expect(watch.queued).toBe(0);
});

it('a transaction that is demoted, repaired, given up or rejected is told by its txid', async () => {
  const world = new World();
  const id = world.deploy();
  const { parent, turns } = turnPointer(id, 3);
  const follow = message(call(id, 6, 0));
  const malformed = message(call('5:900', 0));
  const transactions = [parent, turns, follow, malformed];
  const told = async (options: Partial<LaneEngineOptions>) =>
    ((await statisticsOf(world, transactions, options)).notes?.list ?? []).map(({ index, txid, what }) => {
      const at = transactions.findIndex((tx) => Buffer.from(tx.txid).reverse().toString('hex') === txid);
      expect(index).toBe(at);
      return `${what} ${at}`;
    });
  expect(await told({ policy: 'sequential' })).toEqual(['demoted 1', 'rejected 3']);
  expect(await told({ policy: 'cpu' })).toEqual(['demoted 1', 'repaired 2', 'rejected 3']);
  const gpu = new FakeGpu();
  gpu.punts = () => true;
  expect(await told({ policy: 'gpu', gpu })).toEqual(expect.arrayContaining(['given-up 2', 'demoted 1', 'rejected 3']));
  expect((await statisticsOf(world, transactions, { keepsNotes: false })).notes).toBeUndefined();
});

it('a receipt says why its transaction ran where it did', async () => {
  const world = new World();
  const id = world.deploy();
  const { parent, turns } = turnPointer(id, 3);
  const follow = message(call(id, 6, 0));
  const reasonsOf = async (
    transactions: ReturnType<typeof makeTx>[],
    options: Partial<LaneEngineOptions>,
    before = (_engine: LaneEngine): unknown => undefined,
  ) => {
    const engine = makeEngine(options);
    await before(engine);
    const state = { ...sourceOf(world), isTip: true };
    const { receipts } = await engine.processBlock(makeBlock(transactions), world.height, state);
    return receipts.map(({ reason }) => reason);
  };
  const two = [parent, turns, follow];
  expect(await reasonsOf(two, { policy: 'sequential' })).toEqual(['one-by-one', 'one-by-one', 'one-by-one']);
  expect(await reasonsOf(two, { policy: 'cpu' })).toEqual(['reused', 'demoted', 'repaired']);
  expect(await reasonsOf(two, { policy: 'cpu', dryRun: 'clean-only' })).toContain('demoted');
  expect(await reasonsOf(two, { policy: 'cpu', mostBlockBytes: 1 })).toEqual(['again', 'again', 'again']);

  // All of them change one counter; without predictions they follow each other, and with them one batch is all.
  const chain = Array.from({ length: 40 }, () => message(call(id, 4, 0)));
  const rest = async (options: Partial<LaneEngineOptions>, before?: (engine: LaneEngine) => unknown) =>
    new Set((await reasonsOf(chain, options, before)).slice(1));
  expect(await rest({ policy: 'cpu', predictReads: false })).toEqual(new Set(['narrow']));
  expect(await rest({ policy: 'cpu', workers: 2 })).toEqual(new Set(['batch']));
  const kernel = (change: (gpu: FakeGpu) => void = () => {}): Partial<LaneEngineOptions> => {
    const gpu = new FakeGpu();
    change(gpu);
    return { policy: 'gpu', gpu, workers: 2 };
  };
  expect(await rest(kernel())).toEqual(new Set(['kernel']));
  expect(await rest(kernel((gpu) => Object.assign(gpu, { punts: () => true })))).toEqual(new Set(['given-up']));
  expect(await rest(kernel((gpu) => Object.assign(gpu, { compiled: false })))).toEqual(new Set(['no-kernel']));
  const failing = kernel((gpu) => {
    gpu.beforeBatch = () => {
      throw new EnvironmentError('GPU_DEVICE_LOST', 'lost');
    };
  });
  expect(await rest(failing)).toEqual(new Set(['kernel-failed']));
  const one = async (engine: LaneEngine) => {
    await engine.processBlock(makeBlock(chain), world.height, sourceOf(world));
  };
  expect(await rest(failing, one)).toEqual(new Set(['paused']));
  const slow = { ...kernel(), latencyBound: 0 };
  const often = async (engine: LaneEngine) => {
    for (let i = 0; i < 100; i++) await one(engine);
  };
  expect(await rest(slow, often)).toEqual(new Set(['held-back']));
});

it('notes of a block are bounded, also where parts are put together', () => {
  const one = noNotes();
  for (let i = 0; i < 100; i++) note(one, 'repaired', i, () => String(i));
  expect([one.list.length, one.leftOut]).toEqual([64, 36]);
  const all = noNotes();
  note(all, 'demoted', 7, () => 'first');
  addNotes(all, one);
  expect([all.list.length, all.leftOut, all.list[0].txid, all.list[63].txid]).toEqual([64, 37, 'first', '62']);
});

it('the histogram of widths has a range for each count of a full block', () => {
  const widths: Distributions = {};
  addValue(widths, 'workers', COUNTS, 10_000);
  addValue(widths, 'workers', COUNTS, 10_001);
  expect(widths.workers.counts.slice(-2)).toEqual([1, 1]);
});
