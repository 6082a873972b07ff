// Large blocks are hashed and scanned by the worker threads, in parts.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { LaneEngine } from '../../src/execute/engine.js';
import { WorkerPool } from '../../src/execute/threads/worker-pool.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';

async function run(engine: LaneEngine, world: World, txs: readonly Transaction[]): Promise<LaneBlockResult> {
  const block = makeBlock(txs);
  const result = await engine.processBlock(BlockOffsets.read(block.raw), world.height, sourceOf(world));
  const sequential = makeEngine({ policy: 'sequential' });
  const truth = await sequential.processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  return result;
}

/** Calls of the common kind and of none, payments that spend their outputs, and payments that do not matter. */
function mixed(id: string, count: number): Transaction[] {
  const txs: Transaction[] = [];
  while (txs.length < count) {
    const first = message(call(id, 4, txs.length % 50));
    txs.push(
      first,
      message(call(id, 4, 1), call(id, 4, 2)),
      makeTx({ spend: [{ txid: first.txid, vout: 0 }] }),
      makeTx({}),
    );
  }
  return txs;
}

describe('a block of a thousand transactions', () => {
  it.each([4, 5])('is scanned by %i workers once they are there, and comes out the same', async (workers) => {
    const scan = vi.spyOn(WorkerPool.prototype, 'scan');
    onTestFinished(() => scan.mockRestore());
    const world = new World();
    const id = world.deploy();
    const engine = makeEngine({ policy: 'cpu', workers });
    const small = await run(engine, world, mixed(id, 100));
    expect(small.statistics.lane.txs).toBeGreaterThanOrEqual(75);
    for (const round of [1, 2]) {
      const { statistics } = await run(engine, world, mixed(id, 1_000));
      expect(statistics.lane.txs).toBe(750);
      expect(scan).toHaveBeenCalledTimes(round);
    }
    await run(engine, world, mixed(id, 900));
    expect(scan).toHaveBeenCalledTimes(2);
  });
});
