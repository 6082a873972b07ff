import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProgramInstance } from '../../src/program/instance.js';
import { ACCESSES } from '../../src/program/lent-code.js';
import { LentMemory } from '../../src/program/lent-memory.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { HostState } from '../../src/program/run-state.js';
import { RunStop, refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program } from '../../src/program/types.js';
import { call, end, get, i32, i64, if_, load, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { randomNumbers, randomProgram } from './random-program.js';
import { testHost } from './support.js';

const FUEL = 3_500_000;
const PAGE = 65_536;
const lent = new LentMemory();

function instanceInLent(program: Program): ProgramInstance {
  const module = new WebAssembly.Module(new Uint8Array(program.instrumentedToLend));
  return new ProgramInstance(program, module, refuseCall, lent);
}

function ownInstance(program: Program): ProgramInstance {
  return new ProgramInstance(program, new WebAssembly.Module(new Uint8Array(program.instrumented)), refuseCall);
}

/** All that a run and its host can see. */
function outcomeOf(instance: ProgramInstance, fuel: number): unknown {
  instance.begin(new HostState(testHost().host), fuel);
  let ended: unknown;
  try {
    const pointer = instance.execute();
    ended = { pointer, result: instance.functions.memory.view(pointer)?.slice() };
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError || error instanceof RunStop)) throw error;
    ended = error instanceof RunStop ? error.reason : 'trap';
  }
  const memory = Buffer.from(instance.functions.memory.bytes);
  const { fuel: left, why } = instance;
  instance.finish();
  return { ended, left: left.value, why: why.value, length: memory.length, memory };
}

function expectSame(program: Program, instance: ProgramInstance, fuel = FUEL): { readonly ended: unknown } {
  const found = outcomeOf(instance, fuel) as { memory: Buffer; ended: unknown };
  const expected = outcomeOf(ownInstance(program), fuel) as { memory: Buffer; ended: unknown };
  expect({ ...found, memory: undefined }).toEqual({ ...expected, memory: undefined });
  expect(found.memory.equals(expected.memory)).toBe(true);
  return found;
}

/** Addresses and offsets around the end of a memory of `bytes`, and where their sum passes 2^32. */
function places(bytes: number): [address: number, offset: number][] {
  const ends = [0, 1, 2, 4, 8].map((back): [number, number] => [bytes - back, 0]);
  return [...ends, [0, bytes - 4], [0, bytes - 3], [-1, 1], [-1, 0xffffffff], [0, 0xffffffff], [-8, 8], [4, bytes - 8]];
}

