import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuExecutor } from '../../src/gpu/pack/types.js';
import { translateProgram } from '../../src/gpu/translate/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { call, end, get, i32, loop, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';
import { gpuCall, runAndCompare } from './support.js';

const OUT = 104;
const words = (...numbers: number[]): Uint8Array => concatBytes(...numbers.map(u32Bytes));
/** Returns local 0 as a buffer of four bytes. */
const returnLocal = [i32(OUT - 4), i32(4), op(OP.i32Store, 0, 0), i32(OUT), get(0), op(OP.i32Store, 0, 0), i32(OUT)];

/** Code that runs `body` with local `counter` from `from` up to `to` in steps of `step`. */
function each(counter: number, from: number, to: number, step: number, body: ReturnType<typeof op>[]) {
  const next = [get(counter), i32(step), op(OP.i32Add), op(OP.localTee, counter), i32(to), op(OP.i32LtU)];
  return [i32(from), set(counter), loop(), ...body, ...next, op(OP.brIf, 0), end];
}

/** Mixes the word at the address in local 1 into local 0. */
const mixWord = [get(0), i32(31), op(OP.i32Mul), get(1), op(OP.i32Load, 0, 0), op(OP.i32Add), set(0)];

describe('large programs run in the kernel as on V8, or not at all', () => {
  let executor: GpuExecutor;
  beforeAll(async () => {
    executor = await openGpuExecutor({ patient: true });
  });
  afterAll(() => executor?.close());

  it('64 KiB of live memory', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    const fill = each(1, 0, 65_536, 4, [
      get(1),
      get(1),
      i32(0x9e3779b1),
      op(OP.i32Mul),
      get(2),
      op(OP.i32Add),
      op(OP.i32Store, 0, 0),
    ]);
    const input = [i32(OUT), call(loadContext), op(OP.i32Load, 0, 0), set(2)];
    b.execute([...input, ...fill, ...each(1, 0, 65_536, 4, mixWord), ...returnLocal], ['i32', 'i32', 'i32']);
    const results = await runAndCompare(
      executor,
      Array.from({ length: 40 }, (_, i) => gpuCall(b, { context: words(i), fuel: i === 7 ? 100_000 : 1_000_000 })),
    );
    expect(results.map((r) => r.status)).toEqual(results.map((_, i) => (i === 7 ? 'OUT_OF_FUEL' : 'OK')));
  });

  it('a data segment of 1 MiB: read anywhere, written inside the window; writes elsewhere are a PUNT', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.memory = { minPages: 17, maxPages: undefined };
    const size = 1024 * 1024;
    b.data(
      1024,
      Uint8Array.from({ length: size }, (_, i) => (i * 7) ^ (i >>> 8)),
    );
    // Context: where to write, where to read, where to start reading 4,000 words.
    const at = (n: number) => [i32(OUT), op(OP.i32Load, n * 4, 0)];
    b.execute(
      [
        i32(OUT),
        call(loadContext),
        op(OP.drop),
        ...at(0),
        i32(0x01020304),
        op(OP.i32Store, 0, 0),
        ...at(1),
        op(OP.i64Load, 0, 0),
        op(0xa7),
        set(0),
        ...at(2),
        set(2),
        ...each(1, 0, 16_000, 4, [
          get(0),
          i32(33),
          op(OP.i32Mul),
          get(1),
          get(2),
          op(OP.i32Add),
          op(OP.i32Load, 0, 0),
          op(0x73),
          set(0),
        ]),
        ...returnLocal,
      ],
      ['i32', 'i32', 'i32'],
    );
    const inputs = [
      [2000, 2000, 1020],
      [2001, 1021, 500_001],
      [8180, 8188, 8000],
      [8190, size + 1020, 1_000_000],
      [40_000, 39_998, 30_000],
      [65_532, 65_528, 60_000],
      [2000, size + 1024 - 7, size],
      [300_000, 2000, 2000],
      [17 * 65_536 - 3, 2000, 2000],
      [2000, 17 * 65_536 - 7, 2000],
      [2000, 2000, 17 * 65_536 - 8000],
    ];
    const results = await runAndCompare(
      executor,
      inputs.map((input) => gpuCall(b, { context: words(...input) })),
    );
    const done = ['OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'PUNT', 'TRAP', 'TRAP', 'TRAP'];
    expect(results.map((r) => r.status)).toEqual(done);
  });

  it('the window lies around a stack pointer that starts at 1 MiB', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.memory = { minPages: 17, maxPages: undefined };
    const stack = b.global('i32', 1024 * 1024);
    b.data(1024 * 1024, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const down = [op(OP.globalGet, stack), i32(64), op(OP.i32Sub), op(OP.globalSet, stack)];
    const own = [op(OP.globalGet, stack), i32(8), op(OP.i32Add)];
    const above = 1024 * 1024 + 2000;
    b.execute(
      [
        ...down,
        ...own,
        call(loadContext),
        op(OP.i32Load, 0, 0),
        set(0),
        // A word across the border of the stack and the data above it.
        op(OP.globalGet, stack),
        get(0),
        op(OP.i32Store, 61, 0),
        i32(above),
        i32(1024 * 1024),
        op(OP.i64Load, 0, 0),
        op(OP.i64Store, 0, 0),
        i32(above - 4),
        i32(8),
        op(OP.i32Store, 0, 0),
        i32(above),
      ],
      ['i32'],
    );
    const results = await runAndCompare(
      executor,
      [1, 77, -1].map((n) => gpuCall(b, { context: words(n >>> 0) })),
    );
    expect(results.map((r) => r.status)).toEqual(['OK', 'OK', 'OK']);
  });

  it('200 functions', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    const functions = Array.from({ length: 200 }, (_, i) =>
      b.function('(i32)->i32', [get(0), i32(2 * i + 1), op(OP.i32Mul), get(0), i32(i % 32), op(0x76), op(0x73)]),
    );
    const chain = functions.flatMap((f) => [get(0), call(f), set(0)]);
    const input = [i32(OUT), call(loadContext), op(OP.i32Load, 0, 0), set(0)];
    b.execute([...input, ...chain, ...returnLocal], ['i32']);
    const calls = Array.from({ length: 50 }, (_, i) => gpuCall(b, { context: words(i), fuel: i * 60 }));
    const results = await runAndCompare(executor, calls);
    expect(new Set(results.map((r) => r.status))).toEqual(new Set(['OUT_OF_FUEL', 'OK']));
  });

  it('200 functions that call each other have no kernel, and no driver gets to see them', () => {
    const b = new WasmBuilder();
    let below: number[] = [];
    for (let level = 0; level < 20; level++) {
      below = Array.from({ length: 10 }, (_, i) =>
        b.function('(i32)->i32', [
          get(0),
          i32(i),
          op(OP.i32Add),
          set(0),
          ...below.slice(0, 3).flatMap((f) => [get(0), call(f), set(0)]),
          get(0),
        ]),
      );
    }
    b.execute([...below.flatMap((f) => [i32(1), call(f), op(OP.drop)]), i32(OUT)]);
    const translation = translateProgram(prepareProgram(b.bytes()), { bytes: 8192, place: 'private' });
    expect(translation).toEqual({ ok: false, reason: expect.stringContaining('once inlined') });
    expect(executor.supports(prepareProgram(b.bytes())).ok).toBe(false);
  });
});
