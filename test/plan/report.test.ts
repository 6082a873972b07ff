import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import { LaneEngine } from '../../src/execute/engine.js';
import type { LaneBlockResult, LaneKey, Receipt } from '../../src/lane/types.js';
import { toDot } from '../../src/plan/picture.js';
import { makePlan } from '../../src/plan/plan.js';
import { MOST_ENTRIES, type PlanStore, reportStored } from '../../src/plan/report.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { plan, receipt } from '../store/helpers.js';

const HEIGHT = 5;

async function run(world: World, policy: 'cpu' | 'sequential', txs: readonly Transaction[]): Promise<LaneBlockResult> {
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({ policy, workers: 0, modes: ALWAYS_PARALLEL, ...rules });
  const reader = { get: (key: LaneKey) => world.state.get(key) };
  const result = await engine.processBlock(makeBlock(txs), HEIGHT, { reader });
  await engine.close();
  return result;
}

function storeOf(summary: PlanStore['plan'], receipts: readonly Receipt[]): PlanStore {
  return { plan: summary, receipts: (_, from = 0) => receipts.filter(({ index }) => index >= from) };
}

const stored = ({ plan, receipts }: LaneBlockResult): PlanStore => storeOf(() => plan, receipts);

/** Lane transactions on shared and own keys, and two that spend outputs of others. */
function mixedBlock(world: World): Transaction[] {
  const id = world.deploy();
  const message = (spend: { txid: Uint8Array; vout: number }[] | undefined, ...inputs: number[]): Transaction =>
    makeTx({ spend, protostones: [{ pointer: 0, refund: 0, message: call(id, ...inputs) }] });
  const own = Array.from({ length: 6 }, (_, i) => message(undefined, 4, i));
  const hot = Array.from({ length: 4 }, () => message(undefined, 4, 0));
  const spending = [own[0], hot[1]].map(({ txid }) => message([{ txid, vout: 0 }], 4, 9));
  return [...own, ...hot, ...spending];
}

describe('the report of a stored block', () => {
  it('is of a block that ran one transaction at a time what it is of the block in batches', async () => {
    const world = new World();
    const txs = mixedBlock(world);
    const batches = await run(world, 'cpu', txs);
    const oneByOne = await run(world, 'sequential', txs);
    expect(oneByOne.plan).toMatchObject({ laneTxs: 12, demoted: 2, colours: 0 });
    const report = await reportStored(stored(oneByOne), HEIGHT);
    const { widths, edges } = batches.plan;
    expect([widths, edges]).toEqual([[6, 1, 1, 1, 1], 4]);
    expect(report).toEqual({ ...batches.plan, dsatur: 5, source: 'receipts', complete: true });
    expect(await reportStored(stored(batches), HEIGHT)).toEqual({ ...report, source: 'run' });
  });

  it('is not complete where a receipt leaves keys out', async () => {
    const cut = [receipt(HEIGHT, 0), receipt(HEIGHT, 1, { writes: [], writeTotal: 1, writeHash: '00' })];
    const summary = { ...plan(HEIGHT), laneTxs: 2, colours: 0, widths: [], longestChain: 0 };
    expect(
      await reportStored(
        storeOf(() => summary, cut),
        HEIGHT,
      ),
    ).toMatchObject({ colours: 1, complete: false });
    const whole = [receipt(HEIGHT, 0), receipt(HEIGHT, 1)];
    expect(
      await reportStored(
        storeOf(() => summary, whole),
        HEIGHT,
      ),
    ).toMatchObject({ colours: 2, complete: true });
  });

  it('reads receipts up to a limit, gives others their turn meanwhile, and says that it is not complete', async () => {
    const reads = Array.from({ length: 256 }, (_, i) => `00${i.toString(16).padStart(2, '0')}`);
    const count = Math.ceil(MOST_ENTRIES / 128);
    let read = 0;
    const store: PlanStore = {
      plan: () => ({ ...plan(HEIGHT), laneTxs: count, colours: 0, widths: [], longestChain: 0 }),
      *receipts(height, from = 0) {
        for (let index = from; index < count; index++, read++) yield receipt(height, index, { reads, readTotal: 256 });
      },
    };
    let turns = 0;
    let done = false;
    const tick = (): void => {
      turns++;
      if (!done) setImmediate(tick);
    };
    setImmediate(tick);
    const report = await reportStored(store, HEIGHT);
    done = true;
    expect(report).toMatchObject({ laneTxs: count, complete: false });
    expect(report?.widths.reduce((sum, width) => sum + width, 0)).toBe(count);
    expect(read).toBeLessThan(0.6 * count);
    expect(turns).toBeGreaterThan(10);
  });

  it('of a block without lane transactions is empty, and of an unknown one there is none', async () => {
    const summary = { ...plan(HEIGHT), laneTxs: 0, colours: 0, widths: [], longestChain: 0 };
    const expected = { ...summary, dsatur: 0, source: 'run', complete: true };
    expect(
      await reportStored(
        storeOf(() => summary, []),
        HEIGHT,
      ),
    ).toEqual(expected);
    expect(
      await reportStored(
        storeOf(() => undefined, []),
        HEIGHT,
      ),
    ).toBeUndefined();
  });
});

describe('what only people ask for', () => {
  it('DSATUR and graphology are not loaded by the engine', () => {
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, name] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
        if (!name.startsWith('.')) seen.add(name);
        else visit(fileURLToPath(new URL(name.replace(/\.js$/, '.ts'), `file://${file}`)));
      }
    };
    visit(fileURLToPath(new URL('../../src/execute/engine.ts', import.meta.url)));
    const loaded = [...seen].map((name) => name.replace(/^.*[/]src[/]/, ''));
    expect(loaded).toContain('plan/plan.ts');
    for (const name of ['plan/dsatur.ts', 'plan/report.ts', 'plan/picture.ts', 'graphology']) {
      expect(loaded).not.toContain(name);
    }
  });

  it('a picture has every transaction in the row of its colour, and every edge', () => {
    const [a, b] = [
      { reads: [], writes: ['a'] },
      { reads: ['a'], writes: ['b'] },
    ];
    expect(toDot(makePlan([a, b, a]), (i) => `tx ${10 + i}`).split('\n')).toEqual([
      'digraph plan {',
      '  rankdir=LR;',
      '  node [shape=box];',
      '  0 [label="tx 10"];',
      '  1 [label="tx 11"];',
      '  2 [label="tx 12"];',
      '  { rank=same; 0; }',
      '  { rank=same; 1; }',
      '  { rank=same; 2; }',
      '  0 -> 1;',
      '  1 -> 2;',
      '}',
    ]);
  });
});
