import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import { LaneEngine, type LaneEngineOptions } from '../../src/execute/engine.js';
import { isCommon } from '../../src/lane/columns/lane-columns.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { makeWorkload, WORKLOAD_NAMES, type WorkloadName } from '../../src/selftest/bench/block-workloads.js';
import { benchBlocks, benchContention } from '../../src/selftest/bench/blocks.js';
import { countDifferences } from '../../src/selftest/bench/compare-blocks.js';
import { readU128 } from '../../src/util/bytes.js';
import { FakeGpu } from '../execute/fake-gpu.js';
import { cli } from '../helpers/cli.js';

const COUNT = 64;
const CPU = { policy: 'cpu' } as const;
const ONE_MESSAGE = WORKLOAD_NAMES.filter((name) => name !== 'mixed' && name !== 'general');

async function run(name: WorkloadName, options: Partial<LaneEngineOptions> = {}): Promise<LaneBlockResult> {
  const { raw, state } = makeWorkload(name, COUNT);
  const engine = new LaneEngine({
    policy: 'sequential',
    workers: 0,
    laneStartHeight: 0,
    dependent: 'demote',
    ...options,
  });
  return engine.processBlock(BlockOffsets.read(raw), 1, { reader: { get: (key: LaneKey) => state.get(key) } });
}

describe('the blocks of the benchmark', () => {
  it.each(ONE_MESSAGE)('%s: each transaction is one message, and most of them hold', async (name) => {
    const { statistics, receipts } = await run(name);
    expect(receipts.every(({ messages }) => messages.length === 1)).toBe(true);
    const { txs, ok, revert } = statistics.lane;
    expect([txs, ok + revert]).toEqual([COUNT, COUNT]);
    expect(ok).toBeGreaterThan(COUNT * 0.8);
  });

  it('mixed: nine of ten mint, the others do something else, and one spends what another made', async () => {
    const { statistics, receipts } = await run('mixed');
    const targets = receipts.flatMap(({ messages }) => messages.map(({ target }) => target));
    expect(targets.filter((target) => ['2:1', '2:2', '2:3'].includes(target ?? ''))).toHaveLength(58);
    expect(new Set(targets)).toEqual(new Set(['2:1', '2:2', '2:3', '2:4', '2:5', '2:6']));
    expect(receipts.filter(({ messages }) => messages.length === 0)).toHaveLength(2);
    expect([statistics.lane.txs, statistics.demoted]).toEqual([COUNT, 1]);
    expect(
      receipts.every(({ undone, messages }) => undone === undefined && messages.every((m) => m.status === 'OK')),
    ).toBe(true);
  });

  it('general: several messages, edicts and creations, all of which hold', async () => {
    const { statistics, receipts, writes } = await run('general');
    expect(receipts.filter(({ messages }) => messages.length === 2)).toHaveLength(24);
    expect(receipts.filter(({ messages }) => messages.length === 0)).toHaveLength(16);
    expect(statistics.lane).toEqual({ txs: COUNT, ok: 72, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 });
    expect([...writes.keys()].filter((key) => key.startsWith('code/'))).toHaveLength(8);
    const { raw } = makeWorkload('general', COUNT);
    const columns = scanColumns(BlockOffsets.read(raw), { get: () => Uint8Array.of(1) });
    expect(Array.from({ length: COUNT }, (_, row) => isCommon(columns, row))).not.toContain(true);
  });

  it('heavy-hot: every call changes the one counter', async () => {
    const { writes, plan } = await run('heavy-hot', { policy: 'cpu' });
    expect([...writes.values()].map((value) => value && readU128(value, 0))).toEqual([BigInt(COUNT)]);
    expect(plan.colours).toBe(COUNT);
  });

  it.each(WORKLOAD_NAMES)(
    '%s: every policy gives what sequential gives, with predicted reads and without',
    async (name) => {
      const truth = await run(name);
      for (const policy of ['cpu', 'auto', 'gpu'] as const) {
        for (const predictReads of [true, false]) {
          const gpu = policy === 'cpu' ? undefined : new FakeGpu();
          const result = await run(name, { policy, predictReads, gpu, modes: ALWAYS_PARALLEL });
          expect(countDifferences(truth, result), `${policy} ${predictReads}`).toBe(0);
        }
      }
    },
  );

  it('light calls are reused, all of them where their keys are their own', async () => {
    const [own, hot] = [await run('counter', CPU), await run('counter-hot', CPU)];
    expect([own.statistics.executors.reuse, own.plan.colours]).toEqual([COUNT, 1]);
    // Eight of 64 go to 16 hot keys: no conflict yet; a larger block has some.
    expect(hot.statistics.executors.reuse).toBe(COUNT);
    const { raw, state } = makeWorkload('counter-hot', 4 * COUNT);
    const engine = new LaneEngine({ policy: 'cpu', workers: 0, laneStartHeight: 0, dependent: 'demote' });
    const reader = { get: (key: LaneKey) => state.get(key) };
    const { statistics } = await engine.processBlock(BlockOffsets.read(raw), 1, { reader });
    expect(statistics.executors).toMatchObject({ reuse: 240, cpu: 16 });
  });
});

