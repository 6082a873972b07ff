// Programs whose whole runs are left to the kernel: which ones, and that what they do stays what one at a time gives.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { LaneEngine } from '../../src/execute/engine.js';
import { KernelPrograms } from '../../src/execute/rows/kernel-programs.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

async function run(engine: LaneEngine, world: World, txs: readonly Transaction[]): Promise<LaneBlockResult> {
  const block = makeBlock(txs);
  const result = await engine.processBlock(block, world.height, sourceOf(world));
  const sequential = makeEngine({ policy: 'sequential' });
  const truth = await sequential.processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  return result;
}

/** Calls that ask whether they run dry, and change counters `first`, `first` + 1, … */
const asking = (id: string, count: number, first = 0): Transaction[] =>
  Array.from({ length: count }, (_, i) => message(call(id, 18, first + i, 1_000 + i)));

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
