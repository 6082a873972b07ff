// Programs whose whole runs are left to the kernel: which ones, and that what they do stays what one at a time gives.
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { BlockMode, ModeChooser } from '../../src/execute/choose/block-mode.js';
import { parallelGuess } from '../../src/execute/choose/estimates.js';
import { KernelPrograms } from '../../src/execute/choose/kernel-programs.js';
import { KindCosts } from '../../src/execute/choose/kind-costs.js';
import { FIRST_BLOCKS_EACH } from '../../src/execute/choose/leaving.js';
import { KindSight } from '../../src/execute/choose/sequential-watch.js';
import type { LaneEngine } from '../../src/execute/engine.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

async function run(engine: LaneEngine, world: World, txs: readonly Transaction[]): Promise<LaneBlockResult> {
  const block = makeBlock(txs);
  const offsets = BlockOffsets.read(block.raw, block.raw.length);
  const result = await engine.processBlock(offsets, world.height, sourceOf(world));
  const sequential = makeEngine({ policy: 'sequential' });
  const truth = await sequential.processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  return result;
}

/** Calls that ask whether they run dry, and change counters `first`, `first` + 1, … */
const asking = (id: string, count: number, first = 0): Transaction[] =>
  Array.from({ length: count }, (_, i) => message(call(id, 18, first + i, 1_000 + i)));

it('under balance a program that asks whether its run is dry is run whole by threads and kernel together', async () => {
  const world = new World();
  const id = world.deploy();
  const engine = makeEngine({ policy: 'balance', gpu: new FakeGpu(), workers: 2 });
  const first = await run(engine, world, asking(id, 200));
  expect(first.statistics).toMatchObject({ splits: 0, executors: { gpu: 0 } });
  for (let block = 0; block < 2; block++) {
    const { statistics } = await run(engine, world, asking(id, 200));
    expect(statistics.splits).toBe(1);
    expect(statistics.executors).toMatchObject({ reuse: 0, sequential: 0 });
    expect(Math.min(statistics.executors.gpu, statistics.executors.cpu)).toBeGreaterThan(0);
    expect(statistics.repaired).toBe(0);
  }
  // Calls of one counter wait for each other: their dry runs tell more than that they could be divided.
  for (let block = 0; block < 2; block++)
    await run(
      engine,
      world,
      Array.from({ length: 200 }, () => message(call(id, 18, 0, 1_000))),
    );
  const hot = await run(engine, world, asking(id, 200));
  expect(hot.statistics.splits).toBe(0);
  await engine.close();
});

it('under balance it is run whole at once in some blocks, and what is faster is found out', async () => {
  const world = new World();
  const id = world.deploy();
  const engine = makeEngine({ policy: 'balance', gpu: new FakeGpu(), workers: 2 });
  const splits: number[] = [];
  for (let block = 0; block < 1 + 2 * FIRST_BLOCKS_EACH; block++) {
    splits.push((await run(engine, world, asking(id, 200))).statistics.splits);
  }
  const [waiting, atOnce] = [splits.slice(1, 1 + FIRST_BLOCKS_EACH), splits.slice(1 + FIRST_BLOCKS_EACH)];
  expect(waiting).toEqual(waiting.map(() => 1));
  expect(atOnce).toEqual(atOnce.map(() => 0));
  await engine.close();
});

