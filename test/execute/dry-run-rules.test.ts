// Which transactions run in batches under `--dry-run`; that nothing else changes is for all three.
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { DRY_RUN_RULES, usesKernel } from '../../src/lane/policy.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable, runDifferential } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const CASES = [
  ['cpu', 0],
  ['cpu', 2],
  ['gpu', 2],
] as const;

const executorsOf = ({ receipts }: LaneBlockResult) => receipts.map(({ executor }) => executor);

describe.each(CASES)('under policy %s with %i workers', (policy, workers) => {
  /** Runs `txs` several times in one engine, and compares each with one at a time; gives the last result. */
  async function run(
    rule: (typeof DRY_RUN_RULES)[number],
    world: World,
    txs: readonly Transaction[],
    times = 1,
  ): Promise<LaneBlockResult> {
    const gpu = policy === 'gpu' ? new FakeGpu() : undefined;
    const engine = makeEngine({ policy, workers, gpu, dryRun: rule });
    const block = makeBlock(txs);
    const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
    let result = truth;
    for (let time = 0; time < times; time++) {
      result = await engine.processBlock(block, world.height, sourceOf(world));
      expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
      expect(sortedWrites(result)).toEqual(sortedWrites(truth));
    }
    return result;
  }

  it('clean-only batches what was dry-run whole and ended OK; all else runs in its place', async () => {
    const world = new World();
    const id = world.deploy();
    const parent = message(call(id, 15));
    const protostone = { pointer: 0, refund: 0, message: call(id, 4, 20) };
    const unclean = [
      message(call(id, 1)),
      message(call(id, 2)),
      message(call(id, 3)),
      // Of two messages one fails.
      message(call(id, 4, 21), call(id, 1)),
      message(call(id, 1), call(id, 4, 25)),
      // It asks whether it runs dry, and of two messages no whole run follows.
      message(call(id, 18, 22, 23), call(id, 4, 24)),
      // Undone as a whole: it names no pointer.
      makeTx({ protostones: [{ ...protostone, pointer: undefined }] }),
    ];
    const dependent = makeTx({ spend: [{ txid: parent.txid, vout: 0 }], protostones: [protostone] });
    const clean = [
      parent,
      ...Array.from({ length: 9 }, (_, i) => message(call(id, 4, i))),
      // A whole run follows where the only message asks.
      ...Array.from({ length: 9 }, (_, i) => message(call(id, 18, i, 100 + i))),
      message(call(id, 4, 30), call(id, 4, 31)),
    ];
    const txs = [...clean.slice(0, 5), ...unclean, dependent, ...clean.slice(5)];
    const result = await run('clean-only', world, txs, 3);
    const statuses = result.receipts.slice(5, 10).map(({ messages }) => messages.map(({ status }) => status).join());
    expect(statuses).toEqual(['REVERT', 'TRAP', 'OUT_OF_FUEL', 'OK,REVERT', 'REVERT,OK']);
    expect(result.receipts[11].undone).toBe('message without pointer');
    expect(result.statistics).toMatchObject({ unclean: 7, demoted: 1, repaired: 0 });
    expect(executorsOf(result).slice(5, 13)).toEqual(Array(8).fill('sequential'));
    const others = result.receipts.filter((_, i) => i < 5 || i >= 13);
    for (const { executor, colour } of others) {
      expect(executor).not.toBe('sequential');
      expect(colour).toBeGreaterThan(0);
    }
    expect(result.plan.widths.reduce((sum, width) => sum + width, 0)).toBe(clean.length);
    const tolerant = await run('tolerate-partial', world, txs, 3);
    expect(tolerant.statistics).toMatchObject({ unclean: 0, demoted: 1 });
    expect(executorsOf(tolerant).filter((executor) => executor === 'sequential')).toHaveLength(1);
  });

  it('clean-only leaves nothing to the kernel alone, which would have no whole dry run', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = Array.from({ length: 20 }, (_, i) => message(call(id, 18, i, 100 + i)));
    const { statistics } = await run('clean-only', world, txs, 3);
    expect(statistics).toMatchObject({ unclean: 0, repaired: 0 });
    expect(statistics.executors[policy]).toBe(20);
  });

  it('off runs every transaction in its place, and dry-runs none', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = Array.from({ length: 20 }, (_, i) => message(call(id, 4, i)));
    const { statistics, plan } = await run('off', world, txs);
    expect(statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 0, sequential: 20 });
    expect(statistics).toMatchObject({ batches: 0, colours: 0 });
    expect(statistics.ms.dryRun).toBeUndefined();
    expect(plan.colours).toBe(0);
  });
});

it('leave the same states and receipts over random blocks', async () => {
  const fake = new FakeGpu();
  fake.punts = (each) => each % 17 === 0;
  const { statistics } = await runDifferential({
    seed: process.env.SEED ?? 'dry-run',
    blocks: 50,
    policies: ['cpu', 'gpu'],
    dryRun: DRY_RUN_RULES.filter((rule) => rule !== 'tolerate-partial'),
    gpu: fake,
  });
  for (const policy of ['cpu', 'gpu'] as const) {
    const { [`${policy} clean-only`]: cleanOnly, [`${policy} off`]: off } = statistics;
    expect(cleanOnly.unclean).toBeGreaterThan(50);
    expect(cleanOnly.executors.reuse + cleanOnly.executors.gpu).toBeGreaterThan(100);
    expect(off.executors).toMatchObject({ reuse: 0, gpu: 0, cpu: 0 });
  }
});

it('no kernel is opened for a policy or a rule that never uses it', () => {
  expect((['auto', 'gpu'] as const).map((policy) => usesKernel(policy, 'clean-only'))).toEqual([true, true]);
  expect((['auto', 'gpu'] as const).map((policy) => usesKernel(policy, 'off'))).toEqual([false, false]);
  expect((['cpu', 'sequential'] as const).map((policy) => usesKernel(policy))).toEqual([false, false]);
});
