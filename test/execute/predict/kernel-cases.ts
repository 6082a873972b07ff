/** Blocks on hot counters that a kernel runs with predicted values: for V8 behind its interface, and for WGSL. */
import { expect } from 'vitest';
import { BlockOffsets } from '../../../src/bitcoin/block-offsets.js';
import type { Transaction } from '../../../src/bitcoin/types.js';
import type { LaneEngine } from '../../../src/execute/engine.js';
import type { GpuExecutor } from '../../../src/gpu/pack/types.js';
import type { LaneBlockResult } from '../../../src/lane/types.js';
import { applyWrites, comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { concatBytes, u32Bytes } from '../../../src/util/bytes.js';
import { call as callOf, i32, load, OP, op, store, WasmBuilder } from '../../helpers/wasm-builder.js';
import { builtProgram, call, makeBlock, World } from '../../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf, turnPointer } from '../engines.js';

const MINT = builtProgram('mint');
const KEY = 'both';

/** A contract whose value under {@link KEY} is two counters of 32 bits: each call adds one to both, modulo 2^32. */
function twoCounters(): Uint8Array {
  const builder = new WasmBuilder();
  const read = builder.import('__load_storage');
  const [result, key, value] = [64, 84, 92];
  // No transfers; one entry of the storage map, whose key and value have their lengths in front.
  builder.data(result - 4, u32Bytes(40));
  builder.data(result + 16, concatBytes(u32Bytes(1), u32Bytes(4), new TextEncoder().encode(KEY), u32Bytes(8)));
  const add = (at: number) => [i32(at), i32(at), load(), i32(1), op(OP.i32Add), store()];
  const body = [i32(key + 4), i32(value + 4), callOf(read), op(OP.drop), ...add(value + 4), ...add(value + 8)];
  return builder.execute([...body, i32(result)]).bytes();
}

const messages = (count: number, make: (i: number) => Uint8Array): Transaction[] =>
  Array.from({ length: count }, (_, i) => message(make(i)));

/** The cases over one kernel; `dispatches` counts what it has run. */
export class KernelCases {
  constructor(
    readonly gpu: GpuExecutor,
    readonly dispatches: () => number,
  ) {}

  engine(workers = 0): LaneEngine {
    return makeEngine({ policy: 'gpu', gpu: this.gpu, workers, waitForKernels: true });
  }

  /** Runs the block in the kernel and one transaction at a time, compares all of it, and applies it. */
  async run(world: World, txs: readonly Transaction[], engine = this.engine()): Promise<LaneBlockResult> {
    const block = BlockOffsets.read(makeBlock(txs).raw);
    const result = await engine.processBlock(block, world.height, sourceOf(world));
    const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
    expect(sortedWrites(result)).toEqual(sortedWrites(truth));
    expect(JSON.stringify(result.receipts.map(comparable))).toBe(JSON.stringify(truth.receipts.map(comparable)));
    expect(result.statistics.lane).toEqual(truth.statistics.lane);
    expect(result.statistics.gpuFailures).toBe(0);
    applyWrites(world.state, result.writes);
    world.height++;
    return result;
  }

  /** Right: so many mints of one counter, each of which sees what the ones before it will have left. */
  async right(count: number): Promise<void> {
    const world = new World();
    const id = world.deploy(MINT, 0, 1_000_000, 7);
    const before = this.dispatches();
    const { statistics } = await this.run(
      world,
      messages(count, () => call(id, 77)),
    );
    expect(this.dispatches() - before).toBe(1);
    expect(statistics).toMatchObject({ colours: 1, predicted: count - 1, mispredicted: 0, repaired: 0, punted: 0 });
    expect(statistics.executors).toEqual({ reuse: 0, gpu: count, cpu: 0, sequential: 0 });
  }

  /** Wrong: behind a cap, the counter no longer changes. */
  async wrong(): Promise<void> {
    const world = new World();
    const id = world.deploy(MINT, 0, 30, 7);
    const { statistics, receipts } = await this.run(
      world,
      messages(40, () => call(id, 77)),
    );
    expect(statistics).toMatchObject({ predicted: 39, mispredicted: 9, repaired: 9 });
    expect(receipts.map(({ executor }) => executor)).toEqual(receipts.map((_, i) => (i > 30 ? 'sequential' : 'gpu')));
  }

  /** Right by luck: the predicted value holds, but a pointer that the call read first does not. */
  async rightByLuck(): Promise<void> {
    const world = new World();
    const id = world.deploy();
    world.message(call(id, 5, 0, 1));
    const { parent, turns } = turnPointer(id, 2);
    const follow = () => messages(20, () => call(id, 6, 0));
    const { statistics } = await this.run(world, [parent, ...follow(), turns, ...follow()]);
    expect(statistics).toMatchObject({ predicted: 39, mispredicted: 19, repaired: 20 });
    expect([world.counter(id, 1n), world.counter(id, 2n)]).toEqual([20n, 20n]);
  }

  /** An overflow at the width: two counters in one value, of which the lower one runs over midway. */
  async overflow(): Promise<void> {
    const world = new World();
    const id = world.deploy(twoCounters());
    const [key] = [...world.state.keys()].filter((one) => one.startsWith('code/'));
    const place = `store/${key.slice('code/'.length)}/${KEY}`;
    const engine = this.engine();
    const set = (low: number, high: number) => world.state.set(place, concatBytes(u32Bytes(low), u32Bytes(high)));
    const counts: [number, number][] = [];
    for (const low of [0xfffffff0, 0xfffffff8]) {
      set(low, 5);
      const { statistics } = await this.run(
        world,
        messages(40, () => call(id, 0)),
        engine,
      );
      counts.push([statistics.predicted, statistics.mispredicted]);
      expect(statistics.repaired).toBe(statistics.mispredicted);
      expect(world.state.get(place)).toEqual(concatBytes(u32Bytes((low + 40) >>> 0), u32Bytes(45)));
    }
    // Taken for one number of 64 bits first, it carries; then the width is known at which it does not.
    expect(counts).toEqual([
      [39, 24],
      [39, 0],
    ]);
  }

  /** Predicted and ordered keys together: each sees its own prediction, and what the ones before it have written. */
  async mixed(): Promise<void> {
    const world = new World();
    const ids = [world.deploy(MINT, 0, 1_000, 7), world.deploy()];
    // The pointers that `follow` reads are turned by every fifth: that is no step, and orders those that follow it.
    const txs = messages(60, (i) =>
      i % 3 === 0 ? call(ids[0], 77) : i % 5 === 0 ? call(ids[1], 5, i % 2, i) : call(ids[1], 6, i % 2),
    );
    const { statistics } = await this.run(world, txs, this.engine(2));
    expect(statistics.predicted).toBeGreaterThan(15);
    expect(statistics.executors.gpu).toBeGreaterThan(25);
  }
}