describe.each([0, 2])('a program that asks whether its run is dry, with %i workers', (workers) => {
  it('is run whole before the kernel in the first block only', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    const engine = makeEngine({ policy: 'gpu', gpu, workers });
    for (let block = 0; block < 3; block++) {
      const { statistics, receipts } = await run(engine, world, asking(id, 20));
      expect(statistics.executors).toEqual({ reuse: 0, gpu: 20, cpu: 0, sequential: 0 });
      expect(statistics.repaired).toBe(0);
      expect(receipts.every(({ executor }) => executor === 'gpu')).toBe(true);
    }
    // What the kernel gives up then has no whole run that could stand, and gets one.
    gpu.punts = () => true;
    const punted = await run(engine, world, asking(id, 20));
    expect(punted.statistics).toMatchObject({ punted: 20, repaired: 0 });
    expect(punted.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 20, sequential: 0 });
    // So it is run whole again: what is punted now stands as it is.
    const again = await run(engine, world, asking(id, 20));
    expect(again.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 20, sequential: 0 });
    expect(again.statistics.batches).toBeLessThan(punted.statistics.batches);
  });

  it('is right where its calls meet others, are demoted, or the device fails', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    const engine = makeEngine({ policy: 'gpu', gpu, workers });
    await run(engine, world, asking(id, 20));
    // Each counter twice, plain calls of the same counters between them.
    const plain = Array.from({ length: 20 }, (_, i) => message(call(id, 4, i)));
    await run(engine, world, [...asking(id, 20), ...plain, ...asking(id, 20)]);
    await run(engine, world, asking(id, 20));
    await run(engine, world, asking(id, 20));
    gpu.beforeBatch = () => {
      throw new Error('the device is gone');
    };
    const failed = await run(engine, world, asking(id, 20));
    expect(failed.statistics).toMatchObject({ gpuFailures: 1, repaired: 0 });
    expect(failed.statistics.executors.cpu).toBe(20);
  });
});

it('random blocks of one engine come out the same, whatever is left to the kernel and given up by it', async () => {
  const asked = fc.record({ asks: fc.boolean(), counter: fc.nat(30), value: fc.nat(3) });
  const blocks = fc.array(fc.record({ calls: fc.array(asked, { minLength: 8, maxLength: 24 }), punts: fc.nat(4) }), {
    minLength: 3,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(blocks, async (list) => {
      const world = new World();
      const id = world.deploy();
      const gpu = new FakeGpu();
      const engine = makeEngine({ policy: 'gpu', gpu });
      for (const { calls, punts } of list) {
        gpu.punts = (call) => punts > 0 && call % (5 * punts) === 0;
        const txs = calls.map(({ asks, counter, value }) =>
          message(asks ? call(id, 18, counter, value) : call(id, 4, counter)),
        );
        await run(engine, world, txs);
        for (const tx of txs) world.run(tx);
      }
    }),
    { numRuns: 15 },
  );
});

/** Has the first block run one transaction after the other, and all others with the kernel once threads are ready. */
class KernelFromSecond implements ModeChooser {
  readonly wantsWorkers = true;
  #blocks = 0;
  choose(): BlockMode {
    return this.#blocks++ === 0 ? 'sequential' : 'kernel';
  }
  paysAt(): boolean {
    return true;
  }
  watches(): boolean {
    return true;
  }
  took(): void {}
}

function autoEngine(gpu: FakeGpu): LaneEngine {
  return makeEngine({ policy: 'auto', gpu, workers: 1, modes: new KernelFromSecond() });
}

/** What `txs` give in the first block that does not run one transaction after the other: its threads rehearse first. */
async function inParallel(engine: LaneEngine, world: World, txs: readonly Transaction[]): Promise<LaneBlockResult> {
  for (;;) {
    const result = await run(engine, world, txs);
    if (result.statistics.executors.sequential === 0) return result;
    await setTimeout(20);
  }
}

describe('under auto', () => {
  it('the first block that runs with the kernel leaves it what one that ran one by one has told', async () => {
    const world = new World();
    const id = world.deploy();
    const engine = autoEngine(new FakeGpu());
    expect((await run(engine, world, asking(id, 20))).statistics.executors.sequential).toBe(20);
    for (let block = 0; block < 2; block++) {
      const { statistics } = await inParallel(engine, world, asking(id, 20));
      expect(statistics.executors).toEqual({ reuse: 0, gpu: 20, cpu: 0, sequential: 0 });
    }
  });

  it.each([
    ['calls that share keys', true, (id: string) => [...asking(id, 10), ...asking(id, 10)]],
    ['calls that do not ask', true, (id: string) => asking(id, 20).map((_, i) => message(call(id, 4, i)))],
    ['programs whose kernel is not compiled yet', false, (id: string) => asking(id, 20)],
  ])('threads run whole %s', async (_, compiled, txs) => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.compiled = compiled;
    const engine = autoEngine(gpu);
    // Those that must run again because they share keys may go there.
    expect((await inParallel(engine, world, txs(id))).statistics.executors.gpu).toBeLessThanOrEqual(10);
    gpu.compiled = true;
    // Calls that ask and stand by themselves: nothing keeps the kernel from them but what the first blocks have told.
    const { statistics } = await run(engine, world, asking(id, 20));
    expect(statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 20, sequential: 0 });
  });

  it('what the kernel gave up is run whole from then on', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    const engine = autoEngine(gpu);
    await run(engine, world, asking(id, 20));
    await inParallel(engine, world, asking(id, 20));
    gpu.punts = () => true;
    expect((await run(engine, world, asking(id, 20))).statistics).toMatchObject({ punted: 20, repaired: 0 });
    const again = await run(engine, world, asking(id, 20));
    expect(again.statistics).toMatchObject({ punted: 0 });
    expect(again.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 20, sequential: 0 });
  });

  it('a program that was seen to be such again waits after it failed, twice as long each time', () => {
    const programs = new KernelPrograms();
    programs.expect('a');
    programs.learn('a', { calls: 20, free: 20, taken: 0 });
    expect(programs.isLeft('a')).toBe(false);
    for (const isLeft of [false, false, true]) {
      programs.expect('a');
      expect(programs.isLeft('a')).toBe(isLeft);
    }
  });

  it('a block is expected to be faster for it', () => {
    const costs = new KindCosts();
    const sight = Object.assign(new KindSight(), { rows: 100, timed: 100, timedMs: 30, asked: 100 });
    costs.sawSequential(sight, 300, false);
    const machine = { threads: 15, predictReads: true, kernelCall: () => 1 };
    const guess = (isLeft: boolean) => parallelGuess('kernel', 'a', costs, { ...machine, isLeft: () => isLeft });
    expect(guess(true)).toBeLessThan(0.6 * parallelGuess('workers', 'a', costs, machine));
    expect(guess(false)).toBeGreaterThan(parallelGuess('workers', 'a', costs, machine));
  });
});

