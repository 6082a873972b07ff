// Blocks whose outcomes take more memory than batches are given are run one transaction at a time.
import { describe, expect, it } from 'vitest';
import type { LaneEngineOptions } from '../../src/execute/engine.js';
import { BlockBudget, BlockTooLarge, KeptBudget } from '../../src/execute/tasks/block-weight.js';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { applyWrites, comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine as engine } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

/** Forty calls; every second one on the same counter, so that half of them run again in a later colour. */
function block(world: World) {
  const id = world.deploy();
  const txs = Array.from({ length: 40 }, (_, i) =>
    makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 4, i % 2 === 0 ? 0 : i) }] }),
  );
  return makeBlock(txs);
}

describe('a block too large for batches', () => {
  const cases: [string, Partial<LaneEngineOptions>][] = [
    ['here', { policy: 'cpu', workers: 0 }],
    ['on workers', { policy: 'cpu', workers: 2 }],
    ['in the kernel', { policy: 'gpu', gpu: new FakeGpu() }],
  ];
  it.each(cases)('ends as under sequential, is counted, and the next block runs in batches again: %s', async (_, o) => {
    const world = new World();
    const made = block(world);
    const state = () => ({ reader: { get: (key: LaneKey) => world.state.get(key) }, snapshot: new Map(world.state) });
    const truth = await engine({ policy: 'sequential' }).processBlock(made, world.height, state());
    const whole = (result: LaneBlockResult) => [result.receipts.map(comparable), [...result.writes].sort()];
    const budgets = [0, 3_000, 20_000, 40_000];
    let fell = 0;
    for (const mostBlockBytes of [...budgets, undefined]) {
      const own = engine({ ...o, mostBlockBytes });
      for (let again = 0; again < 2; again++) {
        const result = await own.processBlock(made, world.height, state());
        expect(whole(result)).toEqual(whole(truth));
        fell += result.statistics.tooLarge;
        if (mostBlockBytes === undefined) expect(result.statistics.tooLarge).toBe(0);
        if (mostBlockBytes === 0) expect(result.statistics.tooLarge).toBe(1);
        if (result.statistics.tooLarge === 1) expect(result.statistics.executors.sequential).toBe(40);
      }
    }
    // The budgets between end the block in its dry runs, in its batches and in its repairs.
    expect(fell).toBeGreaterThan(2);
    applyWrites(world.state, truth.writes);
  });

  it('a budget counts bytes, and throws where they are too many', () => {
    const budget = new BlockBudget(30);
    for (let i = 0; i < 3; i++) budget.takeBytes(10);
    expect(() => budget.takeBytes(1)).toThrow(BlockTooLarge);
  });

  it('a piece of a block may take no more than the pieces before it have left', () => {
    const budget = new BlockBudget(30);
    expect(budget.ofPiece(1)).toBe(30);
    budget.takeBytes(10);
    expect(budget.ofPiece(1)).toBe(20);
  });

  it('parts may leave twice as much as one of them may take, and are given up when they promise to leave more', () => {
    const kept = new KeptBudget(50);
    kept.keep(10, 10, 100);
    kept.keep(9, 20, 100);
    expect(() => kept.keep(12, 30, 100)).toThrow(BlockTooLarge);
    const last = new KeptBudget(50);
    last.keep(100, 100, 100);
    expect(() => last.keep(1, 100, 100)).toThrow(BlockTooLarge);
  });

  it('the reader before a block forgets when it holds too much, and still says what the state says', () => {
    let asked = 0;
    const get = (key: LaneKey): Uint8Array => {
      asked++;
      return Uint8Array.of(key.length);
    };
    const reader = new CachingReader({ get }, undefined, 2_100);
    for (let i = 0; i < 100; i++) {
      const key = 'k'.repeat(i);
      expect(reader.get(key)).toEqual(Uint8Array.of(i));
      expect(reader.get(key)).toEqual(Uint8Array.of(i));
      expect(reader.size).toBeLessThanOrEqual(10);
    }
    expect(asked).toBe(100);
    reader.learn(new Map(Array.from({ length: 50 }, (_, i) => [`l${i}`, undefined])));
    expect(reader.size).toBeLessThanOrEqual(10);
  });
});
