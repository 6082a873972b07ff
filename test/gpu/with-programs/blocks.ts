// Blocks of calls whose values flow from one to the other.
import { expect, it } from 'vitest';
import { LaneEngine } from '../../../src/execute/engine.js';
import { CallRecorder } from '../../../src/gpu/pack/records.js';
import type { GpuExecutor } from '../../../src/gpu/pack/types.js';
import type { LaneKey } from '../../../src/lane/types.js';
import { MESSAGE_FUEL } from '../../../src/program/counters.js';
import { prepareProgram } from '../../../src/program/prepare.js';
import { comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { builtPrograms } from '../../../src/util/built-wasm.js';
import { concatBytes, u128Bytes } from '../../../src/util/bytes.js';
import { i32, OP, op, WasmBuilder } from '../../helpers/wasm-builder.js';
import { call, makeBlock, makeTx, World } from '../../lane/world.js';

const numbers = (...list: (number | bigint)[]): Uint8Array => concatBytes(...list.map((n) => u128Bytes(BigInt(n))));
const SEED = 77;

const program = prepareProgram(builtPrograms().probe);

/** An increment of counter `n` of contract 2:`contract`, which holds `value`. */
function increment(recorder: CallRecorder, contract: number, n: number, value: Uint8Array | undefined): number {
  const key = concatBytes(new TextEncoder().encode('ctr/'), numbers(n));
  const context = concatBytes(numbers(2, contract, 0, 0, 4, 0), numbers(4, n));
  const declared = [{ key, value, read: true, written: true }];
  return recorder.add(program.hash, { context, fuel: MESSAGE_FUEL, height: 1 }, declared, { bytes: 128 }) as number;
}

/** `open` gives the executor that they run on, once tests run; `openSmall` one that begins with the smallest window. */
export function blockCases(open: () => GpuExecutor, openSmall: () => GpuExecutor): void {
  it('later colours see earlier writes, keys belong to a contract, the CPU may set a value in between', async () => {
    const recorder = new CallRecorder(SEED);
    // Three calls of one counter, one of the same counter of another contract.
    for (const contract of [1, 1, 2, 1]) increment(recorder, contract, 9, numbers(5));
    const records = recorder.take();
    const programs = new Map([[program.hash, program]]);
    const segments = [[Uint32Array.of(0, 2), Uint32Array.of(1)], [Uint32Array.of(3)]];
    const run = await open().begin({ seed: SEED, records, programs, segments });
    try {
      const first = await run.run(0);
      expect([0, 1, 2].map((i) => first.status(i))).toEqual(['OK', 'OK', 'OK']);
      expect([0, 1, 2].map((i) => first.seen(i, 0))).toEqual([numbers(5), numbers(5), numbers(6)]);
      const writes = first.writes();
      expect(writes.count).toBe(3);
      expect([0, 1].map((slot) => writes.get(slot))).toEqual([numbers(7), numbers(6)]);
      run.set(0, numbers(40));
      const second = await run.run(1);
      expect(second.seen(0, 0)).toEqual(numbers(40));
      expect(second.writes().get(0)).toEqual(numbers(41));
      // The outcomes of the first segment can still be read.
      expect(first.seen(2, 0)).toEqual(numbers(6));
    } finally {
      run.close();
    }
  });

  it('a message that cannot pay for its result, or that the kernel stops, leaves the old value', async () => {
    const recorder = new CallRecorder(SEED);
    const key = concatBytes(new TextEncoder().encode('ctr/'), numbers(3));
    const context = concatBytes(numbers(2, 1, 0, 0, 4, 0), numbers(4, 3));
    const full = { key, value: numbers(1), read: true, written: true };
    // Enough for the run, not for an entry of 5,000 and the bytes of a map.
    const fuels = [MESSAGE_FUEL, program.entryFuel + 8_000, MESSAGE_FUEL, MESSAGE_FUEL];
    // The third may not write what it writes.
    fuels.forEach((fuel, i) => {
      recorder.add(program.hash, { context, fuel, height: 1 }, [{ ...full, written: i !== 2 }], { bytes: 128 });
    });
    const segments = [[0, 1, 2, 3].map((call) => Uint32Array.of(call))];
    const run = await open().begin({
      seed: SEED,
      records: recorder.take(),
      programs: new Map([[program.hash, program]]),
      segments,
    });
    try {
      const outcomes = await run.run(0);
      expect(outcomes.status(2)).toBe('ACCESS_VIOLATION');
      // The second wrote nothing, because it could not pay for its result.
      expect([outcomes.status(1), outcomes.fuelLeft(1) < 8_000]).toEqual(['OK', true]);
      expect(outcomes.seen(3, 0)).toEqual(numbers(2));
    } finally {
      run.close();
    }
  });

  it('a program that stores outside its window begins the next block with the next larger one, no larger', async () => {
    const b = new WasmBuilder();
    const far = prepareProgram(b.execute([i32(20_000), i32(7), op(OP.i32Store, 0, 0), i32(104)]).bytes());
    const statuses: string[] = [];
    for (let round = 0; round < 3; round++) {
      const recorder = new CallRecorder(SEED);
      // Two colours, so two dispatches, both of which find the window too small.
      for (const _ of [0, 1]) {
        recorder.add(far.hash, { context: numbers(2, 1), fuel: MESSAGE_FUEL, height: 1 }, [], { bytes: 0 });
      }
      const programs = new Map([[far.hash, far]]);
      const segments = [[Uint32Array.of(0), Uint32Array.of(1)]];
      const run = await openSmall().begin({ seed: SEED, records: recorder.take(), programs, segments });
      const outcomes = await run.run(0);
      statuses.push([0, 1].map((call) => outcomes.puntReason(call) ?? outcomes.status(call)).join());
      run.close();
    }
    expect(statuses).toEqual(['window,window', 'window,window', 'OK,OK']);
  });

  it('a block whose values flow between CPU and kernel needs no repair', async () => {
    const rules = { laneStartHeight: 0, dependent: 'demote', workers: 0 } as const;
    const engine = new LaneEngine({ policy: 'gpu', gpu: open(), waitForKernels: true, ...rules });
    const truth = new LaneEngine({ policy: 'sequential', ...rules });
    const world = new World();
    const ids = [world.deploy(), world.deploy()] as const;
    // The first transaction, of two messages, runs on the CPU and writes the value that the chain starts from.
    const mixed = makeTx({ protostones: ids.map((id) => ({ pointer: 0, refund: 0, message: call(id, 4, 0) })) });
    const chain = Array.from({ length: 5 }, () =>
      makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(ids[1], 4, 0) }] }),
    );
    const state = { reader: { get: (key: LaneKey) => world.state.get(key) } };
    const block = makeBlock([mixed, ...chain]);
    const result = await engine.processBlock(block, 5, state);
    const expected = await truth.processBlock(block, 5, state);
    expect(result.statistics.executors).toEqual({ reuse: 1, gpu: 5, cpu: 0, sequential: 0 });
    expect(result.statistics.repaired).toBe(0);
    expect(result.receipts.map(comparable)).toEqual(expected.receipts.map(comparable));
    expect(new Map([...result.writes].sort())).toEqual(new Map([...expected.writes].sort()));
  });
}
