// Contracts that read key after key of a real database: every way of running them says what one read after the other
// says.
import { afterAll, describe, expect, it } from 'vitest';
import { LaneEngine, type LaneEngineOptions, type StateSource } from '../../src/execute/engine.js';
import { storageKeyOfBytes } from '../../src/lane/keys.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { Store } from '../../src/store/store.js';
import { StoredState } from '../../src/store/stored-state.js';
import { u32Bytes } from '../../src/util/bytes.js';
import {
  call as callOf,
  get,
  i32,
  loop,
  OP,
  op,
  set,
  store as storeI32,
  WasmBuilder,
} from '../helpers/wasm-builder.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';
import { block as commitOf, OPTIONS, temporaryFolder } from '../store/helpers.js';

const CONTEXT = 1_028;
const FIRST_INPUT = CONTEXT + 96;
const KEY = 4_004;
const READS = 600;
/** Of the result: no transfers, one entry of a key and a value of 4 bytes each. */
const [RESULT, ENTRY_KEY, ENTRY_VALUE, RESULT_BYTES] = [8_004, 8_028, 8_036, 36];

/** Adds up the lengths of the values of keys 0 to 599, and writes the sum under its first input. */
function reader(): Uint8Array {
  const b = new WasmBuilder();
  const context = b.import('__load_context');
  const request = b.import('__request_storage');
  b.data(KEY - 4, u32Bytes(4));
  b.data(RESULT - 4, u32Bytes(RESULT_BYTES));
  b.data(RESULT + 16, Uint8Array.of(1, 0, 0, 0, 4, 0, 0, 0));
  b.data(ENTRY_KEY + 4, u32Bytes(4));
  const next = [get(0), i32(1), op(OP.i32Add), set(0)];
  const code = [
    ...[i32(CONTEXT), callOf(context), op(OP.drop), loop(), i32(KEY), get(0), storeI32()],
    ...[i32(KEY), callOf(request), get(1), op(OP.i32Add), set(1), ...next],
    ...[get(0), i32(READS), op(OP.i32LtU), op(OP.brIf, 0), op(OP.end)],
    ...[i32(ENTRY_KEY), i32(FIRST_INPUT), op(OP.i32Load, 0, 2), storeI32(), i32(ENTRY_VALUE), get(1), storeI32()],
    ...[i32(RESULT)],
  ];
  return b.execute(code, ['i32', 'i32']).bytes();
}

const engines: LaneEngine[] = [];
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
});

async function run(
  options: Partial<LaneEngineOptions>,
  world: World,
  block: ReturnType<typeof makeBlock>,
  of: StateSource,
) {
  const engine = new LaneEngine({ policy: 'cpu', workers: 0, laneStartHeight: 0, dependent: 'demote', ...options });
  engines.push(engine);
  const result: LaneBlockResult = await engine.processBlock(block, world.height, of);
  return { result, same: { receipts: result.receipts.map(comparable), writes: [...result.writes].sort() } };
}

describe('a block of contracts that each read hundreds of keys', () => {
  it('ends the same whether they are read one by one or as a whole, here and on workers', async () => {
    const world = new World();
    const ids = [world.deploy(reader()), world.deploy(reader())];
    expect(ids).toEqual(['2:1', '2:2']);
    const own = (tx: number, i: number): LaneKey => {
      const id = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 2 : at === 16 ? tx : 0));
      return storageKeyOfBytes(id, u32Bytes(i));
    };
    for (let i = 0; i < 900; i += 3) world.state.set(own(1, i), new Uint8Array(i % 40));
    // Twelve of each contract; every fourth writes what the others read.
    const block = makeBlock(
      Array.from({ length: 24 }, (_, i) =>
        makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(ids[i % 2], i % 8 < 2 ? i : 1_000 + i) }] }),
      ),
    );
    const { result, same: truth } = await run({ policy: 'sequential' }, world, block, {
      reader: { get: (key: LaneKey) => world.state.get(key) },
    });
    expect(result.receipts.every(({ messages }) => messages[0].status === 'OK')).toBe(true);
    expect(result.receipts.every(({ readTotal }) => readTotal >= READS)).toBe(true);
    expect(truth.writes.length).toBe(24);
    expect(new Set(truth.writes.map(([, value]) => value?.join())).size).toBeGreaterThan(4);

    const store = await Store.open(temporaryFolder(), OPTIONS);
    try {
      store.commitBlock({ ...commitOf(0), laneWrites: new Map(world.state) });
      const stored = () => ({ reader: new StoredState(store), storeHandle: store.handle });
      for (const options of [{ policy: 'sequential' }, { workers: 0 }, { workers: 2 }] as const) {
        const { same } = await run(options, world, block, stored());
        expect(same, JSON.stringify(options)).toEqual(truth);
      }
    } finally {
      await Promise.all(engines.splice(0).map((engine) => engine.close()));
      await store.close();
    }
  });
});

describe('the stored state', () => {
  it('gives all under a prefix as single reads do, and nothing where there is more than the limit', async () => {
    const store = await Store.open(temporaryFolder(), OPTIONS);
    try {
      const rows = { 'a/1': 'one', 'a/2': '', 'a/3': 'three', b: 'x', a0: 'y', 'a.': 'z' };
      store.commitBlock(commitOf(0, { 'a/4': 'of the other lane' }, rows));
      store.commitBlock(commitOf(1, {}, { 'a/3': null, 'a/9': 'nine' }));
      const state = new StoredState(store);
      const found = state.allUnder('a/', 3, 1e6);
      expect([...(found ?? [])].map(([key]) => key)).toEqual(['a/1', 'a/2', 'a/9']);
      for (const [key, value] of found ?? []) expect(value).toEqual(state.get(key));
      expect(state.allUnder('a/', 2, 1e6)).toBeUndefined();
      expect(state.allUnder('a/', 3, 600)).toBeUndefined();
      expect(state.allUnder('c', 0, 0)).toEqual(new Map());
    } finally {
      await store.close();
    }
  });
});