describe('a program in a lent memory', () => {
  it('loads and stores within the pages that it has, and traps behind them, as in a memory of its own', () => {
    const ends = new Set<string>();
    for (const access of ACCESSES) {
      for (const grow of [0, 2]) {
        for (const [address, offset] of places((1 + grow) * PAGE)) {
          const wide = [0x29, ...[0x30, 0x31, 0x32, 0x33, 0x34, 0x35]].includes(access);
          const value = [0x37, 0x3c, 0x3d, 0x3e].includes(access) ? i64(-2n) : i32(-2);
          const memory = op(access, offset, 0);
          const used = access < OP.i32Store ? [memory, ...(wide ? [op(0xa7)] : [])] : [value, memory, i32(7)];
          const b = new WasmBuilder().data(PAGE - 8, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0x88));
          b.execute([
            ...[i32(104), i32(grow), op(OP.memoryGrow, 0), i32(address), ...used, op(OP.i32Add), store()],
            ...[i32(100), i32(4), store(), i32(104)],
          ]);
          const program = prepareProgram(b.bytes());
          const { ended } = expectSame(program, instanceInLent(program));
          ends.add(`${access} ${ended === 'trap'}`);
        }
      }
    }
    expect(ends.size).toBe(2 * ACCESSES.length);
  });

  it('fills, copies and lays out passive data within its pages only', () => {
    const bytes = 2 * PAGE;
    const lengths = [0, 4, 5, -1];
    const seen = new Set<unknown>();
    for (const code of [OP.memoryFill, OP.memoryCopy, OP.memoryInit]) {
      for (const [to] of places(bytes)) {
        for (const from of [0, bytes - 4, -1]) {
          for (const length of lengths) {
            const b = new WasmBuilder();
            b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(9, 8, 7, 6) });
            b.dataCount = 1;
            const bulk = code === OP.memoryInit ? op(code, 0) : code === OP.memoryCopy ? op(code, 0, 0) : op(code, 0);
            b.execute([i32(1), op(OP.memoryGrow, 0), op(OP.drop), i32(to), i32(from), i32(length), bulk, i32(4)]);
            const program = prepareProgram(b.bytes());
            seen.add(expectSame(program, instanceInLent(program), 20_000 + 5_000).ended === 'trap');
          }
        }
      }
    }
    expect(seen.size).toBe(2);
  });

  it('grows up to its maximum and is told its size', () => {
    for (const maxPages of [undefined, 3, 512]) {
      for (const [first, second] of [
        [0, 1],
        [2, 1],
        [3, 0],
        [1, -1],
        [511, 1],
        [512, 0],
        [1, 511],
      ]) {
        const b = new WasmBuilder();
        b.memory = { minPages: 1, maxPages };
        const add = [op(OP.i32Add)];
        b.execute([
          ...[i32(104), i32(first), op(OP.memoryGrow, 0), i32(10), op(OP.i32Mul), i32(second), op(OP.memoryGrow, 0)],
          ...[
            ...add,
            i32(100),
            op(OP.i32Mul),
            op(OP.memorySize, 0),
            ...add,
            store(),
            i32(100),
            i32(4),
            store(),
            i32(104),
          ],
        ]);
        const program = prepareProgram(b.bytes());
        const instance = instanceInLent(program);
        for (const fuel of [FUEL, 5_999, 6_010, 7_010, 500_000, FUEL]) expectSame(program, instance, fuel);
      }
    }
  });

  it('lets the host write within its pages only', () => {
    const context = (at: number): Program => {
      const b = new WasmBuilder();
      const load = b.import('__load_context');
      const code = [i32(1), op(OP.memoryGrow, 0), op(OP.drop), i32(at), call(load), op(OP.drop), i32(at)];
      return prepareProgram(b.execute(code).bytes());
    };
    const ends = [2 * PAGE - 3, 2 * PAGE - 2, 2 * PAGE, 3 * PAGE, -1].map((at) => {
      const program = context(at);
      return expectSame(program, instanceInLent(program)).ended;
    });
    expect(ends.map((ended) => ended === 'bad-pointer')).toEqual([false, true, true, true, true]);
  });

  it('lets the host use nothing of it while the program has no page', () => {
    for (const grow of [0, 1]) {
      for (const name of ['__load_context', '__log', '__height'] as const) {
        const b = new WasmBuilder();
        b.memory = { minPages: 0, maxPages: 2 };
        const host = call(b.import(name));
        const use = name === '__load_context' ? [i32(4), host, op(OP.drop)] : [i32(4), host];
        const program = prepareProgram(
          b.execute([i32(grow), op(OP.memoryGrow, 0), op(OP.drop), ...use, i32(4)]).bytes(),
        );
        const instance = instanceInLent(program);
        for (let run = 0; run < 2; run++) {
          expect(expectSame(program, instance).ended === 'bad-pointer').toBe(grow === 0);
        }
      }
    }
  });

  it('random programs end as in instances of their own, one after the other in the same memory', () => {
    fc.assert(
      fc.property(randomNumbers, fc.array(fc.nat(20_000), { minLength: 1, maxLength: 3 }), (numbers, fuels) => {
        const program = prepareProgram(
          randomProgram(numbers)
            .data(8, Uint8Array.of(1, 2, 3))
            .bytes(),
        );
        const instance = instanceInLent(program);
        for (const fuel of [...fuels, FUEL]) expectSame(program, instance, fuel);
      }),
      { numRuns: 80 },
    );
  });
});

/** Grows by `pages`, fills all of them, and answers what it found there before and its size. */
function growing(pages: number, salt: number, resultBytes = 4): WasmBuilder {
  const last = (1 + pages) * PAGE - 4;
  const b = new WasmBuilder().data(60_000, Uint8Array.of(salt));
  const found: Instruction[] = [i32(60_000), load(), i32(last), load(), op(OP.i32Add), op(OP.memorySize, 0)];
  const count = b.global('i32', salt);
  return b.execute([
    ...[i32(pages), op(OP.memoryGrow, 0), op(OP.drop), i32(104), ...found, op(OP.i32Add)],
    ...[op(OP.globalGet, count), op(OP.i32Add), store(), i32(0), op(OP.globalSet, count)],
    ...[i32(PAGE), i32(0xee), i32(pages * PAGE), op(OP.memoryFill, 0), i32(60_000), i32(-1), store()],
    ...[i32(100), i32(resultBytes), store(), i32(104)],
  ]);
}

describe('a lent memory', () => {
  it('is all zeros once it is cleared, as far as anyone had it, whoever had it last', () => {
    const own = new LentMemory();
    const bytes = new Uint8Array(own.memory.buffer);
    own.used(0, 3 * PAGE, false);
    bytes[3 * PAGE - 1] = 1;
    own.used(0, PAGE, false);
    bytes[0] = 1;
    own.clear();
    expect([bytes[0], bytes[3 * PAGE - 1]]).toEqual([0, 0]);
  });
});

