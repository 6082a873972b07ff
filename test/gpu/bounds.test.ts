import { afterAll, beforeAll, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall, GpuExecutor } from '../../src/gpu/pack/types.js';
import type { Instruction } from '../../src/program/module.js';
import { u32Bytes } from '../../src/util/bytes.js';
import {
  block,
  brTable,
  call,
  end,
  get,
  i32,
  i64,
  if_,
  loop,
  OP,
  op,
  set,
  WasmBuilder,
} from '../helpers/wasm-builder.js';
import { gpuCall, runAndCompare } from './support.js';

const PAGE = 65_536;
let executor: GpuExecutor;
beforeAll(async () => {
  executor = await openGpuExecutor({ patient: true });
}, 120_000);
afterAll(() => executor?.close());

/** Loads and stores of whole words: those that the translator writes without checks where the address is constant. */
const LOADS = [OP.i32Load, OP.i64Load, 0x34, 0x35];
const STORES = [OP.i32Store, OP.i64Store, 0x3e];

/** One access at a constant address, part of it in `offset=`. */
function access(code: number, address: number, offset: number): Instruction[] {
  const base = i32(address - offset);
  if (LOADS.includes(code)) return [base, op(code, offset, 0), op(OP.drop)];
  return [base, code === OP.i32Store ? i32(9) : i64(9n), op(code, offset, 0)];
}

/**
 * A program that makes access number `first word of the context` of `accesses`, after `before`; memory.grow(number of the second word)
 * comes before it where `grows`. All in one kernel: drivers take long over each.
 */
function chooser(minPages: number, maxPages: number | undefined, accesses: readonly Instruction[][], grows: boolean) {
  const b = new WasmBuilder();
  b.memory = { minPages, maxPages };
  const arguments_ = b.import('__request_context');
  // The context's length says which access and how many pages: no memory is needed to read it.
  const tests = accesses.flatMap((code, i) => [get(0), i32(i), op(OP.i32Eq), if_(), ...code, end]);
  b.execute(
    [
      call(arguments_),
      op(OP.localTee, 0),
      i32(accesses.length),
      op(0x70),
      get(0),
      i32(accesses.length),
      op(0x6e),
      set(1),
      set(0),
      ...(grows ? [get(1), op(OP.memoryGrow, 0), op(OP.drop)] : []),
      ...tests,
      i32(4),
    ],
    ['i32', 'i32'],
  );
  return b;
}

it('accesses at constant addresses trap where memory has fewer pages, also after a memory.grow that failed or was too small', async () => {
  const near = [0, 2_040];
  const edge = [PAGE - 4, PAGE];
  // The address is the constant, or the constant and `offset=` together.
  const all = ([first, second]: readonly number[]) => [
    ...[...LOADS, ...STORES].map((code) => access(code, first, 0)),
    ...[...LOADS, ...STORES].map((code) => access(code, second, 8)),
  ];
  const count = all(near).length;
  const programs = [
    { builder: chooser(0, undefined, all(near), false), pages: [0] },
    { builder: chooser(0, 1, all(near), true), pages: [0, 1, 2] },
    { builder: chooser(1, 2, all(edge), true), pages: [0, 1, 5] },
  ];
  for (const { builder, pages } of programs) {
    const { program } = gpuCall(builder);
    const calls: GpuCall[] = pages.flatMap((grown) =>
      Array.from({ length: count }, (_, i) => ({
        ...gpuCall(builder, { context: new Uint8Array(grown * count + i) }),
        program,
      })),
    );
    const results = await runAndCompare(executor, calls);
    // Each of them is decided in the kernel, and both endings occur wherever memory may grow.
    expect(results.filter(({ status }) => status === 'TRAP').length).toBeGreaterThan(0);
    if (pages.length > 1) expect(results.filter(({ status }) => status !== 'TRAP').length).toBeGreaterThan(0);
  }
}, 240_000);

it('a branch to a loop carries its parameters, never its results: br, br_if, br_table, from every depth', async () => {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  const takes = { kind: 'type', index: b.type('(i32,i64)->(i32,i64)') } as const;
  const gives = { kind: 'type', index: b.type('()->(i32,i64)') } as const;
  const down = [get(1), i32(1), op(OP.i32Sub), op(OP.localTee, 1)];
  // Operands lie on the stack below each loop: they must not be taken for what a branch carries.
  const results = [
    i32(1000),
    loop('i32'),
    get(0),
    i32(3),
    op(OP.i32Add),
    set(0),
    ...down,
    op(OP.brIf, 0),
    get(0),
    end,
    op(OP.i32Add),
    set(0),
  ];
  const inBlocks = [
    i64(5n),
    loop(gives),
    block(),
    block(),
    get(0),
    i32(7),
    op(OP.i32Mul),
    set(0),
    ...down,
    i32(3),
    op(0x70),
    brTable(0, 2, 1, 2),
    end,
    get(0),
    i32(1),
    op(OP.i32Add),
    set(0),
    ...down,
    i32(0),
    op(0x4a),
    op(OP.brIf, 1),
    end,
    get(1),
    i32(0),
    op(0x4a),
    if_(),
    op(OP.br, 1),
    end,
    get(0),
    i64(9n),
    end,
    set(2),
    set(0),
    set(3),
  ];
  const parameters = [
    get(0),
    get(3),
    loop(takes),
    set(2),
    set(0),
    get(0),
    i32(5),
    op(0x78),
    get(2),
    get(3),
    op(0x7c),
    ...down,
    i32(0),
    op(0x4a),
    op(OP.brIf, 0),
    block(),
    get(0),
    get(2),
    get(4),
    i32(2),
    op(OP.i32LtU),
    get(4),
    i32(1),
    op(OP.i32Add),
    set(4),
    op(OP.brIf, 1),
    op(OP.drop),
    op(OP.drop),
    end,
    end,
    set(2),
    set(0),
  ];
  const reset = [i32(200), op(OP.i32Load, 4, 0), i32(31), op(0x71), i32(1), op(0x72), set(1)];
  b.execute(
    [
      i32(200),
      call(loadContext),
      op(OP.i32Load, 0, 0),
      set(0),
      ...reset,
      ...results,
      ...reset,
      ...inBlocks,
      ...reset,
      ...parameters,
      i32(100),
      i32(12),
      op(OP.i32Store, 0, 0),
      i32(104),
      get(0),
      op(OP.i32Store, 0, 0),
      i32(104),
      get(2),
      op(OP.i64Store, 4, 0),
      i32(104),
    ],
    ['i32', 'i32', 'i64', 'i64', 'i32'],
  );
  const { program } = gpuCall(b);
  expect(executor.supports(program)).toEqual({ ok: true });
  const calls = Array.from({ length: 64 }, (_, i) => {
    const context = new Uint8Array([...u32Bytes(i * 0x01234567), ...u32Bytes(i)]);
    return { ...gpuCall(b, { context, fuel: i % 9 === 0 ? 60 : 10_000 }), program };
  });
  const seen = await runAndCompare(executor, calls);
  expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(['OK', 'OUT_OF_FUEL']));
}, 120_000);
