import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { EnvironmentError } from '../../src/errors/errors.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import { CostModel } from '../../src/execute/choose/cost-model.js';
import type { LaneEngine } from '../../src/execute/engine.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { applyWrites, comparable } from '../../src/selftest/fuzz/fuzz.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { call, envelope, makeBlock, makeTx, PROBE, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

function process(engine: LaneEngine, world: World, transactions: readonly Transaction[]): Promise<LaneBlockResult> {
  return engine.processBlock(makeBlock(transactions), world.height, sourceOf(world));
}

async function expectTruth(world: World, transactions: readonly Transaction[], result: LaneBlockResult): Promise<void> {
  const truth = await process(makeEngine({ policy: 'sequential' }), world, transactions);
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
}

function messages(count: number, make: (i: number) => Uint8Array): Transaction[] {
  return Array.from({ length: count }, (_, i) => message(make(i)));
}

describe('what the messages of a transaction share', () => {
  const burn = (id: string, turns: number) => ({ pointer: 0, refund: 0, message: call(id, 10, turns) });
  const witnesses = [envelope(PROBE)];

  /** Transactions in which later messages depend on what earlier ones left: fuel, or the envelope. */
  function sharing(world: World): Transaction[] {
    const id = world.deploy();
    const half = world.turnsFor(id, 2_000_000);
    const message = (target: string, ...inputs: number[]) => ({
      pointer: 0,
      refund: 0,
      message: call(target, ...inputs),
    });
    return [
      makeTx({ protostones: [burn(id, half), burn(id, half), message(id, 4, 1)] }),
      makeTx({ protostones: [burn(id, half), burn(id, half), message(id, 4, 1)], padding: 100_000 }),
      makeTx({ protostones: [message(id, 6, 0), burn(id, half), burn(id, half)] }),
      makeTx({ protostones: [message('5:900', 0), message(id, 4, 1), message('5:1', 4, 1)] }),
      makeTx({ witnesses, protostones: [message('1:0', 0), message('1:0', 0), message(id, 4, 1)] }),
      makeTx({ witnesses, protostones: [message('3:5', 4, 1), message('3:5', 0), message('4:5', 4, 1)] }),
      makeTx({ witnesses, protostones: [message('3:5', 4, 1), message('4:5', 4, 1), message('1:0', 0)] }),
      makeTx({ protostones: [message('6:5', 4, 1)] }),
    ];
  }

  it.each([
    ['cpu', 0],
    ['cpu', 2],
    ['gpu', 0],
    ['auto', 2],
  ] as const)('is the same under policy %s with %i workers as one at a time', async (policy, workers) => {
    const world = new World();
    const txs = [...sharing(world), message(call('2:1', 4, 1)), ...sharing(world)];
    const gpu = policy === 'cpu' ? undefined : new FakeGpu();
    const result = await process(makeEngine({ policy, workers, gpu }), world, txs);
    await expectTruth(world, txs, result);
    const statuses = result.receipts.map(({ messages }) => messages.map(({ status }) => status).join());
    expect(statuses.slice(0, 5)).toEqual([
      'OK,OUT_OF_FUEL,OUT_OF_FUEL',
      'OK,OK,OK',
      'OK,OK,OUT_OF_FUEL',
      'REJECTED,OK,OK',
      'OK,REJECTED,OK',
    ]);
    // What has one message goes to the kernel, between the others.
    if (policy === 'gpu') expect(gpu?.calls).toBe(1);
  });
});

describe('policies', () => {
  it('reuses dry runs whose reads nobody changed, and runs the rest in the colours after', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = [...messages(10, (i) => call(id, 4, i)), ...messages(3, () => call(id, 4, 0))];
    const result = await process(makeEngine({}), world, txs);
    expect(result.plan).toMatchObject({ laneTxs: 13, colours: 4, widths: [10, 1, 1, 1], longestChain: 4, edges: 3 });
    expect(result.statistics.executors).toEqual({ reuse: 10, gpu: 0, cpu: 3, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    await expectTruth(world, txs, result);
  });

  it('never reuses the dry run of a program that asked whether it was one', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = messages(4, (i) => call(id, 18, i, i + 10));
    const result = await process(makeEngine({}), world, txs);
    expect(result.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 4, sequential: 0 });
    expect(result.plan.widths).toEqual([4]);
    await expectTruth(world, txs, result);
    applyWrites(world.state, result.writes);
    expect(world.counter(id, 2n)).toBe(1n);
  });

  it('keys declared with __record_get and __record_put order the plan and stay out of the receipt', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = messages(2, (i) => call(id, 18, i, 7));
    const result = await process(makeEngine({}), world, txs);
    expect(result.plan.widths).toEqual([1, 1]);
    expect(result.receipts[0].writes).toHaveLength(1);
    await expectTruth(world, txs, result);
  });

  it('gpu sends every call of the common kind to the kernel, also where its dry run would count', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    const txs = [...messages(5, (i) => call(id, 4, i)), ...messages(1, () => call('2:99', 0))];
    const result = await process(makeEngine({ policy: 'gpu', gpu }), world, txs);
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 5, cpu: 0, sequential: 0 });
    expect(Object.values(result.statistics.gpuRuns)).toEqual([5]);
    await expectTruth(world, txs, result);
  });

  it('what the kernel punts is done by its dry run if that counts, or by the CPU inside the same colour', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.punts = (n) => n === 1;
    // The fourth follows the first, the fifth the second, which is punted.
    const counters = [0, 1, 2, 0, 1];
    const txs = [...messages(5, (i) => call(id, 4, counters[i])), ...messages(1, () => call(id, 16, 2, 1))];
    const result = await process(makeEngine({ policy: 'gpu', gpu }), world, txs);
    expect(result.statistics).toMatchObject({ punted: 2, repaired: 0 });
    expect(result.statistics.executors).toEqual({ reuse: 2, gpu: 3, cpu: 1, sequential: 0 });
    await expectTruth(world, txs, result);
  });

  it('a key outside the declared set is an access violation, and the CPU does that transaction', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = [...messages(1, () => call(id, 5, 0, 3)), ...messages(1, () => call(id, 6, 0))];
    const result = await process(makeEngine({ policy: 'gpu', gpu: new FakeGpu() }), world, txs);
    expect(result.statistics.accessViolations).toBe(1);
    await expectTruth(world, txs, result);
    applyWrites(world.state, result.writes);
    expect(world.counter(id, 3n)).toBe(1n);
  });

  it('a transaction of two messages is left to the CPU', async () => {
    const world = new World();
    const id = world.deploy();
    const message = call(id, 4, 0);
    const tx = makeTx({
      protostones: [
        { pointer: 0, refund: 0, message },
        { pointer: 0, refund: 0, message },
      ],
    });
    const result = await process(makeEngine({ policy: 'gpu', gpu: new FakeGpu() }), world, [tx]);
    expect(result.statistics.executors.gpu).toBe(0);
    applyWrites(world.state, result.writes);
    expect(world.counter(id, 0n)).toBe(2n);
  });

  it('auto sends wide batches that no dry run stands for to a hardware GPU with a compiled kernel only', async () => {
    const world = new World();
    const id = world.deploy();
    // All but the first would see a value that is predicted.
    const wide = messages(300, () => call(id, 4, 0));
    const software = { ...new FakeGpu().adapter, software: true };
    const cases: [FakeGpu, Transaction[], number, number][] = [
      [new FakeGpu(), wide, 299, 0],
      [new FakeGpu(), wide.slice(0, 2), 0, 0],
      [Object.assign(new FakeGpu(), { compiled: false }), wide, 0, 299],
      [Object.assign(new FakeGpu(), { adapter: software }), wide, 0, 0],
    ];
    const { hash } = prepareProgram(builtPrograms().probe);
    for (const [gpu, txs, expected, compiling] of cases) {
      const costs = new CostModel();
      costs.ranAlone(hash, 100, 5);
      const result = await process(makeEngine({ policy: 'auto', gpu, costs }), world, txs);
      expect(result.statistics.executors.gpu).toBe(expected);
      expect(result.statistics.compiling).toBe(compiling);
      await expectTruth(world, txs, result);
    }
  });

  it('auto lets the CPU run a program first, and gives the kernel nothing of blocks whose dry runs count', async () => {
    const world = new World();
    const id = world.deploy();
    const { hash } = prepareProgram(builtPrograms().probe);
    const costs = new CostModel();
    const gpu = new FakeGpu();
    const engine = makeEngine({ policy: 'auto', gpu, costs });
    const hot = messages(300, () => call(id, 4, 0));
    const first = await process(engine, world, hot);
    expect(first.statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 299, sequential: 0 });
    // What the CPU took for them at their turns is known now; this much of it.
    for (let n = 0; n < 7; n++) costs.ranAlone(hash, 1, 1);
    const second = await process(engine, world, hot);
    expect(second.statistics.executors).toEqual({ reuse: 1, gpu: 299, cpu: 0, sequential: 0 });
    await expectTruth(world, hot, second);
    // So many blocks of calls that are reused that hardly any other is expected.
    for (let n = 0; n < 40; n++) costs.sawBlock(hash, 300, 0, 0);
    const batches = gpu.batches;
    const light = messages(300, (i) => call(id, 4, i));
    const result = await process(engine, world, light);
    expect(result.statistics.executors).toEqual({ reuse: 300, gpu: 0, cpu: 0, sequential: 0 });
    expect(gpu.batches).toBe(batches);
    await expectTruth(world, light, result);
  });

  it('what runs at its turn tells auto what it costs, so that the kernel can be chosen after that', async () => {
    const world = new World();
    const id = world.deploy();
    const costs = new CostModel();
    await process(
      makeEngine({ policy: 'auto', gpu: new FakeGpu(), costs }),
      world,
      messages(20, () => call(id, 4, 0)),
    );
    expect(costs.figures()[0].figures.alone).toBeGreaterThan(0);
  });

  it('a chain through one key is one submission to the kernel, and each sees what the one before wrote', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    const txs = messages(20, () => call(id, 4, 0));
    const result = await process(makeEngine({ policy: 'gpu', gpu, predictReads: false }), world, txs);
    expect(gpu.batches).toBe(1);
    expect(result.plan.colours).toBe(20);
    expect(result.statistics.executors).toEqual({ reuse: 0, gpu: 20, cpu: 0, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    await expectTruth(world, txs, result);
  });

  it('a value that the CPU wrote is told to the kernel before a call that reads it runs', async () => {
    const world = new World();
    const [first, second] = [world.deploy(), world.deploy()];
    const gpu = new FakeGpu();
    // Two messages run on the CPU, and write the counter that the chain after them goes on with.
    const mixed = makeTx({
      protostones: [first, second].map((id) => ({ pointer: 0, refund: 0, message: call(id, 4, 0) })),
    });
    const txs = [mixed, ...messages(5, () => call(second, 4, 0))];
    const result = await process(makeEngine({ policy: 'gpu', gpu }), world, txs);
    expect(gpu.batches).toBe(1);
    expect(gpu.told).toBeGreaterThan(0);
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 5, cpu: 0, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    await expectTruth(world, txs, result);
  });

  it.each([true, false])('a batch behind the kernel sees what its calls wrote, shared: %s', async (shares) => {
    const gpu = Object.assign(new FakeGpu(), { shares });
    const world = new World();
    const id = world.deploy();
    const counts = (i: number) => ({ pointer: 0, refund: 0, message: call(id, 4, i) });
    const twice = Array.from({ length: 10 }, (_, i) => makeTx({ protostones: [counts(i), counts(i)] }));
    const txs = [...messages(10, (i) => call(id, 4, i)), ...twice];
    const result = await process(makeEngine({ policy: 'gpu', gpu, workers: 2 }), world, txs);
    expect(result.statistics).toMatchObject({ batches: 2, repaired: 0 });
    expect(result.statistics.executors).toEqual({ reuse: 0, gpu: 10, cpu: 10, sequential: 0 });
    await expectTruth(world, txs, result);
  });

  it('what follows a punted call in a chain is found stale and done by the CPU, colour by colour', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.punts = (n) => n === 0;
    const txs = messages(6, () => call(id, 4, 0));
    const result = await process(makeEngine({ policy: 'gpu', gpu }), world, txs);
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 5, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    await expectTruth(world, txs, result);
  });
});

