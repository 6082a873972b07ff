// How the policy `balance` divides calls between threads and kernel: the rates, and the batches.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { BAND, Balance, FEWEST_TO_SPLIT, TRIED_AGAIN } from '../../src/execute/choose/balance.js';
import { WorkerPool } from '../../src/execute/threads/worker-pool.js';
import type { GpuBlock, GpuBlockRun } from '../../src/gpu/pack/types.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

const HASH = 'ab'.repeat(32);

/** Milliseconds of a machine: a call on the pool, a call in the kernel, its launch, a call of going through results. */
interface Machine {
  readonly pool: number;
  readonly kernel: number;
  readonly launch: number;
  readonly finish?: number;
}

/** Blocks of `calls` on such a machine, whose times are off by a factor that `noise` says. */
class Model {
  readonly balance = new Balance();
  /** Of the last block. */
  share = 0;
  poolMs = 0;
  kernelMs = 0;

  constructor(
    readonly calls: number,
    public machine: Machine,
  ) {}

  run(blocks: number, noise: (block: number) => number = () => 1): this {
    for (let block = 0; block < blocks; block++) {
      const { pool, kernel, launch, finish = 0 } = this.machine;
      this.share = this.balance.share(HASH, this.calls);
      const onPool = Math.round(this.share * this.calls);
      const inKernel = this.calls - onPool;
      this.poolMs = onPool * pool * noise(block);
      this.kernelMs = inKernel === 0 ? 0 : launch + inKernel * kernel;
      this.balance.learn(HASH, this.calls, {
        pool: { calls: onPool, ms: this.poolMs },
        kernel: { calls: inKernel, ms: this.kernelMs },
        finish: { calls: inKernel, ms: inKernel * finish },
      });
    }
    return this;
  }
}

describe('the division of calls', () => {
  it('begins with halves, whatever the first runs take', () => {
    const balance = new Balance();
    expect(balance.share(HASH, 1_000)).toBe(0.5);
    const first = { pool: { calls: 500, ms: 1 }, kernel: { calls: 500, ms: 1_000 }, finish: { calls: 500, ms: 1 } };
    balance.learn(HASH, 1_000, first);
    expect(balance.share(HASH, 1_000)).toBe(0.75);
  });

  it.each([
    ['alike', 1_000, { pool: 0.01, kernel: 0.01, launch: 0 }],
    ['a fast kernel with a launch', 4_000, { pool: 0.05, kernel: 0.002, launch: 5 }],
    ['fast threads', 1_000, { pool: 0.01, kernel: 0.05, launch: 1 }],
    ['a launch of half the time', 1_000, { pool: 0.02, kernel: 0.001, launch: 10 }],
  ])('lets both end together: %s', (_, calls, machine) => {
    const model = new Model(calls, machine).run(60);
    const [first, last] = [model.poolMs, model.kernelMs].sort((a, b) => a - b);
    expect(last / first).toBeLessThan(1.25);
    const alone = [calls * machine.pool, machine.launch + calls * machine.kernel];
    expect(last).toBeLessThan(Math.min(...alone));
    // And goes on so when the machine becomes another one.
    model.machine = { ...machine, pool: machine.pool * 3 };
    const before = model.share;
    expect(model.run(60).share).toBeLessThan(before * (1 - BAND));
  });

  it('does not swing with times that are off by a little', () => {
    const model = new Model(1_000, { pool: 0.02, kernel: 0.02, launch: 1 });
    const noise = (block: number): number => (block % 2 === 0 ? 0.9 : 1.1);
    model.run(20, noise);
    const shares = new Set<number>();
    for (let block = 0; block < 100; block++) shares.add(model.run(1, () => noise(block)).share);
    expect(shares.size).toBe(1);
  });

  it('leaves all to the threads where the kernel saves nothing, and tries it again later', () => {
    for (const machine of [
      { pool: 0.01, kernel: 0.001, launch: 50 },
      // Going through its results takes what the call takes.
      { pool: 0.01, kernel: 0.01, launch: 0, finish: 0.01 },
    ]) {
      const model = new Model(1_000, machine).run(40);
      expect(model.share).toBe(1);
      let trials = 0;
      for (let block = 0; block < TRIED_AGAIN; block++) if (model.run(1).share < 1) trials++;
      expect(trials).toBe(1);
      model.machine = { pool: 0.01, kernel: 0.001, launch: 0, finish: 0.0001 };
      expect(model.run(8 * TRIED_AGAIN).share).toBeLessThan(0.3);
    }
  });

  it('leaves all to the kernel where threads save nothing, and tries them again later', () => {
    const model = new Model(1_000, { pool: 1, kernel: 0.001, launch: 1 }).run(20);
    expect(model.share).toBe(0);
    let trials = 0;
    for (let block = 0; block < TRIED_AGAIN; block++) if (model.run(1).share > 0) trials++;
    expect(trials).toBe(1);
  });

  it('keeps sizes of blocks and programs apart, and says what it knows', () => {
    const model = new Model(1_000, { pool: 0.01, kernel: 0.001, launch: 50 }).run(40);
    expect(model.balance.share(HASH, 1_000)).toBe(1);
    // More calls may pay for the launch, and another program is another one.
    expect(model.balance.share(HASH, 100_000)).toBe(0.5);
    expect(model.balance.share('cd'.repeat(32), 1_000)).toBe(0.5);
    const [known] = model.balance.figures();
    expect(known).toMatchObject({ program: HASH, from: 256, poolShare: 1 });
    expect(known.poolRate).toBeCloseTo(100);
  });
});

