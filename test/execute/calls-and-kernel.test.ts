// Messages that call contracts under policy gpu: the kernel makes no calls (docs/lane-rules.md, 9.18).
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { concatBytes, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { call as callFunction, end, i32, i64, if_, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { ACTOR, makeCall, put } from '../lane/calls/actor.js';
import { NO_CHECKPOINT, NO_PARCEL, numberBytes, place, sized, storageMap } from '../lane/calls/by-hand.js';
import { call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sortedWrites, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

async function onBoth(world: World, transactions: readonly Transaction[]) {
  const gpu = new FakeGpu();
  const source = sourceOf(world);
  const block = makeBlock(transactions);
  const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, source);
  const result = await makeEngine({ policy: 'gpu', gpu }).processBlock(block, world.height, source);
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  return { gpu, ...result };
}

describe('messages that call contracts, and the kernel', () => {
  it('a message to a contract that can call others is not sent to the kernel, whether it calls or not', async () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const probe = world.deploy();
    const alone = Array.from({ length: 20 }, (_, i) => message(call(probe, 2, i)));
    const quiet = Array.from({ length: 20 }, (_, i) => message(call(id, ...put(i, 1))));
    const calling = Array.from({ length: 20 }, (_, i) => message(call(id, ...makeCall('call', id, [put(100 + i, 1)]))));
    const both = await onBoth(world, [...alone, ...quiet, ...calling]);
    expect(both.gpu.calls).toBe(20);
    expect(both.statistics).toMatchObject({ punted: 0, executors: { gpu: 20 } });
    expect((await onBoth(world, calling)).gpu.calls).toBe(0);
  });

  it('a message that calls only when it is run again runs on the CPU, as its contract does', async () => {
    const world = new World();
    world.deploy(ACTOR);
    place(world, '2:2', callsOnceWritten());
    const both = await onBoth(
      world,
      Array.from({ length: 6 }, () => message(call('2:2', 0))),
    );
    // The dry runs see no value, so none of them calls; of all runs only the first sees none.
    expect(both.receipts.map(({ messages }) => messages[0].callTotal)).toEqual([0, 1, 1, 1, 1, 1]);
    expect(both.statistics).toMatchObject({ punted: 0, executors: { gpu: 0 } });
  });
});

describe('a dry run', () => {
  it('of a message is never its result if a contract that it calls asked whether it was one', async () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const probe = world.deploy();
    // Opcode 18 of a probe counts, but not in a dry run.
    const transactions = Array.from({ length: 4 }, (_, i) =>
      message(call(id, ...makeCall('call', probe, [[18n, BigInt(i), 9n]]))),
    );
    const both = await onBoth(world, transactions);
    expect(both.writes.size).toBe(4);
    const engine = makeEngine({ policy: 'cpu', workers: 1 });
    const onCpu = await engine.processBlock(makeBlock(transactions), world.height, sourceOf(world));
    expect(sortedWrites(onCpu)).toEqual(sortedWrites(both));
  });
});

/** Writes `x`; calls 2:1 where that has a value already. */
function callsOnceWritten(): Uint8Array {
  const b = new WasmBuilder();
  const [request, makeInnerCall] = [b.import('__request_storage'), b.import('__call')];
  const x = Uint8Array.of(0x78);
  b.data(100, sized(concatBytes(u128Bytes(0n), storageMap([x, x]))));
  b.data(1_000, concatBytes(sized(numberBytes(2, 1)), sized(NO_PARCEL), sized(NO_CHECKPOINT)));
  b.data(2_000, concatBytes(u32Bytes(1), x));
  const calling = [i32(1_004), i32(1_040), i32(1_060), i64(0n), callFunction(makeInnerCall), op(OP.drop)];
  return b.execute([i32(2_004), callFunction(request), if_(), ...calling, end, i32(104)]).bytes();
}