describe('a runner that lends its memory', () => {
  it('keeps the instances of several programs that grow, and each of their runs ends as on a fresh runner', () => {
    const runner = new ProgramRunner({ compiles: 'everything' });
    const builders = [growing(1, 3), growing(40, 5), growing(7, 9), growing(300, 1)];
    const programs = builders.map((b) => prepareProgram(b.bytes()));
    for (let round = 0; round < 4; round++) {
      for (const program of programs) {
        const expected = new ProgramRunner({ compiles: 'everything' }).run(program, testHost().host, FUEL);
        expect(expected.status).toBe('OK');
        expect(runner.run(program, testHost().host, FUEL)).toEqual(expected);
      }
      expect(runner.kept).toMatchObject({ instances: round === 0 ? 0 : 4, bytes: 0, inLent: round === 0 ? 0 : 4 });
    }
  });

  it('lends it to fresh instances of a program that drops its data, too', () => {
    const b = growing(20, 7, 8);
    const passive = b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(1, 2, 3, 4) }) - 1;
    b.dataCount = b.dataSegments.length;
    const body = b.functions[0].code;
    // Behind what it found in its memory.
    const added = [i32(108), i32(0), i32(4), op(OP.memoryInit, passive), op(OP.dataDrop, passive)];
    b.functions[0] = { ...b.functions[0], code: [...body.slice(0, -2), ...added, ...body.slice(-2)] };
    const changing = prepareProgram(b.bytes());
    expect(changing.reuse).toEqual({ reusable: false, reason: 'segment' });
    const programs = [changing, prepareProgram(growing(30, 2).bytes()), changing, changing];
    const runner = new ProgramRunner({ compiles: 'everything' });
    for (const program of [...programs, ...programs]) {
      const expected = new ProgramRunner({ compiles: 'everything' }).run(program, testHost().host, FUEL);
      expect(expected.status).toBe('OK');
      expect(runner.run(program, testHost().host, FUEL)).toEqual(expected);
    }
    expect(runner.kept).toMatchObject({ instances: 1, bytes: 0, inLent: 1 });
  });

  it('lays out static data over zeros, also between its segments, whoever had the memory before', () => {
    const runner = new ProgramRunner({ compiles: 'everything' });
    const filling = prepareProgram(growing(2, 3).bytes());
    const b = new WasmBuilder().data(8, Uint8Array.of(1)).data(60_004, Uint8Array.of(2));
    b.execute([
      ...[i32(1), op(OP.memoryGrow, 0), op(OP.drop), i32(104), i32(60_000), load(), store()],
      ...[i32(60_000), i32(-1), store(), i32(100), i32(4), store(), i32(104)],
    ]);
    const reading = prepareProgram(b.bytes());
    for (let round = 0; round < 3; round++) {
      for (const program of [filling, reading]) {
        const expected = new ProgramRunner({ compiles: 'everything' }).run(program, testHost().host, FUEL);
        expect(runner.run(program, testHost().host, FUEL)).toEqual(expected);
      }
    }
    expect(runner.kept.inLent).toBe(2);
  });

  it('gives a long result away with the memory: no later run changes it', () => {
    const runner = new ProgramRunner({ compiles: 'everything' });
    const [long, other] = [growing(12, 3, 500_000), growing(14, 4)].map((b) => prepareProgram(b.bytes()));
    const expected = new ProgramRunner({ compiles: 'everything' }).run(long, testHost().host, FUEL).result!.slice();
    const host = testHost().host;
    for (let round = 0; round < 3; round++) {
      const { result } = runner.run(long, host, FUEL);
      for (const program of [other, long, other]) runner.run(program, host, FUEL);
      expect(Buffer.compare(result!, expected)).toBe(0);
    }
  });

  it('takes an instance of its own for a program that grows a little and computes for long', () => {
    const b = new WasmBuilder();
    const f = b.function('(i32)->()', [...[get(0), if_(), get(0), i32(1), op(OP.i32Sub), call(b.nextFunction), end]]);
    // Each 1,500 calls deep.
    const calls = Array.from({ length: 60 }, () => [i32(1_500), call(f)]).flat();
    const program = prepareProgram(b.execute([i32(1), op(OP.memoryGrow, 0), op(OP.drop), ...calls, i32(4)]).bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    for (let i = 0; i < 3; i++) expect(runner.run(program, testHost().host, FUEL).status).toBe('OK');
    expect(runner.kept.inLent).toBe(0);
  });
});