describe('what is left to the kernel', () => {
  const all = { calls: 80, free: 80, taken: 80 };
  const left = (programs: KernelPrograms): string[] => [...programs.leftToKernel];

  it('are programs of which it ran nearly all calls, and these stood by themselves', () => {
    const programs = new KernelPrograms();
    programs.learn('a', all);
    programs.learn('b', { ...all, taken: 70 });
    programs.learn('c', { ...all, taken: 69 });
    programs.learn('d', { ...all, free: 69 });
    expect(left(programs)).toEqual(['a', 'b']);
  });

  it('are no longer those that it failed, for twice as many blocks each time', () => {
    const programs = new KernelPrograms();
    const blocksUntilLeft = (): number => {
      let blocks = 0;
      for (; !programs.leftToKernel.has('a'); blocks++) programs.learn('a', all);
      return blocks;
    };
    expect(blocksUntilLeft()).toBe(1);
    for (const blocks of [3, 5, 9]) {
      programs.learn('a', { ...all, taken: 0 });
      programs.learn('a', { ...all, taken: 0 });
      expect(blocksUntilLeft()).toBe(blocks);
    }
  });

  it('are so many at most, the last that were called', () => {
    const programs = new KernelPrograms();
    for (let n = 0; n < 300; n++) programs.learn(`${n}`, all);
    programs.learn('44', all);
    programs.learn('300', all);
    expect(programs.leftToKernel.size).toBe(256);
    expect(programs.leftToKernel.has('44')).toBe(true);
    expect(programs.leftToKernel.has('45')).toBe(false);
  });
});
