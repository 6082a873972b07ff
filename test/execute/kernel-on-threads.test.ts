// Worker threads go through rows whose calls the kernel has run: what they leave, and what they do not take.
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { GpuBlock, GpuBlockRun, SharedOutcomes } from '../../src/gpu/pack/types.js';
import { RESULT } from '../../src/gpu/translate/layout.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

/** A kernel whose outcomes are changed on their way to the threads. */
class TamperedGpu extends FakeGpu {
  constructor(private readonly tamper: (outcomes: SharedOutcomes) => void = () => {}) {
    super();
  }

  override async begin(block: GpuBlock): Promise<GpuBlockRun> {
    const run = await super.begin(block);
    return {
      run: async (number) => {
        const outcomes = await run.run(number);
        const shared = outcomes.shared?.();
        if (shared !== undefined) this.tamper(shared);
        return { ...outcomes, shared: () => shared };
      },
      set: (...value) => run.set(...value),
      close: () => run.close(),
    };
  }
}

async function run(world: World, txs: readonly Transaction[], gpu: FakeGpu, workers = 2): Promise<LaneBlockResult> {
  const block = makeBlock(txs);
  const result = await makeEngine({ policy: 'gpu', gpu, workers }).processBlock(block, world.height, sourceOf(world));
  const sequential = makeEngine({ policy: 'sequential' });
  const truth = await sequential.processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  return result;
}

const own = (id: string, count: number): Transaction[] =>
  Array.from({ length: count }, (_, i) => message(call(id, 4, i + 1)));

describe('rows of the kernel on worker threads', () => {
  it('become records there, in any order of colours, and only keys are compared at their turns', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = [...own(id, 40), ...own(id, 40), ...own(id, 12)];
    const { statistics, receipts, plan } = await run(world, txs, new TamperedGpu());
    expect(statistics.executors).toEqual({ reuse: 0, gpu: 92, cpu: 0, sequential: 0 });
    expect(plan.widths).toEqual([40, 40, 12]);
    expect(statistics.ms.finish).toBeGreaterThan(0);
    expect(Object.values(statistics.gpuRuns)).toEqual([92]);
    expect(receipts.every(({ executor }) => executor === 'gpu')).toBe(true);
    // Without threads the engine's own goes through them.
    const alone = await run(world, txs, new TamperedGpu(), 0);
    expect(alone.statistics.executors.gpu).toBe(92);
  });

  it('with predicted reads', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = Array.from({ length: 60 }, () => message(call(id, 4, 0)));
    const { statistics } = await run(world, txs, new TamperedGpu());
    expect(statistics).toMatchObject({ predicted: 59, mispredicted: 0, repaired: 0, batches: 1 });
    expect(statistics.executors.gpu).toBe(60);
  });

  it('are left to the CPU where the kernel gave them up', async () => {
    const world = new World();
    const gpu = new TamperedGpu();
    gpu.punts = (number) => number % 3 === 0;
    const { statistics } = await run(world, own(world.deploy(), 30), gpu);
    expect(statistics).toMatchObject({ punted: 10, repaired: 0 });
    expect(statistics.executors).toEqual({ reuse: 10, gpu: 20, cpu: 0, sequential: 0 });
  });

  it('are left to the CPU where the kernel saw another value than they read', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = own(id, 30);
    for (const tx of txs) world.run(tx);
    // The last byte of what each has read: a counter of 16 bytes.
    const gpu = new TamperedGpu(({ readback: { seen, output } }) => {
      const at = (seen[seen.findIndex((address) => address > 4)] & 0x7fffffff) >>> 0;
      output[at] ^= 1;
    });
    const { statistics } = await run(world, txs, gpu);
    expect(statistics.executors.gpu).toBe(29);
    expect(statistics.punted).toBe(0);
  });

  it('are left to the CPU where what it read cannot be read back, and the program loses its kernel', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = own(id, 20);
    for (const tx of txs) world.run(tx);
    const gpu = new TamperedGpu(({ readback: { seen } }) => {
      const at = seen.findIndex((address) => address > 4);
      seen[at] = (seen[at] | 0x7ffffff0) >>> 0;
    });
    const { statistics } = await run(world, txs, gpu);
    expect(statistics.executors.gpu).toBe(19);
    expect(gpu.kernelFailures).toMatchObject({ count: 1 });
  });

  it('are gone through one call for the other: a result of another row never counts as its own', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = own(id, 24);
    for (const tx of txs.slice(0, 12)) world.run(tx);
    const swap = new TamperedGpu(({ packed, readback: { results } }) => {
      const { packedOf } = packed;
      [packedOf[0], packedOf[23]] = [packedOf[23], packedOf[0]];
      expect(results.length).toBe(24 * RESULT.words);
    });
    // One of the two has read a counter that the other has not: neither sees what it must.
    const { statistics } = await run(world, txs, swap);
    expect(statistics.executors.gpu).toBe(22);
  });
});
