import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { CallBuffers, CallingFrame, Program, RunHost } from '../../src/program/types.js';
import { hostOf } from '../../src/selftest/fuzz-kernel/compare.js';
import { randomFuel, randomInput, randomModule } from '../../src/selftest/fuzz-kernel/generate.js';
import { Random } from '../../src/selftest/fuzz-kernel/random.js';
import { BothTiers } from '../../src/selftest/tiers.js';
import { bytesEqual, concatBytes } from '../../src/util/bytes.js';
import {
  block,
  brTable,
  call,
  else_,
  end,
  get,
  i32,
  i64,
  if_,
  load,
  loop,
  OP,
  op,
  parseSignature,
  set,
  store,
  WasmBuilder,
} from '../helpers/wasm-builder.js';
import { randomNumbers, randomProgram } from './random-program.js';
import { randomTables } from './random-tables.js';
import { testHost } from './support.js';

const FUEL = 3_500_000;
const RETURN = [i32(4)];

const tiers = new BothTiers();

/** Runs on both; they must agree. */
function run(program: Program, fuel = FUEL) {
  const { result, difference } = tiers.run(program, () => testHost().host, fuel);
  expect(difference).toBeUndefined();
  return result;
}

describe('the interpreter says what V8 says', () => {
  it('of random modules on random inputs, with any fuel', () => {
    const seen = new Map<string, number>();
    const seed = 20_261;
    for (let module = 0; module < 120; module++) {
      const program = prepareProgram(randomModule(seed, module));
      const random = new Random(seed, -2 - module);
      for (let i = 0; i < 25; i++) {
        const context = randomInput(random);
        const fuel = randomFuel(random, program.entryFuel);
        const host = () => hostOf({ program, context, height: 7, fuel, reads: [], writes: [] });
        const { result, difference } = tiers.run(program, host, fuel);
        expect(difference, `module ${module}, run ${i}`).toBeUndefined();
        seen.set(result.status, (seen.get(result.status) ?? 0) + 1);
      }
    }
    for (const status of ['OK', 'TRAP', 'OUT_OF_FUEL', 'REVERT']) expect(seen.get(status), status).toBeGreaterThan(50);
  });

  it('of random programs and of those that change their table, also when the fuel ends anywhere', () => {
    fc.assert(
      fc.property(randomNumbers, fc.boolean(), fc.nat(10_000), (numbers, tables, part) => {
        const program = prepareProgram((tables ? randomTables(numbers) : randomProgram(numbers)).bytes());
        const used = FUEL - run(program).fuelLeft;
        run(program, Math.floor((used * part) / 10_000));
      }),
      { numRuns: 300 },
    );
  });

  it('of numbers that take more bytes than they need', () => {
    const b = new WasmBuilder();
    b.execute(
      [
        ...[i32(7), i32(9), i32(1), op(OP.selectTyped, 0x7f), set(0), get(0), i32(4), op(OP.i32Add)],
        ...[op(OP.drop), i32(4), get(0), store(), i32(4)],
      ],
      ['i32'],
    );
    const plain = b.bytes();
    // The body's instructions, one number after the other in its longest form.
    for (const [bytes, longer] of [
      [
        [0x1c, 0x01, 0x7f],
        [0x1c, 0x81, 0x80, 0x80, 0x80, 0x00, 0x7f],
      ],
      [
        [0x21, 0x00],
        [0x21, 0x80, 0x80, 0x80, 0x80, 0x00],
      ],
      [
        [0x41, 0x07],
        [0x41, 0x87, 0x80, 0x80, 0x80, 0x00],
      ],
      [
        [0x36, 0x02, 0x00],
        [0x36, 0x82, 0x80, 0x00, 0x80, 0x80, 0x00],
      ],
    ] as const) {
      const padded = prepareProgram(withinBody(plain, bytes, longer));
      expect(run(padded)).toEqual(run(prepareProgram(plain)));
    }
  });

  it('of branches: every label of a table, blocks that take and give values, code that nobody reaches', () => {
    const b = new WasmBuilder();
    const two = b.types.push(parseSignature('(i32,i32)->i32,i32')) - 1;
    const typed = { kind: 'type', index: two } as const;
    const choose = b.function('(i32)->i32', [
      ...[block('i32'), block('i32'), block('i32'), i32(10), get(0), brTable(0, 1, 2, 1, 0, 2), end],
      ...[i32(1), op(OP.i32Add), op(OP.br, 1), i32(5), if_(), op(OP.unreachable), else_, op(OP.nop), end, end],
      ...[i32(2), op(OP.i32Add), end],
    ]);
    const count = b.function(
      '(i32)->i32',
      [
        ...[i32(0), get(0), loop(typed), set(1), get(1), op(OP.i32Add), get(1), i32(1), op(OP.i32Sub)],
        ...[op(OP.localTee, 1), get(1), op(OP.brIf, 0), end, op(OP.drop)],
      ],
      ['i32'],
    );
    const leave = b.function('(i32)->i32', [
      ...[get(0), if_('i32'), i32(3), op(OP.return), else_, i32(4), get(0), op(OP.i32Eqz), op(OP.brIf, 1), end],
    ]);
    const store4 = (at: number, ...value: ReturnType<typeof i32>[]) => [i32(at), ...value, store()];
    const values = Array.from({ length: 8 }, (_, i) => i);
    b.execute([
      ...store4(4, i32(100)),
      ...values.flatMap((i) => store4(8 + 4 * i, i32(i), call(choose))),
      ...values.flatMap((i) => store4(40 + 4 * i, i32(i + 1), call(count))),
      ...values.flatMap((i) => store4(72 + 4 * i, i32(i & 1), call(leave))),
      ...[i32(8)],
    ]);
    expect(run(prepareProgram(b.bytes())).status).toBe('OK');
  });

  it('of every load and store: at the last place and behind it, and with offsets that go round', () => {
    const end_ = 65_536;
    for (const [code, width, type] of ACCESSES) {
      const stores = code >= 0x36;
      const value = type === 'i32' ? i32(-2_023_406_815) : i64(-0x0123_4567_89ab_cdefn);
      for (const [address, offset] of [
        [end_ - width, 0],
        [end_ - width + 1, 0],
        [40, end_ - width - 40],
        [41, end_ - width - 40],
        [-1, 1],
        [-8, 0],
        [33, 7],
      ]) {
        const b = new WasmBuilder();
        b.memory = { minPages: 1, maxPages: undefined };
        b.data(
          32,
          Uint8Array.from({ length: 24 }, (_, i) => 0x83 + 7 * i),
        );
        b.data(
          end_ - 16,
          Uint8Array.from({ length: 16 }, (_, i) => 0xf1 - 5 * i),
        );
        const at = op(code, offset, 0);
        const done = stores
          ? [i32(address), value, at]
          : [i32(16), i32(address), at, op(type === 'i32' ? OP.i32Store : OP.i64Store, 0, 0)];
        b.execute([...done, i32(4), i32(end_ - 8), store(), i32(8)]);
        const { status } = run(prepareProgram(b.bytes()));
        expect(status === 'TRAP').toBe((address >>> 0) + offset + width > end_);
      }
    }
  });

  it('of locals, which begin at 0 wherever operands lay before', () => {
    for (const count of [1, 2, 15, 16, 17, 300]) {
      const b = new WasmBuilder();
      const locals = new Array<'i32'>(count).fill('i32');
      const sum = locals.flatMap((_, i) => (i === 0 ? [get(0)] : [get(i), op(OP.i32Add)]));
      const f = b.function('()->i32', sum, locals);
      const junk = new Array(count + 20).fill(i32(-1));
      b.execute([...junk, ...junk.map(() => op(OP.drop)), i32(8), call(f), store(), i32(4), i32(4), store(), i32(8)]);
      expect(run(prepareProgram(b.bytes())).result).toEqual(new Uint8Array(4));
    }
  });

  it('of a stack budget that ends at exactly 32,768 slots or one later, and of many locals and results', () => {
    for (const locals of [0, 3, 40, 900]) {
      const b = new WasmBuilder();
      const deeper = b.function(
        '(i32)->i32,i32,i32',
        [
          ...[get(0), i32(1), op(OP.i32Add), op(OP.localTee, 0), i32(1), i32(2), get(0), op(OP.i32Eqz)],
          ...[if_(), op(OP.unreachable), end, op(OP.drop), op(OP.drop), op(OP.drop), i32(0), get(0), store()],
          ...[get(0), call(0)],
        ],
        new Array<'i32'>(locals).fill('i32'),
      );
      b.execute([i32(0), call(deeper), op(OP.drop), op(OP.drop), op(OP.drop), ...RETURN]);
      expect(run(prepareProgram(b.bytes())).status).toBe('TRAP');
    }
  });
});