it('a difference in a value, a missing write or a receipt is counted, how a transaction was run is not', async () => {
  const truth = await run('counter');
  const other = await run('counter', CPU);
  expect(other.receipts[0].executor).not.toBe(truth.receipts[0].executor);
  expect(countDifferences(truth, other)).toBe(0);
  const [[first], [second]] = [...truth.writes];
  const changed = new Map(other.writes).set(first, Uint8Array.of(1));
  changed.delete(second);
  changed.set('extra', Uint8Array.of(1));
  expect(countDifferences(truth, { ...other, writes: changed })).toBe(3);
  const receipts = other.receipts.map((receipt, i) => (i === 5 ? { ...receipt, fuel: receipt.fuel + 1 } : receipt));
  expect(countDifferences(truth, { ...other, receipts: receipts.slice(0, -1) })).toBe(2);
});

it('every policy is measured over a store, with the same results', async () => {
  const lines: string[] = [];
  const report = await benchBlocks(['mint', 'names'], {
    counts: [20],
    rounds: 2,
    starts: 2,
    workers: 1,
    gpu: new FakeGpu(),
    policies: ['cpu', 'auto', 'gpu', 'balance'],
    onProgress: (line) => lines.push(line),
  });
  expect(lines).toHaveLength(2);
  expect(report.rows.map(({ workload, count, differences }) => [workload, count, differences])).toEqual([
    ['mint', 20, 0],
    ['names', 20, 0],
  ]);
  // All mints but the first read a counter that others step.
  expect(report.rows.map(({ ways }) => ways[3].predicted)).toEqual([19, 0]);
  for (const { ways, auto } of report.rows) {
    expect(ways.map(({ policy }) => policy)).toEqual(['sequential', 'auto', 'balance', 'cpu', 'gpu']);
    for (const { executors } of ways) expect(Object.values(executors).reduce((a, b) => a + b)).toBe(20);
    expect(ways[4].executors).toEqual({ reuse: 0, gpu: 20, cpu: 0, sequential: 0 });
    expect(ways[3].ms).toHaveProperty('dryRun');
    expect(ways.map(({ mispredicted }) => mispredicted)).toEqual([0, 0, 0, 0, 0]);
    expect(auto?.overSequentialFirst).toHaveLength(3);
    // Which one balance takes for so few calls is for the clock to say.
    const modes = ways.filter(({ policy }) => policy !== 'balance').map(({ blocks }) => blocks.at(-1)?.mode);
    expect(modes).toEqual(['sequential', 'sequential', 'workers', 'kernel']);
    // Three to twenty blocks that are not measured, fewer where these take long, and then two.
    const [{ length }, ...others] = ways.map(({ blocks }) => blocks);
    expect(length).toBeGreaterThanOrEqual(5);
    expect(length).toBeLessThanOrEqual(22);
    expect(others.map((blocks) => blocks.length)).toEqual([length, length, length, length]);
    for (const { blocks, wall } of ways) expect(blocks.slice(-2).map(({ ms }) => ms)).toContain(wall.most);
    expect(auto?.overBest.median).toBeGreaterThan(0);
  }
});

it('contention is measured with predicted reads and without', async () => {
  const { rows } = await benchContention({
    counts: [10],
    rounds: 1,
    starts: 0,
    workers: 0,
    policies: ['cpu'],
    onProgress: () => undefined,
  });
  expect(rows.map(({ workload, colours }) => [workload, colours])).toEqual([
    ['light 0 %', 1],
    ['light 10 %', 1],
    ['light 30 %', 3],
    ['light 100 %', 10],
    ['heavy 0 %', 1],
    ['heavy 10 %', 1],
    ['heavy 30 %', 3],
    ['heavy 100 %', 10],
  ]);
  for (const { ways, differences } of rows) {
    expect(ways.map(({ policy, predictReads }) => [policy, predictReads])).toEqual([
      ['sequential', true],
      ['cpu', true],
      ['cpu', false],
    ]);
    expect(differences).toBe(0);
  }
});

it('bench blocks prints its report, and refuses a workload that it does not know', async () => {
  const args = ['bench', 'blocks', '--sizes', '12', '--rounds', '2', '--starts', '1', '--workers', '1', '--only'];
  const run = await cli(...args, 'mint');
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^\| mint \| 12 \| 1 \| cpu \| yes \| .* \| 0 \|$/m);
  const unknown = await cli(...args, 'nothing');
  expect(unknown.stderr).toContain('USAGE_BENCH');
  expect(unknown.status).toBe(2);
});
