// Blocks of a mix that come at a pace: what they are made of, and what is told of how they went.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { LaneEngine } from '../../src/execute/engine.js';
import type { LaneKey } from '../../src/lane/types.js';
import { WORKLOAD_NAMES } from '../../src/selftest/bench/block-workloads.js';
import { makeLoadChain } from '../../src/selftest/bench/load/chain.js';
import { type Mix, mixedTransactions, readMix } from '../../src/selftest/bench/load/mix.js';
import { BUDGET, budgetOf, percentilesOf } from '../../src/selftest/bench/load/report.js';
import { runLoad } from '../../src/selftest/bench/load/run.js';
import { cli, temporaryFolder } from '../helpers/cli.js';

const TWO: Mix = [
  { workload: 'counter', share: 3 },
  { workload: 'mixed', share: 1 },
];

describe('a mix', () => {
  it('is read with its shares, and refused if it is none', () => {
    expect(readMix('counter=3,mixed')).toEqual(TWO);
    for (const none of ['', 'nothing', 'counter=0', 'counter=1.5', 'counter,counter', 'mixed,general', 'counter=']) {
      expect(readMix(none), none).toBeUndefined();
    }
  });

  it('has its shares in every part of the blocks, and parents before their children', () => {
    const { transactions, contracts } = mixedTransactions(TWO, 400);
    expect(transactions).toHaveLength(400);
    const own = new Set(contracts.map(({ id }) => `${id.block}:${id.tx}`));
    expect(own.size).toBe(contracts.length);
    // The counter's is the first of those that no workload has by itself.
    expect(own).toContain('2:100');
    const { transactions: counters } = mixedTransactions([TWO[0]], 300);
    const texts = new Set(counters.map((transaction) => textOf(transaction)));
    for (let from = 0; from < 400; from += 40) {
      const part = transactions.slice(from, from + 40);
      expect(part.filter((transaction) => texts.has(textOf(transaction)))).toHaveLength(30);
    }
    const children = transactions.flatMap(({ parent }, at) => (parent === undefined ? [] : [[parent, at]]));
    expect(children.length).toBeGreaterThan(0);
    for (const [parent, at] of children) expect(parent).toBeLessThan(at);
  });
});

describe('a chain', () => {
  it.each(WORKLOAD_NAMES)(
    'of %s has valid blocks, and most of their messages hold in all of them',
    async (workload) => {
      const { blocks, state, genesis } = makeLoadChain([{ workload, share: 1 }], 32, 3);
      const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
      const now = new Map(state);
      let previousHash: Uint8Array = genesis.hash;
      for (const { height, raw } of blocks) {
        const block = BlockOffsets.read(raw);
        verifyBlock(block, { previousHash });
        previousHash = block.hash;
        const reader = { get: (key: LaneKey) => now.get(key) };
        const { writes, statistics } = await engine.processBlock(block, height, { reader });
        for (const [key, value] of writes) value === undefined ? now.delete(key) : now.set(key, value);
        const { txs, ok, revert } = statistics.lane;
        expect(txs).toBe(32);
        expect(ok).toBeGreaterThan(4 * revert);
      }
      await engine.close();
    },
  );
});

describe('what is told', () => {
  it('divides the time of blocks among parts, each once', () => {
    const ms = { parse: 1, scan: 2, plan: 3, dryRun: 4, cpu: 5, commit: 10, tree: 4, wait: 6, standard: 99, ahead: 99 };
    const budget = budgetOf(ms, 40, 1_000);
    expect(budget).toEqual({
      reading: 1,
      scan: 2,
      planning: 3,
      execution: 9,
      hashing: 4,
      storage: 6,
      waiting: 6,
      other: 9,
    });
    expect(BUDGET.reduce((sum, part) => sum + budget[part], 0)).toBe(40);
  });

  it('has percentiles of what was measured', () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i);
    expect(percentilesOf(values)).toEqual({ p50: 101, p99: 199, most: 200 });
    expect(percentilesOf([1.234])).toEqual({ p50: 1.23, p99: 1.23, most: 1.23 });
  });

  it('is of all transactions, under each policy, which leave the same state', async () => {
    const lines: string[] = [];
    const options = {
      mix: TWO,
      sizes: [20],
      blocks: 3,
      rate: undefined,
      onProgress: (line: string) => lines.push(line),
    };
    const report = await runLoad({ ...options, policies: ['sequential', 'cpu', 'gpu'], workers: 1 });
    // There is no GPU.
    expect(report.rows.map(({ policy }) => policy)).toEqual(['sequential', 'cpu']);
    expect(report).toMatchObject({ format: 'warpshrew-load-1', mix: TWO, rate: null, differences: 0 });
    expect(lines).toHaveLength(2);
    const [sequential, cpu] = report.rows;
    expect(cpu.stateRoot).toBe(sequential.stateRoot);
    expect(sequential.executors).toEqual({ reuse: 0, gpu: 0, cpu: 0, sequential: 60 });
    for (const { blocks, executors, budget, lagMs, kept, blockMs } of report.rows) {
      expect([blocks, lagMs, kept]).toEqual([3, null, null]);
      expect(Object.values(executors).reduce((a, b) => a + b)).toBe(60);
      for (const part of ['execution', 'hashing', 'storage'] as const) expect(budget[part]).toBeGreaterThan(0);
      expect(blockMs.most).toBeGreaterThanOrEqual(blockMs.p50);
    }
  });

  it('is never more than came; blocks that come faster than they go are not held', async () => {
    const options = { mix: [TWO[0]], sizes: [4], policies: ['sequential'] as const, onProgress: () => undefined };
    const slow = await runLoad({ ...options, blocks: 2, rate: 40 });
    expect(slow.rows[0].perSecond).toBeLessThanOrEqual(40);
    expect(slow.rows[0].lagMs?.p50).toBeGreaterThan(0);
    const fast = await runLoad({ ...options, blocks: 5, rate: 1e9 });
    expect(fast.rows[0].kept).toBe(false);
    // All came at once: the last one waited for the others.
    expect(fast.rows[0].lagMs?.most).toBeGreaterThan(fast.rows[0].blockMs.p50);
  });

  it('is printed and left as JSON by the command, which refuses what is no mix', async () => {
    const out = join(temporaryFolder(), 'new');
    const given = ['bench', 'load', '--sizes', '5', '--blocks', '2', '--policies', 'cpu', '--workers', '1'];
    const { status, stdout, stderr } = await cli(...given, '--mix', 'counter=1', '--out', out);
    expect(status, stderr).toBe(0);
    const report = JSON.parse(readFileSync(join(out, 'load.json'), 'utf8'));
    expect(stdout).toContain(`run ${report.run}: ${report.machine.processor}`);
    expect(stdout).toMatch(/^\| cpu \| 5 \| \d+ \|/m);
    const none = await cli(...given, '--mix', 'counter=1,other=2');
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining('USAGE_BENCH') });
  });
});

function textOf(transaction: object): string {
  return JSON.stringify(transaction, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}
