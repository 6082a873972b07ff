// Blocks whose transactions share counters, with predicted reads: always what running them one at a time gives.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../../src/bitcoin/types.js';
import type { LaneEngine, LaneEngineOptions } from '../../../src/execute/engine.js';
import type { LaneBlockResult } from '../../../src/lane/types.js';
import { applyWrites, comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { builtProgram, call, makeBlock, makeTx, World } from '../../lane/world.js';
import { makeEngine as engineOf, message, sortedWrites, sourceOf, turnPointer } from '../engines.js';

const makeEngine = (options: Partial<LaneEngineOptions> = {}) => engineOf({ workers: 2, ...options });

/** Runs the block with `engine` and one transaction at a time, compares all of it, and applies it. */
async function run(world: World, txs: readonly Transaction[], engine: LaneEngine): Promise<LaneBlockResult> {
  const block = BlockOffsets.read(makeBlock(txs).raw);
  const result = await engine.processBlock(block, world.height, sourceOf(world));
  const truth = await makeEngine({ policy: 'sequential', workers: 0 }).processBlock(
    block,
    world.height,
    sourceOf(world),
  );
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  expect(JSON.stringify(result.receipts.map(comparable))).toBe(JSON.stringify(truth.receipts.map(comparable)));
  expect(result.statistics.lane).toEqual(truth.statistics.lane);
  applyWrites(world.state, result.writes);
  world.height++;
  return result;
}

const messages = (count: number, make: (i: number) => Uint8Array) =>
  Array.from({ length: count }, (_, i) => message(make(i)));
const MINT = builtProgram('mint');

/** Spends what `parent` left on its first output; `general`: an edict in front of its message. */
const childOf = (parent: Transaction, text: Uint8Array, general = false) =>
  makeTx({
    spend: [{ txid: parent.txid, vout: 0 }],
    protostones: [
      ...(general ? [{ pointer: 0, refund: 0, edicts: [{ id: { block: 2n, tx: 9n }, amount: 1n, output: 0n }] }] : []),
      { pointer: 0, refund: 0, message: text },
    ],
  });

describe('predicted reads', () => {
  it('let 5,000 mints of one counter run at once, and hardly any of them twice', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 1_000_000, 7);
    const { statistics } = await run(
      world,
      messages(5_000, () => call(id, 77)),
      makeEngine(),
    );
    expect(statistics).toMatchObject({ colours: 1, batches: 1, predicted: 4_999, mispredicted: 0, repaired: 0 });
    expect(statistics.repaired).toBeLessThanOrEqual(50);
    expect(statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 4_999, sequential: 0 });
  });

  it('are made for several counters at once, those absent before the block among them', async () => {
    const world = new World();
    const ids = [world.deploy(MINT, 0, 1_000, 7), world.deploy(MINT, 0, 2_000, 1)];
    const probe = world.deploy();
    const engine = makeEngine();
    for (let block = 0; block < 2; block++) {
      const txs = messages(150, (i) => (i % 3 === 2 ? call(probe, 4, i % 2) : call(ids[i % 3], 77)));
      const { statistics } = await run(world, txs, engine);
      expect(statistics).toMatchObject({ colours: 1, batches: 1, mispredicted: 0, repaired: 0 });
      // All but the first of each of the four counters.
      expect(statistics.predicted).toBe(146);
    }
    expect(world.counter(probe, 0n) + world.counter(probe, 1n)).toBe(100n);
  });

  it('that a cap makes wrong midway cost one run each', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 70, 7);
    const engine = makeEngine();
    const blocks: [number, number][] = [];
    for (let block = 0; block < 3; block++) {
      const { statistics } = await run(
        world,
        messages(60, () => call(id, 77)),
        engine,
      );
      blocks.push([statistics.predicted, statistics.mispredicted]);
      expect(statistics.repaired).toBeLessThanOrEqual(statistics.mispredicted);
    }
    // 10 are left to the second block: 49 of its predictions are higher than the cap. The third has no writer any more.
    expect(blocks).toEqual([
      [59, 0],
      [59, 49],
      [0, 0],
    ]);
  });

  it('are not made for a while where they were wrong, and made for other contracts', async () => {
    const world = new World();
    const [wrong, right] = [world.deploy(), world.deploy(MINT, 0, 1_000, 7)];
    const engine = makeEngine();
    const predicted: number[] = [];
    for (let block = 0; block < 6; block++) {
      world.message(call(wrong, 5, 0, 1));
      const parent = message(call(wrong, 15));
      const turns = makeTx({
        spend: [{ txid: parent.txid, vout: 0 }],
        protostones: [{ pointer: 0, refund: 0, message: call(wrong, 5, 0, 2) }],
      });
      const follow = messages(20, () => call(wrong, 6, 0));
      const mints = messages(20, () => call(right, 77));
      const { statistics } = await run(world, [parent, turns, ...follow, ...mints], engine);
      expect(statistics.mispredicted).toBe(statistics.predicted - 19);
      predicted.push(statistics.predicted);
    }
    expect(predicted).toEqual([38, 19, 38, 19, 19, 19]);
  });

  it('keep the order of transactions that conflict on other keys', async () => {
    const world = new World();
    const id = world.deploy();
    const both = (i: number) =>
      makeTx({
        protostones: [call(id, 4, 0), call(id, 4, 1 + (i % 20))].map((text) => ({
          pointer: 0,
          refund: 0,
          message: text,
        })),
      });
    const txs = Array.from({ length: 80 }, (_, i) => both(i));
    const { statistics, plan } = await run(world, txs, makeEngine());
    expect(plan.widths).toEqual([20, 20, 20, 20]);
    expect(statistics).toMatchObject({ batches: 4, predicted: 79, mispredicted: 0, repaired: 0 });
  });

  it('are not made where a key that cannot be predicted orders the same transactions', async () => {
    const world = new World();
    const id = world.deploy();
    const both = (i: number) =>
      makeTx({
        protostones: [call(id, 5, 0, i), call(id, 4, 1)].map((text) => ({ pointer: 0, refund: 0, message: text })),
      });
    const txs = Array.from({ length: 40 }, (_, i) => both(i));
    const { statistics } = await run(world, txs, makeEngine());
    expect(statistics).toMatchObject({ colours: 40, predicted: 0, repaired: 0 });
  });

  it('that are right by luck do not save a transaction whose other reads are stale', async () => {
    const world = new World();
    const id = world.deploy();
    world.message(call(id, 5, 0, 1));
    // `follow` increments the counter that a pointer names; a demoted transaction turns it from 1 to 2 midway.
    const { parent, turns } = turnPointer(id, 2);
    const follow = () => messages(30, () => call(id, 6, 0));
    const { statistics } = await run(world, [parent, ...follow(), turns, ...follow()], makeEngine());
    expect(statistics).toMatchObject({ predicted: 59, mispredicted: 29, repaired: 30 });
    expect([world.counter(id, 1n), world.counter(id, 2n)]).toEqual([30n, 30n]);
  });

  it('hold behind transactions that were not dry-run, if these do what others do that make the same call', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 1_000, 7);
    const txs: Transaction[] = [];
    // One in ten spends what the one before has minted, and mints again, now and then by edict and message.
    for (let i = 0; i < 500; i++) {
      const parent = i % 10 === 9 ? txs.at(-1) : undefined;
      txs.push(parent === undefined ? message(call(id, 77)) : childOf(parent, call(id, 77), i % 20 === 9));
    }
    const { statistics } = await run(world, txs, makeEngine());
    expect(statistics.lane).toMatchObject({ txs: 500, ok: 500 });
    expect(statistics).toMatchObject({ demoted: 50, predicted: 449, mispredicted: 0, repaired: 0 });
    expect(statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 449, sequential: 50 });
  });

  it('go wrong behind one that was not dry-run and makes another call, and nothing else does', async () => {
    const world = new World();
    const id = world.deploy();
    // The other call counts as well: in the counter that a pointer names.
    world.message(call(id, 5, 0, 0));
    const parent = message(call(id, 4, 0));
    const child = childOf(parent, call(id, 6, 0));
    const counts = () => messages(30, () => call(id, 4, 0));
    const { statistics } = await run(world, [parent, ...counts(), child, ...counts()], makeEngine());
    expect(statistics).toMatchObject({ predicted: 60, mispredicted: 30, repaired: 30 });
  });

  it('assume nothing of those that were not dry-run in the block after one where they failed', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 1_000, 7);
    const engine = makeEngine();
    const wrong: number[] = [];
    for (let block = 0; block < 3; block++) {
      const parent = message(call(id, 77));
      const fails = makeTx({
        spend: [{ txid: parent.txid, vout: 0 }],
        protostones: [{ pointer: 0, refund: 99, message: call(id, 77) }],
      });
      const mints = () => messages(30, () => call(id, 77));
      const { statistics } = await run(world, [parent, ...mints(), fails, ...mints()], engine);
      expect(statistics.predicted).toBe(60);
      wrong.push(statistics.mispredicted);
    }
    expect(wrong).toEqual([30, 0, 0]);
  });

  it('are told in each receipt, also as it is stored, and in the summary of the block', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 30, 7);
    const txs = messages(40, () => call(id, 77));
    const { receipts, encodedReceipts, plan, statistics } = await run(world, txs, makeEngine());
    // Who reads 30 and more hits the cap, which those behind do not: they read 30, not what the steps say.
    const told = receipts.map(({ predicted, mispredicted, repaired }) => [predicted, mispredicted, repaired]);
    expect(told).toEqual(txs.map((_, i) => [i > 0, i > 30, i > 30]));
    expect(encodedReceipts).toBeDefined();
    expect(statistics).toMatchObject({ predicted: 39, mispredicted: 9, repaired: 9 });
    expect(plan).toMatchObject({ predicted: 39, mispredicted: 9 });
  });

  it('are not made where nobody runs beside this thread, nor if they are not wanted', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 1_000, 7);
    for (const options of [{ workers: 0 }, { predictReads: false }]) {
      const { statistics } = await run(
        world,
        messages(40, () => call(id, 77)),
        makeEngine(options),
      );
      expect(statistics).toMatchObject({ colours: 40, predicted: 0, mispredicted: 0, repaired: 0 });
    }
  });

  it('put a block like mainnet 892614, 158 mints of one contract among 2,489 transactions, in one batch', async () => {
    const world = new World();
    const id = world.deploy(MINT, 0, 100_000, 7);
    const txs = Array.from({ length: 2_488 }, (_, i) =>
      i % 15 === 7 && i < 158 * 15 ? message(call(id, 77)) : makeTx({ padding: 0 }),
    );
    const { statistics } = await run(world, txs, makeEngine());
    expect(statistics.lane).toMatchObject({ txs: 158, ok: 158 });
    expect(statistics).toMatchObject({ batches: 1, colours: 1, predicted: 157, mispredicted: 0, repaired: 0 });
  });
});

