// What the kernel is given of a block: one list of calls, made of what the rows of the block touch.
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { type CallColumns, keyAt, keyBytes, keyCount, keyNumber } from '../../src/gpu/pack/records.js';
import type { GpuBlock, GpuBlockRun } from '../../src/gpu/pack/types.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_RECORD } from '../../src/gpu/translate/layout.js';
import { storageKeyOfBytes } from '../../src/lane/keys.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { idBytes, parseId } from '../../src/protocol/alkane-id.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { readU32, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { call as callOf, end, i32, if_, load, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { builtProgram, call, makeBlock, World } from '../lane/world.js';
import { makeEngine, message, sourceOf } from './engines.js';
import { FakeGpu } from './fake-gpu.js';

/** Remembers what it was given. */
class WatchedGpu extends FakeGpu {
  given: CallColumns | undefined;

  override begin(block: GpuBlock): Promise<GpuBlockRun> {
    this.given = block.records;
    return super.begin(block);
  }
}

/** A contract that reads the keys 1 to `keys`, each of four bytes, and key 0 if its first input is not 0. */
function reader(keys: number): Uint8Array {
  const builder = new WasmBuilder();
  const request = builder.import('__request_storage');
  const context = builder.import('__load_context');
  const [result, input, first] = [64, 128, 1_024];
  builder.data(result - 4, u32Bytes(20));
  for (let key = 0; key <= keys; key++) {
    builder.data(first + 16 * key, u32Bytes(4));
    builder.data(first + 16 * key + 4, u32Bytes(key));
  }
  const read = (key: number) => [i32(first + 16 * key + 4), callOf(request), op(OP.drop)];
  const body = [i32(input), callOf(context), op(OP.drop), i32(input + 96), load(), if_(), ...read(0), end];
  for (let key = 1; key <= keys; key++) body.push(...read(key));
  return builder.execute([...body, i32(result)]).bytes();
}

async function run(world: World, txs: readonly Transaction[], gpu: FakeGpu): Promise<LaneBlockResult> {
  const block = makeBlock(txs);
  const result = await makeEngine({ policy: 'gpu', gpu }).processBlock(block, world.height, sourceOf(world));
  const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
  expect(result.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
  return result;
}

const placeOf = (id: string, key: number): LaneKey => storageKeyOfBytes(idBytes(parseId(id)), u32Bytes(key));

describe('the calls of a block', () => {
  it.each([3, 40])('list their %i keys in the order of their hashes, and share each of them', async (keys) => {
    const world = new World();
    const id = world.deploy(reader(keys));
    world.state.set(placeOf(id, 2), Uint8Array.of(7, 8, 9));
    const gpu = new WatchedGpu();
    const result = await run(world, [message(call(id, 0)), message(call(id, 0, 5))], gpu);
    expect(result.statistics.executors.gpu).toBe(2);
    const given = gpu.given as CallColumns;
    expect(given.count).toBe(2);
    expect(given.keys.length).toBe(keys * KEY_RECORD.words);
    for (const number of [0, 1]) {
      expect(keyCount(given, number)).toBe(keys);
      const first = given.heads[number * CALL_RECORD.words + CALL_RECORD.offset.FIRST_ACCESS];
      const hashes = Array.from(
        { length: keys },
        (_, k) => given.accesses[(first + k) * ACCESS_RECORD.words + ACCESS_RECORD.offset.HASH],
      );
      expect(hashes).toEqual([...hashes].sort((a, b) => a - b));
      const names = Array.from({ length: keys }, (_, k) => readU32(keyBytes(given, number, k), 0));
      expect([...names].sort((a, b) => a - b)).toEqual(Array.from({ length: keys }, (_, k) => k + 1));
      const k = names.indexOf(2);
      const value = given.keys[keyAt(given, number, k) + KEY_RECORD.offset.VALUE_AT];
      expect([...given.bytes.subarray(value - 4, value + 3)]).toEqual([3, 0, 0, 0, 7, 8, 9]);
    }
  });

  it('that are predicted have a key each, with a value each', async () => {
    const world = new World();
    const id = world.deploy(builtProgram('mint'), 0, 1_000, 7);
    const gpu = new WatchedGpu();
    const result = await run(
      world,
      Array.from({ length: 20 }, (_, i) => message(call(id, 77, i))),
      gpu,
    );
    expect(result.statistics).toMatchObject({ predicted: 19, mispredicted: 0 });
    const given = gpu.given as CallColumns;
    const own = Array.from({ length: 20 }, (_, number) =>
      Array.from({ length: keyCount(given, number) }, (_, k) => keyNumber(given, number, k)),
    );
    // What all calls name is shared; the counter is not.
    const counters = own.map((keys) => keys.filter((key) => !own.every((other) => other.includes(key))));
    expect(new Set(counters.flat()).size).toBe(20);
    const values = counters.map(([key]) => given.keys[key * KEY_RECORD.words + KEY_RECORD.offset.VALUE_AT]);
    const numbers = values.slice(1).map((at) => [...given.bytes.subarray(at, at + 16)]);
    expect(numbers).toEqual(Array.from({ length: 19 }, (_, i) => [...u128Bytes(BigInt(i + 1))]));
  });

  it('that are too large for the kernel are left out, with nothing of theirs, and run on the CPU', async () => {
    const world = new World();
    const id = world.deploy(reader(3));
    world.state.set(placeOf(id, 0), new Uint8Array(300 * 1024).fill(1));
    world.state.set(placeOf(id, 1), Uint8Array.of(5));
    const gpu = new WatchedGpu();
    // The first and the last read the long value; all read the others.
    const result = await run(
      world,
      [1, 0, 0, 1].map((input, i) => message(call(id, input, i))),
      gpu,
    );
    expect(result.receipts.map(({ executor }) => executor)).toEqual(['reuse', 'gpu', 'gpu', 'reuse']);
    const given = gpu.given as CallColumns;
    expect([given.count, given.keys.length]).toEqual([2, 3 * KEY_RECORD.words]);
    // Contexts lie there together, also those of calls that are left out.
    expect(given.bytes.length).toBeLessThan(1_200);
  });
});
