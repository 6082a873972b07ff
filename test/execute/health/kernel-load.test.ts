// How much the kernel is given, and when small blocks at the tip run without it.
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../../src/bitcoin/types.js';
import {
  HELD_BLOCKS,
  HIGH_WATER_MS,
  KernelLoad,
  LEAST_BATCH,
  MOST_BATCH,
  SMALL_BLOCK,
} from '../../../src/execute/health/kernel-load.js';
import { WorkWatch } from '../../../src/execute/tasks/work-watch.js';
import { comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from '../engines.js';
import { FakeGpu } from '../fake-gpu.js';

function use(load: KernelLoad, ms: number, times = 1): void {
  for (let n = 0; n < times; n++) {
    load.begins(10);
    load.ends(10, ms);
  }
}

describe('the batch limit', () => {
  it('shrinks by a fifth past the high-water mark and grows by a fifth below half of it, within bounds', () => {
    const load = new KernelLoad();
    expect(load.batchLimit).toBe(MOST_BATCH);
    use(load, HIGH_WATER_MS + 1);
    expect(load.batchLimit).toBe(Math.floor(MOST_BATCH * 0.8));
    use(load, HIGH_WATER_MS);
    expect(load.batchLimit).toBe(Math.floor(MOST_BATCH * 0.8));
    use(load, HIGH_WATER_MS + 1, 100);
    expect(load.batchLimit).toBe(LEAST_BATCH);
    use(load, HIGH_WATER_MS / 2 - 1);
    expect(load.batchLimit).toBe(Math.ceil(LEAST_BATCH * 1.2));
    use(load, 1, 100);
    expect(load.batchLimit).toBe(MOST_BATCH);
  });

  it('has the latency bound for its mark where that is lower', () => {
    const load = new KernelLoad({ latencyBound: 20 });
    use(load, 21);
    expect(load.batchLimit).toBeLessThan(MOST_BATCH);
  });

  it('holds for balance and auto; what is beyond it runs on threads', async () => {
    const world = new World();
    const id = world.deploy();
    const hot = Array.from({ length: 301 }, () => message(call(id, 4, 0)));
    // Every use is too slow.
    const options = { workers: 2, latencyBound: 0, balance: { fewest: 64, share: () => 0, learn() {} } };
    const [limited, unlimited] = (['balance', 'gpu'] as const).map((policy) =>
      makeEngine({ policy, gpu: new FakeGpu(), ...options }),
    );
    const block = makeBlock(hot);
    let last = await limited.processBlock(block, world.height, sourceOf(world));
    expect(last.statistics.executors).toMatchObject({ gpu: 300, cpu: 0 });
    while (limited.health.kernel.batchLimit > LEAST_BATCH) {
      last = await limited.processBlock(block, world.height, sourceOf(world));
    }
    last = await limited.processBlock(block, world.height, sourceOf(world));
    expect(last.statistics.executors).toMatchObject({ gpu: LEAST_BATCH, cpu: 300 - LEAST_BATCH });
    const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
    expect(last.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
    expect(sortedWrites(last)).toEqual(sortedWrites(truth));
    // Whoever wants the kernel for all of it gets that.
    const all = await unlimited.processBlock(block, world.height, sourceOf(world));
    expect(all.statistics.executors.gpu).toBe(301);
  });
});

describe('the latency bound', () => {
  it('is held against all but the slowest hundredth of the last uses', () => {
    const load = new KernelLoad({ latencyBound: 50 });
    expect(load.holdsBack(1, true)).toBe(false);
    use(load, 10, 99);
    use(load, 500);
    expect(load.figures.p99Ms).toBe(10);
    expect(load.holdsBack(1, true)).toBe(false);
    use(load, 500);
    expect(load.holdsBack(1, true)).toBe(true);
    expect(load.holdsBack(SMALL_BLOCK, true)).toBe(false);
    expect(load.holdsBack(1, false)).toBe(false);
    expect(load.figures).toMatchObject({ p99Ms: 500, heldBack: 1 });
    // Old uses are forgotten.
    use(load, 10, 100);
    expect(load.holdsBack(1, true)).toBe(false);
  });

  it('is tried again after some blocks', () => {
    const load = new KernelLoad({ latencyBound: 50 });
    use(load, 500);
    const held = Array.from({ length: HELD_BLOCKS + 1 }, () => load.holdsBack(1, true));
    expect(held).toEqual([...Array(HELD_BLOCKS).fill(true), false]);
  });

  it('keeps small blocks at the tip from the kernel, and no others', async () => {
    const world = new World();
    const id = world.deploy();
    const watch = new WorkWatch();
    const gpu = new FakeGpu();
    const given: number[] = [];
    gpu.beforeBatch = () => void given.push(watch.inKernel);
    const engine = makeEngine({ policy: 'gpu', gpu, watch, latencyBound: 0 });
    const calls = (count: number): Transaction[] => Array.from({ length: count }, (_, i) => message(call(id, 4, i)));
    const run = async (count: number, isTip: boolean): Promise<number> => {
      const block = makeBlock(calls(count));
      const { statistics } = await engine.processBlock(block, world.height, { ...sourceOf(world), isTip });
      return statistics.executors.gpu;
    };
    expect(await run(20, true)).toBe(20);
    expect(await run(20, true)).toBe(0);
    expect(await run(20, false)).toBe(20);
    expect(await run(SMALL_BLOCK, true)).toBe(SMALL_BLOCK);
    expect(engine.health.kernel).toMatchObject({ heldBack: 1, p99Ms: expect.any(Number) });
    expect(given).toEqual([20, 20, SMALL_BLOCK]);
    expect(watch.inKernel).toBe(0);
  });
});
