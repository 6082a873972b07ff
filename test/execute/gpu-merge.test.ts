// What the engine takes of a kernel's answers: never the dry run's word where the kernel said something else.
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import type { GpuBlock, GpuBlockRun, GpuOutcomes } from '../../src/gpu/pack/types.js';
import { CALL_RECORD } from '../../src/gpu/translate/layout.js';
import type { LaneBlockResult } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call as callOf, i32, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { makeEngine, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

/** A kernel whose answers are changed on their way back. */
class TamperedGpu extends FakeGpu {
  constructor(private readonly tamper: (outcomes: GpuOutcomes) => Partial<GpuOutcomes>) {
    super();
  }

  override async begin(block: GpuBlock): Promise<GpuBlockRun> {
    const run = await super.begin(block);
    return {
      run: async (number) => {
        const outcomes = await run.run(number);
        return { ...outcomes, ...this.tamper(outcomes) };
      },
      set: (...value) => run.set(...value),
      close: () => run.close(),
    };
  }
}

function process(world: World, txs: readonly Transaction[], gpu: FakeGpu | undefined): Promise<LaneBlockResult> {
  const engine = makeEngine({ policy: gpu === undefined ? 'sequential' : 'gpu', gpu });
  return engine.processBlock(makeBlock(txs), world.height, sourceOf(world));
}

async function expectTruth(world: World, txs: readonly Transaction[], result: LaneBlockResult): Promise<void> {
  const truth = await process(world, txs, undefined);
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
}

const message = (text: Uint8Array): Transaction => makeTx({ protostones: [{ pointer: 0, refund: 0, message: text }] });

/** A contract that returns its context, of which the first 32 bytes are its own id. */
function echo(): Uint8Array {
  const builder = new WasmBuilder();
  const request = builder.import('__request_context');
  const load = builder.import('__load_context');
  // The context with its length word lies behind 16 bytes of transfers and 4 of storage map: all of it is the data.
  const body = [i32(2048), callOf(load), op(OP.drop), i32(2020), callOf(request), i32(24), op(OP.i32Add), store()];
  return builder.execute([...body, i32(2024)]).bytes();
}

describe('what the kernel says', () => {
  it('counts where it differs from the dry run: its bytes are the result, for cross-checks to find', async () => {
    const world = new World();
    const txs = [message(call(world.deploy(), 4, 0))];
    const gpu = new TamperedGpu(({ result }) => ({
      result: (i) => {
        const bytes = result(i)?.slice();
        bytes?.set([0xee], bytes.length - 1);
        return bytes;
      },
    }));
    const { receipts, statistics } = await process(world, txs, gpu);
    expect(statistics.executors.gpu).toBe(1);
    expect(receipts[0].messages[0].data).toMatch(/^01(00)+ee$/);
  });

  it('is dropped where it saw something else than the state, though its result is that of the dry run', async () => {
    const world = new World();
    const id = world.deploy();
    const txs = [message(call(id, 4, 0)), message(call(id, 14, 2))];
    const gpu = new TamperedGpu(({ seen }) => ({
      seen: (i, key) => (seen(i, key) === undefined ? undefined : new Uint8Array(16).fill(7)),
    }));
    const result = await process(world, txs, gpu);
    expect(result.statistics.executors).toMatchObject({ gpu: 0, reuse: 1, sequential: 1 });
    await expectTruth(world, txs, result);
  });

  it('is dropped where the call has another context by now: assets that an earlier one has taken', async () => {
    const world = new World();
    const id = world.deploy(echo());
    const coin = world.give({ [id]: 7n });
    // No valid block spends an output twice; what runs it is not asked about that.
    const txs = [1, 2].map((n) =>
      makeTx({ spend: [coin], protostones: [{ pointer: 0, refund: 0, message: call(id, n) }] }),
    );
    const gpu = new FakeGpu();
    const result = await process(world, txs, gpu);
    // Both were dry-run, and given to the kernel, with the assets.
    expect(gpu.calls).toBe(2);
    expect(result.statistics.executors).toMatchObject({ gpu: 1, sequential: 1 });
    const [first, second] = result.receipts.map(({ messages }) => messages[0].dataBytes);
    expect(first).toBe(second + 48);
    await expectTruth(world, txs, result);
  });

  it('is dropped where the call has other fuel than the transaction', async () => {
    const world = new World();
    const txs = [message(call(world.deploy(), 4, 0))];
    const gpu = new FakeGpu();
    const begin = gpu.begin.bind(gpu);
    gpu.begin = (block) => {
      block.records.heads[CALL_RECORD.offset.FUEL] -= 1;
      return begin(block);
    };
    const result = await process(world, txs, gpu);
    expect(result.statistics.executors).toMatchObject({ gpu: 0, reuse: 1 });
    await expectTruth(world, txs, result);
  });
});