describe('random blocks with predicted reads', () => {
  it('are those of one at a time, whatever caps, pointers, overwritten counters and parents do', async () => {
    const world = new World();
    const probe = world.deploy();
    const mints = [world.deploy(MINT, 0, 150, 7), world.deploy(MINT, 0, 1_000_000, 1)];
    const engine = makeEngine();
    let [predicted, mispredicted] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(99), fc.nat(2), fc.nat(99)), { minLength: 60, maxLength: 60 }),
        async (picks) => {
          const txs: Transaction[] = [];
          for (const [kind, n, other] of picks) {
            let text = call(mints[n % 2], 77);
            if (kind < 30) text = call(probe, 4, n);
            else if (kind < 40) text = call(probe, 6, n);
            else if (kind < 43) text = call(probe, 5, n, other % 3);
            else if (kind < 46) text = call(probe, 21, n, other);
            else if (kind < 48) text = call(probe, 17, n);
            const parent = other < 3 ? txs.at(-1) : undefined;
            const spend = parent === undefined ? undefined : [{ txid: parent.txid, vout: 0 }];
            txs.push(makeTx({ spend, protostones: [{ pointer: 0, refund: 1, message: text }] }));
          }
          const { statistics } = await run(world, txs, engine);
          predicted += statistics.predicted;
          mispredicted += statistics.mispredicted;
        },
      ),
      { seed: 13, numRuns: 25, endOnFailure: true },
    );
    expect(mispredicted).toBeGreaterThan(0);
    expect(predicted).toBeGreaterThan(mispredicted);
  });
});
