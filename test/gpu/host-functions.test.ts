import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { kernelFunction } from '../../src/gpu/intrinsics/kernel-functions.js';
import type { GpuCall, GpuCallResult, GpuExecutor } from '../../src/gpu/pack/types.js';
import { ENV_IMPORTS, HOST_FUNCTIONS } from '../../src/program/env.js';
import { concatBytes, toHex, u32Bytes } from '../../src/util/bytes.js';
import { block, brTable, call, end, get, i32, i64, loop, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { expected, gpuCall, runAndCompare } from './support.js';

const PAGE = 65_536;
/** Calls the import `name` with the numbers in its context, then returns the buffer at 204. */
function caller(name: string): WasmBuilder {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  const target = b.import(name);
  const parameters = (ENV_IMPORTS[name] as string)
    .split(')')[0]
    ?.split(/[(,]/)
    .filter((p) => p !== '') as string[];
  const returns = !(ENV_IMPORTS[name] as string).endsWith('()');
  b.data(200, concatBytes(u32Bytes(8), new Uint8Array(8), u32Bytes(3), Uint8Array.of(107, 101, 121)));
  const pushes = parameters.flatMap((type, i) => (type === 'i64' ? [i64(0n)] : [i32(1004), op(OP.i32Load, i * 4, 0)]));
  return b.execute([
    i32(1004),
    call(loadContext),
    op(OP.drop),
    ...(returns ? [i32(204), ...pushes, call(target), op(OP.i32Store, 0, 0)] : [...pushes, call(target)]),
    i32(204),
  ]);
}

const words = (...numbers: number[]): Uint8Array => concatBytes(...numbers.map(u32Bytes));
/** Pointers at every edge (of the length word, of memory, of the number range), and good ones. */
const POINTERS = [
  0,
  3,
  4,
  204,
  216,
  1000,
  PAGE - 8,
  PAGE - 4,
  PAGE - 1,
  PAGE,
  PAGE + 1,
  2 ** 31,
  2 ** 32 - 4,
  2 ** 32 - 1,
];

describe('host functions in the kernel and on V8', () => {
  let executor: GpuExecutor;
  beforeAll(async () => {
    executor = await openGpuExecutor({ patient: true });
  });
  afterAll(() => executor?.close());

  const run = (calls: readonly GpuCall[]): Promise<GpuCallResult[]> => runAndCompare(executor, calls);
  const reads = [{ key: Uint8Array.of(107, 101, 121), value: Uint8Array.of(1, 2, 3, 4, 5) }];

  for (const name of Object.keys(HOST_FUNCTIONS).filter((name) => kernelFunction(name) !== undefined)) {
    it(`${name}: every pointer, every remaining fuel`, async () => {
      const program = caller(name);
      const writes = [reads[0]?.key as Uint8Array];
      const calls = POINTERS.flatMap((p) =>
        [216, p].map((q) => gpuCall(program, { context: words(p, q, 0, 0), reads, writes })),
      );
      const good = { context: words(216, 300, 0, 0), reads, writes };
      // The price of the whole call: with less fuel it ends OUT_OF_FUEL, in every block and at every charge.
      const whole = gpuCall(program, good);
      const used = whole.fuel - whole.program.entryFuel - (expected(whole).fuelLeft ?? 0);
      const fuels = [0, 19, 20, 21, 130, 150, 151, 152, 153, 154, 155, 500];
      for (let short = -1; short < 60; short++) fuels.push(Math.max(0, used - short));
      calls.push(...fuels.map((fuel) => gpuCall(program, { ...good, fuel })));
      const results = await run(calls);
      expect(results.map((r) => r.status)).toContain('OUT_OF_FUEL');
      const done = results.filter((r) => r.status !== 'PUNT').length;
      // An abort that says something is the CPU's.
      if (name === 'abort') expect([results[0]?.puntReason, results[1]?.reason]).toEqual(['text', 'abort']);
      else expect(done).toBeGreaterThan(calls.length / 2);
      if (name === '__load_context') expect(results.map((r) => r.reason)).toContain('bad-pointer');
    });
  }

  it('imports without a kernel function are a PUNT only where they are called', async () => {
    const b = new WasmBuilder();
    const requestContext = b.import('__request_context');
    const sequence = b.import('__sequence');
    b.execute([block(), call(requestContext), op(OP.i32Eqz), op(OP.brIf, 0), i32(104), call(sequence), end, i32(104)]);
    const results = await run([gpuCall(b), gpuCall(b, { context: Uint8Array.of(1) })]);
    expect(results.map((r) => [r.status, r.puntReason])).toEqual([
      ['OK', undefined],
      ['PUNT', 'import'],
    ]);
  });

  it('a changed table and recursion, direct or not, are a PUNT only where they happen', async () => {
    const paths = (numbered: (b: WasmBuilder, self: number) => ReturnType<typeof op>[]): WasmBuilder => {
      const b = new WasmBuilder();
      const requestContext = b.import('__request_context');
      const self = b.nextFunction;
      b.function('()->i32', [
        block(),
        call(requestContext),
        op(OP.i32Eqz),
        op(OP.brIf, 0),
        ...numbered(b, self),
        op(OP.drop),
        end,
        i32(104),
      ]);
      return b.export('__execute', self);
    };
    const programs = [
      paths((b) => {
        b.table = { min: 2, max: 4 };
        return [op(OP.refNull, 0x70), i32(1), op(OP.tableGrow, 0)];
      }),
      paths((b, self) => {
        b.tableOf(self);
        return [i32(0), op(OP.callIndirect, b.type('()->i32'), 0)];
      }),
      paths((_, self) => [call(self)]),
    ];
    const results = await run(programs.flatMap((p) => [gpuCall(p), gpuCall(p, { context: Uint8Array.of(1) })]));
    expect(results.map((r) => r.puntReason)).toEqual([
      undefined,
      'table',
      undefined,
      'recursion',
      undefined,
      'recursion',
    ]);
    expect(results[0]?.status).toBe('OK');
  });

  it('a result pointer outside memory gives no result; one at its very end does', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.execute([i32(104), call(loadContext), op(OP.i32Load, 0, 0)]);
    const results = await run(POINTERS.map((p) => gpuCall(b, { context: words(p) })));
    const bad = POINTERS.map((p) => p < 4 || p > PAGE);
    expect(results.map((r) => r.result === undefined)).toEqual(bad);
  });

  it('a store outside the small window runs again in the large one; a load there reads zeros', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.execute([
      i32(104),
      call(loadContext),
      op(OP.i32Load, 0, 0),
      op(OP.i64Load, 4, 0),
      op(OP.drop),
      i32(104),
      op(OP.i32Load, 0, 0),
      i32(0x01020304),
      op(OP.i32Store, 4, 0),
      i32(60_000),
      i32(8),
      op(OP.i32Store, 0, 0),
      i32(60_004),
    ]);
    const at = [0, 1000, 8_180, 8_188, 20_001, 59_999, 65_524, 65_529, 70_000];
    const results = await run(at.map((n) => gpuCall(b, { context: words(n) })));
    expect(results.map((r) => r.status)).toEqual([...at.slice(0, 7).map(() => 'OK'), 'TRAP', 'TRAP']);
  });

  it('an output larger than its space is a PUNT', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.execute([i32(104), call(loadContext)]);
    const results = await run([2048, 2049].map((n) => gpuCall(b, { context: new Uint8Array(n) })));
    expect(results.map((r) => r.puntReason)).toEqual([undefined, 'output']);
  });

  it('a frame beyond the stack budget traps, one that ends at exactly 32,768 slots does not', async () => {
    // A frame takes 16 slots, its locals, its operand depth and 1 per started 16 instructions: 19 of 16 + 982 + 1 + 1.
    // A local (of which a module may have 20,000) takes as much as an operand: 12,200 are below the call of __execute.
    const operands = 12_200;
    const instructions = 2 * operands + 4;
    const rest = 32_768 - 19 * 1_000 - 16 - (operands + 1) - Math.ceil(instructions / 16);
    for (const extra of [0, 1]) {
      const top = new WasmBuilder();
      let f = top.function('()->i32', [i32(104)], new Array(982).fill('i32'));
      for (let i = 0; i < 18; i++) f = top.function('()->i32', [call(f)], new Array(982).fill('i32'));
      const below = new Array(operands).fill(i32(1));
      const dropped = new Array(operands).fill(op(OP.drop));
      const code = [...below, call(f), op(OP.localSet, 0), ...dropped, op(OP.localGet, 0)];
      top.execute(code, new Array(rest + extra).fill('i32'));
      expect((await run([gpuCall(top)])).map((r) => r.status)).toEqual([extra === 0 ? 'OK' : 'TRAP']);
    }
  });

  it('the entry charge comes before segments and frames, and is the same for a memory of any size', async () => {
    for (const minPages of [0, 1, 3]) {
      const b = new WasmBuilder();
      b.memory = { minPages, maxPages: undefined };
      if (minPages > 0) b.data(8, new Uint8Array(9));
      b.execute([i32(8)], new Array(800).fill('i32'));
      const { program } = gpuCall(b);
      const entry = minPages === 0 ? 0 : 5_000 * minPages + 3 + 200;
      const fuels = [0, entry - 1, entry, entry + 1, entry + 2].filter((fuel) => fuel >= 0);
      const results = await run(fuels.map((fuel) => ({ ...gpuCall(b), program, fuel })));
      const done = fuels.map((fuel) => (fuel > entry ? ['OK', fuel - entry - 1] : ['OUT_OF_FUEL', 0]));
      expect(results.map((r) => [r.status, r.fuelLeft])).toEqual(done);
    }
  });

  it('an endless loop runs out of fuel, and fuel that ends at exactly 0 does not', async () => {
    const endless = new WasmBuilder().execute([loop(), op(OP.br, 0), end, i32(0)]);
    expect((await run([gpuCall(endless, { fuel: 100_000 })])).map((r) => r.status)).toEqual(['OUT_OF_FUEL']);
    const b = new WasmBuilder().execute([i32(100), i32(4), op(OP.i32Add)]);
    const results = await run([2, 3, 4].map((fuel) => gpuCall(b, { fuel })));
    expect(results.map((r) => [r.status, r.fuelLeft])).toEqual([
      ['OUT_OF_FUEL', 0],
      ['OK', 0],
      ['OK', 1],
    ]);
  });

  it('a branch table of every index, and a data segment at every alignment', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.data(1, Uint8Array.of(1, 2, 3, 4, 5))
      .data(4, Uint8Array.of(9))
      .data(1000, Uint8Array.of(0, 0, 0, 7));
    b.execute(
      [
        i32(204),
        call(loadContext),
        op(OP.i32Load, 0, 0),
        op(OP.localSet, 0),
        block(),
        block(),
        block(),
        get(0),
        brTable(2, 0, 1, 0, 2, 1),
        end,
        i32(300),
        i32(1),
        op(OP.i32Store, 0, 0),
        end,
        i32(301),
        i32(0x0202),
        op(OP.i32Store, 0, 0),
        end,
        i32(100),
        i32(0),
        i32(64),
        op(OP.memoryCopy, 0, 0),
        i32(296),
        i32(8),
        op(OP.i32Store, 0, 0),
        i32(300),
      ],
      ['i32'],
    );
    const results = await run([0, 1, 2, 3, 4, 5, 6, 2 ** 32 - 1].map((n) => gpuCall(b, { context: words(n) })));
    expect(results.map((r) => r.status)).toEqual(results.map(() => 'OK'));
    expect(new Set(results.map((r) => toHex(r.result as Uint8Array))).size).toBe(3);
  });
});