describe('a GPU that fails', () => {
  it('a lost device does not stop the block, is counted, and is not used again', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.beforeBatch = () => {
      throw new EnvironmentError('GPU_DEVICE_LOST', 'the device is gone');
    };
    const failures: unknown[] = [];
    const engine = makeEngine({ policy: 'gpu', gpu, onGpuFailure: (error) => failures.push(error) });
    const txs = messages(4, () => call(id, 4, 0));
    const result = await process(engine, world, txs);
    expect(result.statistics.gpuFailures).toBe(1);
    expect(failures).toMatchObject([{ code: 'GPU_DEVICE_LOST' }]);
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 3, sequential: 0 });
    await expectTruth(world, txs, result);
    expect((await process(engine, world, txs)).statistics.executors.gpu).toBe(0);
  });

  it('a failure of another kind ends the kernel for one block only', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.beforeBatch = (batch) => {
      if (batch === 0) throw new Error('out of memory');
    };
    const engine = makeEngine({ policy: 'gpu', gpu });
    const txs = messages(2, (i) => call(id, 4, i));
    const first = await process(engine, world, txs);
    expect([first.statistics.gpuFailures, first.statistics.executors.reuse]).toEqual([1, 2]);
    await expectTruth(world, txs, first);
    expect((await process(engine, world, txs)).statistics.executors.gpu).toBe(2);
  });

  it('leaves what it was given to the workers, in a batch', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.beforeBatch = () => {
      throw new Error('out of memory');
    };
    const txs = messages(40, () => call(id, 4, 0));
    const result = await process(makeEngine({ policy: 'gpu', gpu, workers: 2 }), world, txs);
    expect(result.statistics).toMatchObject({ gpuFailures: 1, batches: 1, repaired: 0 });
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 39, sequential: 0 });
    await expectTruth(world, txs, result);
  });
});

