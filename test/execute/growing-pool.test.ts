import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { WorkerPool } from '../../src/execute/threads/worker-pool.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';

const CORES = 5;

/** For all modules of this process: those loaded before see it as well. */
function pretendCores(cores: typeof os.availableParallelism): void {
  os.availableParallelism = cores;
  syncBuiltinESMExports();
}

const real = os.availableParallelism;
beforeEach(() => pretendCores(() => CORES));
afterEach(() => {
  vi.restoreAllMocks();
  pretendCores(real);
});

it('as many worker threads are started as the largest block so far has work for, and all of them run it', async () => {
  const sizes: number[] = [];
  const { begin } = WorkerPool.prototype;
  vi.spyOn(WorkerPool.prototype, 'begin').mockImplementation(function (this: WorkerPool, block) {
    sizes.push(this.size);
    begin.call(this, block);
  });
  const world = new World();
  const id = world.deploy();
  const [engine, sequential] = [
    makeEngine({ policy: 'cpu', workers: undefined }),
    makeEngine({ policy: 'sequential' }),
  ];
  for (const count of [10, 24, 9, 200, 30]) {
    const { raw } = makeBlock(Array.from({ length: count }, (_, i) => message(call(id, 4, i % 20))));
    const block = BlockOffsets.read(raw);
    const [result, truth] = [
      await engine.processBlock(block, world.height, sourceOf(world)),
      await sequential.processBlock(block, world.height, sourceOf(world)),
    ];
    expect(sortedWrites(result)).toEqual(sortedWrites(truth));
    expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  }
  expect(sizes).toEqual([1, 2, 2, CORES - 1, CORES - 1]);
});