describe('runs of the interpreter', () => {
  it('find their memory, globals, table and segments as fresh ones do, whoever ran before', () => {
    const interpreting = new ProgramRunner({ compiles: 'nothing' });
    fc.assert(
      fc.property(fc.array(randomNumbers, { minLength: 3, maxLength: 4 }), (many) => {
        const programs = many.map((numbers, i) =>
          prepareProgram((i % 2 ? randomTables(numbers) : randomProgram(numbers).data(8, Uint8Array.of(1, 2))).bytes()),
        );
        for (const program of [...programs, ...programs]) {
          const expected = new ProgramRunner({ compiles: 'nothing' }).run(program, testHost().host, 100_000);
          expect(interpreting.run(program, testHost().host, 100_000)).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('end with what their host throws, and the next one runs as if nothing had been', () => {
    const b = new WasmBuilder();
    const height = b.import('__height');
    b.memory = { minPages: 1, maxPages: undefined };
    b.execute([i32(8), call(height), i32(8)]);
    const program = prepareProgram(b.bytes());
    const runner = new ProgramRunner({ compiles: 'nothing' });
    const { host } = testHost();
    const gone = new TypeError('the database is gone');
    const failing = Object.defineProperty({ ...host }, 'height', {
      get: () => {
        throw gone;
      },
    });
    const expected = runner.run(program, host, FUEL);
    expect(() => runner.run(program, failing, FUEL)).toThrow(gone);
    expect(runner.run(program, host, FUEL)).toEqual(expected);
    expect(expected.status).toBe('OK');
  });

  it('keep as many programs as their room holds, and find those again that had to make room', () => {
    const runner = new ProgramRunner({ compiles: 'nothing', interpretedBytes: 40_000 });
    const programs = Array.from({ length: 12 }, (_, i) => prepareProgram(sized(7_000, i).bytes()));
    for (let round = 0; round < 3; round++) {
      for (const [i, program] of programs.entries()) {
        const { status, result } = runner.run(program, testHost().host, FUEL);
        expect([status, result?.[0]]).toEqual(['OK', i]);
        expect(runner.kept.interpreted).toBeLessThanOrEqual(5);
      }
    }
    expect(runner.kept).toMatchObject({ interpreted: 5, compiled: 0 });
    // One that is larger than all the room is compiled.
    const large = prepareProgram(sized(50_000, 77).bytes());
    expect(runner.run(large, testHost().host, FUEL).result?.[0]).toBe(77);
    expect(runner.kept).toMatchObject({ interpreted: 5, compiled: 1 });
  });

  it('leave a program to V8 once that pays, and take it back for longer when its code is dropped', () => {
    const program = prepareProgram(looping(10_000).bytes());
    const others = Array.from({ length: 3 }, (_, i) => prepareProgram(looping(10_001 + i).bytes()));
    const runner = new ProgramRunner({ compiledBytes: Math.ceil(1.5 * program.compiledBytes) });
    const runsOf = (one: Program): number => {
      const before = compiledBy(runner);
      for (let runs = 0; ; runs++) {
        runner.run(one, testHost().host, FUEL);
        if (compiledBy(runner) !== before) return runs;
      }
    };
    const first = runsOf(program);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(20);
    // Their code takes its place.
    for (const other of others) runsOf(other);
    const again = runsOf(program);
    expect(again).toBeGreaterThanOrEqual(2 * first - 1);
  });

  it('give memory back to the machine when a message took much of it', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: 512, maxPages: undefined };
    b.execute([i32(33_554_424), i32(1), store(), i32(16)]);
    const large = prepareProgram(b.bytes());
    const small = prepareProgram(sized(100, 3).bytes());
    const runner = new ProgramRunner({ compiles: 'nothing' });
    runner.run(small, testHost().host, FUEL);
    expect(runner.kept.interpreted).toBe(1);
    for (let i = 0; i < 3; i++) expect(runner.run(large, testHost().host, FUEL).status).toBe('OK');
    // 512 pages are kept, together with what was before them they would be too much.
    expect(runner.kept.interpreted).toBe(2);
  });

  it('keep much memory for those that need it, and give it back once nobody does', () => {
    const b = new WasmBuilder();
    const makeCall = b.import('__call');
    b.memory = { minPages: 400, maxPages: undefined };
    b.execute([i32(4), i32(4), i32(4), i64(0n), call(makeCall), op(OP.drop), i32(4)]);
    const nested = prepareProgram(b.bytes());
    const small = prepareProgram(sized(100, 4).bytes());
    const made = (_: CallBuffers, frame: CallingFrame): Uint8Array => {
      if (frame.depth < 4) expect(frame.run(nested, host)?.status).toBe('OK');
      return new Uint8Array(0);
    };
    const host: RunHost = testHost({ call: made }).host;
    // What is kept after one large message and so many small ones; a thread that has others beside it keeps less.
    const keptAfter = (messages: number, compiledBytes?: number): number => {
      const runner = new ProgramRunner({ compiles: 'nothing', ...(compiledBytes && { compiledBytes }) });
      expect(runner.run(nested, host, 40 * FUEL).status).toBe('OK');
      for (let i = 0; i < messages; i++) runner.run(small, testHost().host, FUEL);
      return runner.kept.interpreted;
    };
    expect([0, 499, 500].map((messages) => keptAfter(messages))).toEqual([1, 2, 0]);
    expect(keptAfter(0, 64 * 2 ** 20)).toBe(0);
  });

  it('give results that later runs leave alone, however long', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: 20, maxPages: undefined };
    const height = b.import('__height');
    b.execute([i32(8), call(height), i32(4), i32(1_200_000), store(), i32(8)]);
    const program = prepareProgram(b.bytes());
    const runner = new ProgramRunner({ compiles: 'nothing' });
    const results = [1, 2, 3].map((height) => runner.run(program, testHost({ height }).host, FUEL).result!);
    expect(results.map((result) => [result[0], result.length])).toEqual([1, 2, 3].map((height) => [height, 1_200_000]));
  });
});

/** Opcode, bytes and type of the operand of every load and store. */
const ACCESSES = [
  ...[0x28, 0x36].map((code) => [code, 4, 'i32'] as const),
  ...[0x29, 0x37].map((code) => [code, 8, 'i64'] as const),
  ...[0x2c, 0x2d, 0x3a].map((code) => [code, 1, 'i32'] as const),
  ...[0x2e, 0x2f, 0x3b].map((code) => [code, 2, 'i32'] as const),
  ...[0x30, 0x31, 0x3c].map((code) => [code, 1, 'i64'] as const),
  ...[0x32, 0x33, 0x3d].map((code) => [code, 2, 'i64'] as const),
  ...[0x34, 0x35, 0x3e].map((code) => [code, 4, 'i64'] as const),
];

/** Bytes of code that `runner` has compiled so far. */
function compiledBy(runner: ProgramRunner): number {
  const { compiledBytes, forgottenBytes } = runner.kept;
  return compiledBytes + forgottenBytes;
}

/** A program of about `bytes` bytes whose result begins with `value`. */
function sized(bytes: number, value: number): WasmBuilder {
  const b = new WasmBuilder();
  b.data(4, concatBytes(Uint8Array.of(4, 0, 0, 0), Uint8Array.of(value, 0, 0, 0), new Uint8Array(bytes).fill(value)));
  b.memory = { minPages: 1, maxPages: undefined };
  b.execute([i32(8)]);
  return b;
}

/** A program that loops `times` times. */
function looping(times: number): WasmBuilder {
  const b = new WasmBuilder();
  b.execute(
    [
      ...[i32(times), set(0), loop(), get(0), i32(1), op(OP.i32Sub), op(OP.localTee, 0), op(OP.brIf, 0), end],
      ...[i32(16), load(), op(OP.drop), ...RETURN],
    ],
    ['i32'],
  );
  return b;
}

/** `module` with `longer` for the first `bytes` in its last body, whose length and section's length follow. */
function withinBody(module: Uint8Array, bytes: readonly number[], longer: readonly number[]): Uint8Array {
  const at = module.findIndex(
    (_, i) => i > 30 && bytesEqual(module.subarray(i, i + bytes.length), Uint8Array.from(bytes)),
  );
  expect(at).toBeGreaterThan(0);
  const made = concatBytes(module.subarray(0, at), Uint8Array.from(longer), module.subarray(at + bytes.length));
  const more = longer.length - bytes.length;
  // Section 10: its id, its length, one body, the body's length: each length is one byte here.
  const section = module.findIndex(
    (byte, i) => byte === 10 && module[i + 2] === 1 && module[i + 3] === module[i + 1] - 2,
  );
  made[section + 1] += more;
  made[section + 3] += more;
  expect(made[section + 1]).toBeLessThan(128);
  return made;
}