const HALVES = { fewest: FEWEST_TO_SPLIT, share: () => 0.5, learn() {} };

async function run(
  world: World,
  txs: readonly Transaction[],
  options: Parameters<typeof makeEngine>[0] & { readonly gpu: FakeGpu },
): Promise<LaneBlockResult> {
  const block = makeBlock(txs);
  const engine = makeEngine({ policy: 'balance', workers: 2, balance: HALVES, ...options });
  const result = await engine.processBlock(block, world.height, sourceOf(world));
  const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  return result;
}

const hot = (id: string, count: number): Transaction[] => Array.from({ length: count }, () => message(call(id, 4, 0)));

/** A kernel that ends its work only once the pool has run batch `last` of the block: never, if that waits for it. */
function gpuThatWaits(last: number): { readonly gpu: FakeGpu; readonly seen: string[] } {
  const seen: string[] = [];
  let threadsEnd = (): void => undefined;
  const threads = new Promise<void>((resolve) => {
    threadsEnd = resolve;
  });
  const runRows = WorkerPool.prototype.runRows;
  let batch = 0;
  vi.spyOn(WorkerPool.prototype, 'runRows').mockImplementation(async function (this: WorkerPool, ...given) {
    const number = batch++;
    if (number === last) seen.push('threads begin');
    await runRows.apply(this, given);
    if (number === last) threadsEnd();
  });
  class WaitingGpu extends FakeGpu {
    override async begin(block: GpuBlock): Promise<GpuBlockRun> {
      seen.push('calls are written');
      const inner = await super.begin(block);
      return {
        run: async (segment) => {
          seen.push('kernel begins');
          await threads;
          return inner.run(segment);
        },
        set: (...value) => inner.set(...value),
        close: () => inner.close(),
      };
    }
  }
  return { gpu: new WaitingGpu(), seen };
}

/** Five times 80 counters, each time in the other order. */
const chains = (id: string): Transaction[] =>
  Array.from({ length: 400 }, (_, i) => {
    const counter = Math.floor(i / 80) % 2 === 0 ? i % 80 : 79 - (i % 80);
    return message(call(id, 18, counter, 500 + i));
  });

