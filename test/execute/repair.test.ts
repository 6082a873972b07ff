import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { LaneEngineOptions } from '../../src/execute/engine.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { applyWrites, comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf, turnPointer } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

function process(
  world: World,
  txs: readonly Transaction[],
  options: Partial<LaneEngineOptions>,
): Promise<LaneBlockResult> {
  return makeEngine(options).processBlock(makeBlock(txs), world.height, sourceOf(world));
}

async function expectTruth(world: World, txs: readonly Transaction[], result: LaneBlockResult): Promise<void> {
  const truth = await process(world, txs, { policy: 'sequential' });
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
}

/**
 * `follow` (opcode 6) increments the counter that a pointer names: what it writes depends on what it reads. The pointer
 * is turned from counter 1 to counter 2 by a demoted transaction, which no plan can know of, so `follow` runs on the
 * old pointer first.
 */
function turnedPointer(world: World): { id: string; txs: Transaction[] } {
  const id = world.deploy();
  world.message(call(id, 5, 0, 1));
  const { parent, turns } = turnPointer(id, 2);
  const follows = message(call(id, 6, 0));
  const counts = message(call(id, 4, 1));
  return { id, txs: [parent, turns, follows, counts] };
}

describe('a repair', () => {
  it.each([
    ['cpu', undefined],
    ['gpu', new FakeGpu()],
  ] as const)(
    'leaves nothing of the first run where it writes other keys: no later transaction sees the old write (policy %s)',
    async (policy, gpu) => {
      const world = new World();
      const { id, txs } = turnedPointer(world);
      const result = await process(world, txs, { policy, gpu });
      expect(result.receipts[2].repaired).toBe(true);
      await expectTruth(world, txs, result);
      applyWrites(world.state, result.writes);
      // Counter 1 was incremented by the last transaction alone: the first run of `follow` never was.
      expect([world.counter(id, 1n), world.counter(id, 2n)]).toEqual([1n, 1n]);
    },
  );

  it('leaves nothing of the first run where it fails and writes nothing at all', async () => {
    const world = new World();
    const id = world.deploy();
    const asset = world.deploy();
    world.setBalance(asset, id, 5n);
    // The first to send the asset away is demoted; the second was dry-run while there still was some.
    const parent = message(call(id, 15));
    const [block, tx] = asset.split(':').map(BigInt);
    const first = makeTx({
      spend: [{ txid: parent.txid, vout: 0 }],
      protostones: [{ pointer: 0, refund: 0, message: call(id, 9, block, tx, 5) }],
    });
    const txs = [parent, first, message(call(id, 9, block, tx, 5)), message(call(id, 16, block, tx))];
    const result = await process(world, txs, {});
    expect(result.receipts[2]).toMatchObject({ repaired: true, messages: [{ status: 'REJECTED' }] });
    await expectTruth(world, txs, result);
  });

  it.each([
    ['cpu', undefined],
    ['gpu', new FakeGpu()],
  ] as const)(
    'is seen by all behind it, and only those whose runs had seen something else are repaired as well (policy %s)',
    async (policy, gpu) => {
      const world = new World();
      const { txs } = turnedPointer(world);
      const again = [...txs, message(call('2:1', 4, 2)), message(call('2:1', 4, 7))];
      const result = await process(world, again, { policy, gpu });
      // What the fourth saw in its dry run is true again, since the third has left its counter alone.
      expect(result.receipts.map(({ repaired }) => repaired)).toEqual([false, false, true, false, true, false]);
      expect(result.statistics.repaired).toBe(2);
      await expectTruth(world, again, result);
    },
  );

  it('finds a key that was absent when it was read and is there now', async () => {
    const world = new World();
    const id = world.deploy();
    world.message(call(id, 5, 0, 1));
    // The counter is read as absent by the dry run; `follow` creates it through a pointer that only the block turned.
    const { parent, turns } = turnPointer(id, 3);
    const txs = [parent, turns, message(call(id, 6, 0)), message(call(id, 4, 3))];
    const result = await process(world, txs, {});
    await expectTruth(world, txs, result);
    applyWrites(world.state, result.writes);
    expect(world.counter(id, 3n)).toBe(2n);
  });
});

describe('dry runs', () => {
  it('are not reused if any message of the transaction asked whether it is one, not only the last', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = [message(call(id, 18, 0, 1), call(id, 15))];
    const result = await process(world, txs, {});
    expect(result.statistics.executors.reuse).toBe(0);
    await expectTruth(world, txs, result);
    applyWrites(world.state, result.writes);
    expect(world.counter(id, 0n)).toBe(1n);
  });
});
