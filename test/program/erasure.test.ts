import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STACK_SLOTS, WHY_STACK } from '../../src/program/counters.js';
import { readModule } from '../../src/program/decode.js';
import { encodeRawModule } from '../../src/program/encode.js';
import { HIDDEN_BYTES } from '../../src/program/hidden-page.js';
import { ProgramInstance } from '../../src/program/instance.js';
import { instrumentModule } from '../../src/program/instrument.js';
import { ACCESSES } from '../../src/program/lent-code.js';
import { LentMemory } from '../../src/program/lent-memory.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { withReset } from '../../src/program/reuse.js';
import { HostState } from '../../src/program/run-state.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program, RunResult } from '../../src/program/types.js';
import { validateModule } from '../../src/program/validate.js';
import { ReferenceInterpreter } from '../helpers/reference-interpreter.js';
import { call, end, get, i32, i64, loop, OP, op, set, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { randomNumbers } from './random-program.js';
import { randomTables } from './random-tables.js';
import { freshRun, testHost } from './support.js';

const FUEL = 60_000;
/** Too little for a recursion to use up all slots, which the interpreter does not count. */
const LITTLE_FUEL = 9_000;

interface Ending {
  readonly status: string;
  readonly value: number | undefined;
  readonly fuelLeft: number;
  readonly why: number;
  readonly memory: Buffer;
}

/** Runs an instrumented module that imports nothing; its memory as it sees it, which begins behind `hidden` bytes. */
function runModule(bytes: Uint8Array, fuel: number, hidden: number): Ending {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)), {});
  const counter = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global;
  counter('__warpshrew_fuel').value = fuel;
  counter('__warpshrew_stack').value = STACK_SLOTS;
  const end = (status: string, value?: number): Ending => {
    const memory = Buffer.from((exports.memory as WebAssembly.Memory).buffer).subarray(hidden);
    const why = counter('__warpshrew_why').value as number;
    return { status, value, fuelLeft: counter('__warpshrew_fuel').value as number, why, memory };
  };
  try {
    const value = (exports.__execute as () => number)();
    expect(counter('__warpshrew_stack').value).toBe(STACK_SLOTS);
    return end('OK', value);
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return end(counter('__warpshrew_why').value === 1 ? 'OUT_OF_FUEL' : 'TRAP');
  }
}

const runErased = (wasm: Uint8Array, fuel: number): Ending =>
  runModule(prepareProgram(wasm).instrumented, fuel, HIDDEN_BYTES);

/** The same program, instrumented, with its table and its references as they came. */
function asItCame(wasm: Uint8Array): Uint8Array {
  const source = readModule(wasm);
  return encodeRawModule(instrumentModule(source, validateModule(source).slots, 'engine').module);
}

const runAsItCame = (wasm: Uint8Array, fuel: number): Ending => runModule(asItCame(wasm), fuel, 0);

/** Runs it so on a fresh runner. */
function freshAsItCame(program: Program, host = testHost().host): RunResult {
  const instrumented = asItCame(program.source);
  const reuse = { reusable: false, reason: 'segment' } as const;
  return new ProgramRunner({ compiles: 'everything' }).run(
    { ...program, hash: `${program.hash} as it came`, instrumented, reuse },
    host,
    FUEL,
  );
}

function runOriginal(wasm: Uint8Array): { readonly value: number | 'TRAP'; readonly memory: Buffer } {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(wasm)), {});
  const ended = (value: number | 'TRAP') => ({
    value,
    memory: Buffer.from((exports.memory as WebAssembly.Memory).buffer),
  });
  try {
    return ended((exports.__execute as () => number)());
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return ended('TRAP');
  }
}