describe('a wide batch', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is run by both, evenly through the block; both halves are validated', async () => {
    const world = new World();
    const id = world.deploy();
    const { statistics, receipts } = await run(world, hot(id, 201), { gpu: new FakeGpu() });
    expect(statistics.executors).toEqual({ reuse: 1, gpu: 100, cpu: 100, sequential: 0 });
    expect(statistics).toMatchObject({ splits: 1, repaired: 0 });
    const firstHalf = receipts.slice(0, 101).filter(({ executor }) => executor === 'gpu');
    expect(firstHalf.length).toBeGreaterThan(45);
    expect(firstHalf.length).toBeLessThan(55);
  });

  it('is run by threads while the kernel runs its part, from before its calls are written', async () => {
    const world = new World();
    const id = world.deploy();
    const { gpu, seen } = gpuThatWaits(1);
    const { statistics } = await run(world, hot(id, 201), { gpu });
    expect(seen).toEqual(['threads begin', 'calls are written', 'kernel begins']);
    expect(statistics.executors).toEqual({ reuse: 1, gpu: 100, cpu: 100, sequential: 0 });
  }, 30_000);

  it('is not divided where it is narrow, or where there are no threads', async () => {
    const world = new World();
    const id = world.deploy();
    const narrow = await run(world, hot(id, FEWEST_TO_SPLIT), { gpu: new FakeGpu() });
    expect(narrow.statistics).toMatchObject({ splits: 0, executors: { gpu: 0, cpu: FEWEST_TO_SPLIT - 1 } });
    const alone = await run(world, hot(id, 201), { gpu: new FakeGpu(), workers: 0 });
    expect(alone.statistics).toMatchObject({ splits: 0, executors: { gpu: 200, cpu: 0 } });
  });

  it('goes where what it follows went: chains stay on one side, in one submission', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    const { statistics, plan } = await run(world, chains(id), { gpu, predictReads: false });
    expect(plan.widths).toEqual([80, 80, 80, 80, 80]);
    // The dry runs of the first colour count.
    expect(statistics).toMatchObject({ splits: 4, repaired: 0, executors: { gpu: 160, cpu: 240 } });
    expect(gpu.batches).toBe(1);
  });

  it('of a later colour is run by threads while the kernel runs its colours', async () => {
    const world = new World();
    const id = world.deploy();
    // Batch 0 is the dry runs; those of the first colour count.
    const { gpu, seen } = gpuThatWaits(4);
    const { statistics } = await run(world, chains(id), { gpu, predictReads: false });
    expect(seen).toEqual(['calls are written', 'kernel begins', 'threads begin']);
    expect(statistics).toMatchObject({ splits: 4, executors: { gpu: 160, cpu: 240 } });
  }, 30_000);

  it('is done by threads as a whole where the kernel fails, also while these run their part', async () => {
    const world = new World();
    const id = world.deploy();
    const gpu = new FakeGpu();
    gpu.beforeBatch = () => {
      throw new Error('lost');
    };
    const { statistics } = await run(world, hot(id, 201), { gpu });
    expect(statistics).toMatchObject({ gpuFailures: 1, executors: { reuse: 1, gpu: 0, cpu: 200 } });
    const unbegun = Object.assign(new FakeGpu(), { begin: () => Promise.reject(new Error('no room')) });
    const failed = await run(world, hot(id, 201), { gpu: unbegun });
    expect(failed.statistics).toMatchObject({ gpuFailures: 1, executors: { reuse: 1, gpu: 0, cpu: 200 } });
  });

  it('is divided anew from what both took, block after block', async () => {
    const world = new World();
    const id = world.deploy();
    const balance = new Balance();
    const engine = makeEngine({ policy: 'balance', workers: 2, balance, gpu: new FakeGpu() });
    for (let block = 0; block < 3; block++) {
      await engine.processBlock(makeBlock(hot(id, 201)), world.height, sourceOf(world));
    }
    const [known] = balance.figures();
    expect(engine.health.divisions).toEqual([known]);
    expect(makeEngine().health.divisions).toEqual([]);
    expect(known.poolRate).toBeGreaterThan(0);
    expect(known.kernelRate).toBeGreaterThan(0);
  });
});
