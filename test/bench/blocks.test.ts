import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { LaneEngine } from '../../src/execute/engine.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { WORKLOAD_NAMES, type WorkloadName } from '../../src/selftest/bench/block-messages.js';
import { makeWorkload } from '../../src/selftest/bench/block-workloads.js';
import { benchBlocks } from '../../src/selftest/bench/blocks.js';
import { countDifferences } from '../../src/selftest/bench/compare-blocks.js';
import { FakeGpu } from '../execute/fake-gpu.js';
import { cli } from '../helpers/cli.js';

const COUNT = 64;

async function run(name: WorkloadName, policy: 'sequential' | 'cpu' = 'sequential'): Promise<LaneBlockResult> {
  const { raw, state } = makeWorkload(name, COUNT);
  const engine = new LaneEngine({ policy, workers: 0, laneStartHeight: 0, dependent: 'demote' });
  return engine.processBlock(BlockOffsets.read(raw), 1, { reader: { get: (key: LaneKey) => state.get(key) } });
}

describe('the blocks of the benchmark', () => {
  it.each(WORKLOAD_NAMES)('%s: each transaction is one message, and most of them hold', async (name) => {
    const { statistics, receipts } = await run(name);
    expect(receipts.every(({ messages }) => messages.length === 1)).toBe(true);
    const { txs, ok, revert } = statistics.lane;
    expect([txs, ok + revert]).toEqual([COUNT, COUNT]);
    expect(ok).toBeGreaterThan(COUNT * 0.8);
  });

  it('light calls are reused, all of them where their keys are their own', async () => {
    const [own, hot] = [await run('counter', 'cpu'), await run('counter-hot', 'cpu')];
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
  const other = await run('counter', 'cpu');
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
  const report = await benchBlocks({
    workloads: ['mint', 'names'],
    counts: [20],
    rounds: 2,
    workers: 1,
    gpu: new FakeGpu(),
    policies: ['cpu', 'auto', 'gpu'],
    onProgress: (line) => lines.push(line),
  });
  expect(lines).toHaveLength(2);
  expect(report.rows.map(({ workload, count, differences }) => [workload, count, differences])).toEqual([
    ['mint', 20, 0],
    ['names', 20, 0],
  ]);
  for (const { policies, speedUp } of report.rows) {
    expect(policies.map(({ policy }) => policy)).toEqual(['sequential', 'cpu', 'auto', 'gpu']);
    for (const { executors } of policies) expect(Object.values(executors).reduce((a, b) => a + b)).toBe(20);
    expect(policies[3].executors).toEqual({ reuse: 0, gpu: 20, cpu: 0, sequential: 0 });
    expect(policies[1].ms).toHaveProperty('dryRun');
    expect(Object.keys(speedUp)).toEqual(['cpu', 'auto', 'gpu']);
  }
});

it('bench blocks prints its report, and refuses a workload that it does not know', async () => {
  const args = ['bench', 'blocks', '--sizes', '12', '--rounds', '2', '--workers', '1', '--only'];
  const run = await cli(...args, 'mint');
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^\| mint \| 12 \| 12 \| cpu \| .* \| 0 \|$/m);
  const unknown = await cli(...args, 'nothing');
  expect(unknown.stderr).toContain('USAGE_BENCH');
  expect(unknown.status).toBe(2);
});