describe('random programs that change their table', () => {
  it('end with their table as numbers as with a table: status, value, fuel, slots and every byte of memory', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(randomNumbers, fc.nat(10_000), (numbers, part) => {
        const wasm = randomTables(numbers).bytes();
        const full = runAsItCame(wasm, FUEL);
        const fuel = Math.floor(((FUEL - full.fuelLeft) * part) / 10_000);
        for (const limit of [FUEL, fuel]) {
          const expected = runAsItCame(wasm, limit);
          const found = runErased(wasm, limit);
          expect({ ...found, memory: found.memory.length }).toEqual({ ...expected, memory: expected.memory.length });
          expect(found.memory.equals(expected.memory)).toBe(true);
          seen.set(expected.status, (seen.get(expected.status) ?? 0) + 1);
        }
        if (full.status === 'OUT_OF_FUEL' || full.why === WHY_STACK) return;
        const original = runOriginal(wasm);
        expect(full.status === 'TRAP' ? 'TRAP' : full.value).toBe(original.value);
        expect(full.memory.equals(original.memory)).toBe(true);
      }),
      { numRuns: 120 },
    );
    expect([...seen.keys()].sort()).toEqual(['OK', 'OUT_OF_FUEL', 'TRAP']);
    for (const count of seen.values()) expect(count).toBeGreaterThan(10);
  });

  it('status, value and fuel equal an independent reading of the rules', () => {
    let ended = 0;
    fc.assert(
      fc.property(randomNumbers, fc.integer({ min: 10, max: LITTLE_FUEL }), (numbers, fuel) => {
        const builder = randomTables(numbers);
        const found = runErased(builder.bytes(), fuel);
        fc.pre(found.why !== WHY_STACK);
        const expected = new ReferenceInterpreter(builder.module(), fuel).run(builder.nextFunction - 1);
        const fuelLeft = found.status === 'OUT_OF_FUEL' ? 0 : found.fuelLeft;
        expect({ status: found.status, value: found.value, fuelLeft }).toEqual(expected);
        if (found.status === 'OK') ended++;
      }),
      { numRuns: 120 },
    );
    expect(ended).toBeGreaterThan(10);
  });

  it('find a table that no run before has changed, on instances that serve again', () => {
    let kept = 0;
    fc.assert(
      fc.property(randomNumbers, fc.array(fc.nat(FUEL), { minLength: 3, maxLength: 5 }), (numbers, fuels) => {
        const program = prepareProgram(randomTables(numbers).bytes());
        const runner = new ProgramRunner({ compiles: 'everything' });
        for (const fuel of [FUEL, ...fuels, FUEL]) {
          const limit = program.entryFuel + fuel;
          expect(runner.run(program, testHost().host, limit)).toEqual(freshRun(program, limit));
          kept += runner.kept.instances;
        }
      }),
      { numRuns: 60 },
    );
    expect(kept).toBeGreaterThan(100);
  });

  it('end in a lent memory as in one of their own', () => {
    const lent = new LentMemory();
    fc.assert(
      fc.property(randomNumbers, fc.nat(FUEL), (numbers, fuel) => {
        const program = prepareProgram(randomTables(numbers).bytes());
        const module = new WebAssembly.Module(new Uint8Array(program.instrumentedToLend));
        const instance = new ProgramInstance(program, module, refuseCall, lent);
        for (const limit of [FUEL, fuel, FUEL]) {
          const expected = runErased(program.source, limit);
          instance.begin(new HostState(testHost().host), limit);
          let value: number | undefined;
          try {
            value = instance.execute();
          } catch (error) {
            if (!(error instanceof WebAssembly.RuntimeError)) throw error;
          }
          instance.finish();
          const { fuel: left, why, functions } = instance;
          expect({ value, left: left.value, why: why.value }).toEqual({
            value: expected.value,
            left: expected.fuelLeft,
            why: expected.why,
          });
          expect(Buffer.from(functions.memory.bytes).equals(expected.memory)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** A program that is erased, for it sets its table, with `code` first. */
function erasedBuilder(code: (b: WasmBuilder) => Instruction[]): WasmBuilder {
  const b = new WasmBuilder();
  const first = code(b);
  b.table = { min: 1, max: 1 };
  return b.execute([...first, i32(0), op(OP.refNull, 0x70), op(OP.tableSet, 0), i32(100)]);
}

describe('the page below the memory of a program whose table is numbers', () => {
  it('is out of reach of every load and store, also where address and offset pass 2^32', () => {
    const statuses = new Set<string>();
    const places = [0, 65_528, 65_535, -1, -8, -65_536, -65_537, -16_392];
    for (const access of ACCESSES) {
      for (const address of places) {
        for (const offset of [0, 8, 0xfffe_ffff, 0xffff_ffff]) {
          const value = [0x37, 0x3c, 0x3d, 0x3e].includes(access) ? i64(-2n) : i32(-2);
          const memory = op(access, offset, 0);
          const used = access < OP.i32Store ? [memory, op(OP.drop)] : [value, memory];
          const wasm = erasedBuilder(() => [i32(address), ...used]).bytes();
          const [found, expected] = [runErased(wasm, FUEL), runAsItCame(wasm, FUEL)];
          expect(found.status).toBe(expected.status);
          expect(found.memory.equals(expected.memory)).toBe(true);
          statuses.add(`${access} ${found.status}`);
        }
      }
    }
    expect(statuses.size).toBe(2 * ACCESSES.length);
  });

  it('is out of reach of memory.fill, memory.copy and memory.init, also near 2^32', () => {
    const statuses: string[] = [];
    for (const to of [0, 65_520, 65_536, -1, -4, -65_536, -65_532, -65_537]) {
      for (const from of [0, -65_536, -65_540]) {
        for (const count of [0, 1, 16]) {
          for (const bulk of [op(OP.memoryFill, 0), op(OP.memoryCopy, 0, 0), op(OP.memoryInit, 0)]) {
            const b = erasedBuilder(() => [i32(to), i32(from), i32(count), bulk]);
            b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(16).fill(7) });
            b.dataCount = 1;
            const [found, expected] = [runErased(b.bytes(), FUEL), runAsItCame(b.bytes(), FUEL)];
            expect([to, from, count, bulk.op, found.status]).toEqual([to, from, count, bulk.op, expected.status]);
            expect(found.memory.equals(expected.memory)).toBe(true);
            statuses.push(found.status);
          }
        }
      }
    }
    expect(new Set(statuses)).toEqual(new Set(['OK', 'TRAP']));
  });

  it('is out of reach of host functions, which find every buffer where the program does', () => {
    const ends = [0, 3, 4, 100, 65_532, 65_533, 65_536, -1, -4, -65_536, -65_532, -65_000].map((pointer) => {
      const b = erasedBuilder((builder) => {
        const [context, hash] = [builder.import('__load_context'), builder.import('__sha256')];
        const long = [i32(1_000), i32(600), store(), i32(1_004), i32(200), call(hash)];
        const code = [...long, i32(pointer), call(context), op(OP.drop), i32(pointer), i32(104), call(hash)];
        return [...code, i32(96), i32(140), store(), i32(pointer), i32(104), i32(0), op(OP.memoryCopy, 0, 0)];
      });
      const program = prepareProgram(b.bytes());
      const host = testHost({ context: Uint8Array.of(7, 8) }).host;
      const expected = freshAsItCame(program, host);
      const runner = new ProgramRunner({ compiles: 'everything' });
      for (let i = 0; i < 2; i++) expect(runner.run(program, host, FUEL)).toEqual(expected);
      return expected.status;
    });
    expect(new Set(ends)).toEqual(new Set(['OK', 'REVERT']));
  });

  it('keeps no program from running whose imports are in its table', () => {
    const b = new WasmBuilder();
    const height = b.import('__height');
    b.table = { min: 2, max: 2 };
    b.elements.push({ mode: 'declarative', table: 0, offset: undefined, items: [{ kind: 'ref.func', index: height }] });
    const type = b.type('(i32)->()');
    b.execute([
      ...[i32(1), op(OP.refFunc, height), op(OP.tableSet, 0), i32(104), i32(1), op(OP.callIndirect, type, 0), i32(104)],
    ]);
    const { status, result } = freshRun(prepareProgram(b.bytes()), FUEL);
    expect([status, result]).toEqual(['OK', Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0)]);
  });

  it('holds segments of elements that fit; one that does not ends every call with TRAP before it begins', () => {
    for (const [offset, count, status] of [
      [0, 3, 'OK'],
      [3, 0, 'OK'],
      [1, 3, 'TRAP'],
      [4, 0, 'TRAP'],
      [-1, 0, 'TRAP'],
      [-1, 1, 'TRAP'],
    ] as const) {
      const b = erasedBuilder(() => []);
      b.table = { min: 3, max: 9 };
      const items = Array.from({ length: count }, () => ({ kind: 'ref.func', index: 0 }) as const);
      b.elements.push({ mode: 'active', table: 0, offset: { kind: 'i32', value: offset }, items });
      const program = prepareProgram(b.bytes());
      const found = freshRun(program, FUEL);
      expect(found.status).toBe(status);
      expect(found).toEqual(freshAsItCame(program));
    }
  });

  it('is not there for programs that only call through a table', () => {
    const b = new WasmBuilder();
    const f = b.function('()->i32', [i32(4)]);
    b.tableOf(f).execute([i32(0), op(OP.callIndirect, b.type('()->i32'), 0)]);
    const source = readModule(b.bytes());
    const { module, changes } = instrumentModule(source, validateModule(source).slots, 'engine');
    expect(prepareProgram(b.bytes()).instrumented).toEqual(encodeRawModule(withReset(module, changes)));
  });
});

describe('a program with references of many functions', () => {
  /** Its instances take longer to make than any run of it. */
  function ofMany(code: Instruction[], pages: number): Program {
    const b = new WasmBuilder();
    b.memory = { minPages: pages, maxPages: undefined };
    const items = Array.from({ length: 2_000 }, () => ({ kind: 'ref.func', index: b.function('()->()', []) }) as const);
    b.table = { min: 1, max: 1 };
    b.elements.push({ mode: 'passive', table: 0, offset: undefined, items });
    return prepareProgram(
      b.execute([...code, i32(0), i32(9), i32(1), op(OP.tableInit, 0, 0), i32(104)], ['i32']).bytes(),
    );
  }

  it('runs again on the same instance although it grows and computes for long', () => {
    const spin = [loop(), get(0), i32(1), op(OP.i32Sub), op(OP.localTee, 0), op(OP.brIf, 0), end];
    const program = ofMany([i32(1), op(OP.memoryGrow, 0), op(OP.drop), i32(100_000), set(0), ...spin], 1);
    const runner = new ProgramRunner({ compiles: 'everything' });
    for (let i = 0; i < 3; i++) {
      expect(runner.run(program, testHost().host, 3_500_000)).toEqual(freshRun(program, 3_500_000));
    }
    expect(runner.kept.inLent).toBe(1);
  });

  it('runs again on the same instance although its results are long', () => {
    const program = ofMany([i32(100), i32(300_000), store()], 5);
    const runner = new ProgramRunner({ compiles: 'everything' });
    const results = Array.from({ length: 3 }, () => runner.run(program, testHost().host, 3_500_000));
    const { result: expected } = freshRun(program, 3_500_000);
    expect(expected?.length).toBe(300_000);
    for (const { result } of results) expect(Buffer.compare(result!, expected!)).toBe(0);
    expect(runner.kept.instances).toBe(1);
  });
});
