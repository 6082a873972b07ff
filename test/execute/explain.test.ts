// `plan --explain`: what it says is what the engine does, and each reason is given where it holds.
import { describe, expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../src/bitcoin/types.js';
import { CostModel } from '../../src/execute/choose/cost-model.js';
import { type Explained, explainBatches } from '../../src/execute/rows/explain.js';
import { planRows } from '../../src/execute/rows/plan-rows.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const { hash } = prepareProgram(builtPrograms().probe);

function costsOf(callMs: number, more: (costs: CostModel) => void = () => {}): CostModel {
  const costs = new CostModel();
  costs.ranAlone(hash, 100, 100 * callMs);
  more(costs);
  return costs;
}

async function explained(world: World, txs: readonly Transaction[], costs: CostModel): Promise<Explained> {
  const block = BlockOffsets.read(makeBlock(txs).raw);
  const context = { height: world.height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
  return explainBatches(await planRows(block, context, sourceOf(world).reader), costs, 2);
}

const hot = (id: string, count: number): Transaction[] => Array.from({ length: count }, () => message(call(id, 4, 0)));

describe('what is said of a batch', () => {
  it.each([
    ['is run by threads where nobody has run the program', 300, () => new CostModel(), /nobody has run the program/],
    ['goes to the kernel where that is cheaper and pays', 300, () => costsOf(0.1), /a fifth cheaper at least/],
    ['stays on threads where the kernel is not much cheaper', 300, () => costsOf(0.001), /have to be a fifth cheaper/],
    ['stays on threads where so few calls do not pay', 50, () => costsOf(0.02), /a block of this size/],
  ])('%s', async (_, count, costs, why) => {
    const world = new World();
    const id = world.deploy();
    const txs = hot(id, count);
    const { batches } = await explained(world, txs, costs());
    expect(batches).toHaveLength(1);
    const [{ width, others, programs }] = batches;
    expect([width, others, programs.length]).toEqual([count, 0, 1]);
    const [of] = programs;
    expect(of).toMatchObject({ program: hash, calls: count, reused: 1, why: expect.stringMatching(why) });
    const engine = makeEngine({ policy: 'auto', workers: 2, gpu: new FakeGpu(), costs: costs() });
    // With what threads know: two of them, as in the estimate.
    const { statistics } = await engine.processBlock(makeBlock(txs), world.height, sourceOf(world));
    expect(statistics.executors).toMatchObject(
      of.executor === 'kernel' ? { gpu: count - 1, cpu: 0 } : { gpu: 0, cpu: count - 1 },
    );
  });

  it('tells the estimates, what is reused, and what the kernel never runs', async () => {
    const world = new World();
    const id = world.deploy();
    const apart = Array.from({ length: 10 }, (_, i) => message(call(id, 4, 100 + i)));
    const both = message(call(id, 4, 200), call(id, 4, 201));
    const { batches, launchUs, savedUs, threads } = await explained(world, [...apart, both], costsOf(0.1));
    expect([threads, savedUs]).toEqual([2, 0]);
    expect(launchUs).toBeGreaterThan(0);
    expect(batches).toMatchObject([
      { colour: 1, width: 11, others: 1, programs: [{ calls: 10, reused: 10, executor: null }] },
    ]);
    const chains = await explained(world, hot(id, 300), costsOf(0.1));
    // A hundred microseconds a call, two threads, and what a batch costs on the pool.
    expect(chains.batches[0].programs[0].threadsUs).toBeCloseTo((299 * 100) / 2 + 100);
    expect(chains.batches[0].programs[0].kernelUs).toBeCloseTo(299 + 25);
    expect(chains.savedUs).toBeGreaterThan(chains.launchUs);
  });
});