describe('transactions that spend outputs of lane transactions of their block', () => {
  function chain(id: string, length: number): Transaction[] {
    const txs: Transaction[] = [];
    for (let i = 0; i < length; i++) {
      const spend = i === 0 ? undefined : [{ txid: txs[i - 1].txid, vout: 0 }];
      txs.push(
        makeTx({ spend, protostones: [{ pointer: 0, refund: 0, message: call(id, i === 0 ? 9 : 11, 2, 1, 40) }] }),
      );
    }
    return txs;
  }

  it('are demoted: run one by one at their place in block order', async () => {
    const world = new World();
    const txs = chain(world.deploy(), 5);
    const result = await process(makeEngine({}), world, txs);
    expect(result.plan).toMatchObject({ laneTxs: 5, demoted: 4, widths: [1] });
    expect(result.statistics).toMatchObject({ demoted: 4, repaired: 0 });
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 0, cpu: 0, sequential: 4 });
    await expectTruth(world, txs, result);
    applyWrites(world.state, result.writes);
    expect(world.sheet(txs[4])).toEqual({ '2:1': 40n });
    expect([...result.writes.values()]).not.toContain(undefined);
  });

  it('fail and are refunded under the rule `reject`', async () => {
    const world = new World();
    const txs = chain(world.deploy(), 2);
    const results = await Promise.all(
      (['cpu', 'sequential'] as const).map((policy) =>
        process(makeEngine({ policy, dependent: 'reject' }), world, txs),
      ),
    );
    for (const { receipts } of results) {
      expect(receipts[1].messages[0]).toMatchObject({
        status: 'REJECTED',
        error: 'depends on a lane transaction of this block',
      });
    }
    applyWrites(world.state, results[0].writes);
    expect(world.sheet(txs[1])).toEqual({ '2:1': 40n });
  });
});

describe('workers', () => {
  it('dry-run and execute on other threads over a copy of the state', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = [...messages(40, (i) => call(id, 18, i, i)), ...messages(40, (i) => call(id, 18, i, i))];
    const result = await process(makeEngine({ workers: 2 }), world, txs);
    expect(result.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 80, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    await expectTruth(world, txs, result);
  });

  it('are started beside blocks that run one after the other: none of auto waits until they are there', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = messages(40, (i) => call(id, 4, i));
    const modes = { ...ALWAYS_PARALLEL };
    const engine = makeEngine({ policy: 'auto', workers: 2, modes });
    const first = await process(engine, world, txs);
    expect(first.statistics.executors).toEqual({ reuse: 0, gpu: 0, cpu: 0, sequential: 40 });
    let result = first;
    for (let n = 0; n < 3_000 && result.statistics.executors.reuse === 0; n++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      result = await process(engine, world, txs);
    }
    expect(result.statistics.executors).toEqual({ reuse: 40, gpu: 0, cpu: 0, sequential: 0 });
    await expectTruth(world, txs, result);
  });
});
