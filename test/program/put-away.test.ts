// Programs that had to leave the interpreter's memory and come back part by part.
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, readSync, writeSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WHY_FUEL } from '../../src/program/counters.js';
import { MESSAGE_FRAME } from '../../src/program/frame.js';
import { Interpreter } from '../../src/program/interpreter.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import type { ProgramRun } from '../../src/program/program-run.js';
import { PutAwayPrograms } from '../../src/program/put-away.js';
import { ReturnBuffer } from '../../src/program/return-buffer.js';
import { HostState } from '../../src/program/run-state.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program } from '../../src/program/types.js';
import { type Ending, endsAlike, textOf } from '../../src/selftest/tiers.js';
import { brTable, call, end, get, i32, load, loop, OP, op, set, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { randomNumbers, randomProgram } from './random-program.js';
import { randomTables } from './random-tables.js';
import { testHost } from './support.js';

const FUEL = 400_000;
const PART = 4_096;
const NOP = op(OP.nop);

/** The same program with `nops` of them between its instructions, in runs of random length. */
function spread(b: WasmBuilder, numbers: readonly number[], nops: number): WasmBuilder {
  let at = 0;
  const next = (max: number): number => (numbers[at++ % numbers.length] + at) % max;
  for (const body of b.functions) {
    const code: Instruction[] = [];
    let left = nops;
    for (const instruction of body.code) {
      const run = next(4) === 0 ? Math.min(left, next(3 * PART)) : next(5);
      for (let i = 0; i < run; i++) code.push(NOP);
      left -= run;
      code.push(instruction);
    }
    Object.assign(body, { code });
  }
  // So that even the smallest is worth it.
  b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(33_000) });
  if (b.dataCount !== undefined) b.dataCount = b.dataSegments.length;
  return b;
}

/**
 * The interpreter alone, which puts all programs away between two runs: where they lay, nothing that makes sense is
 * left.
 */
class Forgetful {
  readonly away = new PutAwayPrograms(64 << 20);
  readonly #interpreter = new Interpreter(8 << 20, this.away, () => undefined, new ReturnBuffer());

  run(program: Program, fuel: number): Ending {
    const interpreter = this.#interpreter;
    const frame = interpreter.frameFor(program) as ProgramRun & { readonly program: { readonly start: number } };
    const { start } = frame.program;
    const { memory } = frame.functions;
    let status = 'OK';
    let result: Uint8Array | undefined;
    frame.begin(new HostState(testHost().host), fuel - program.entryFuel, MESSAGE_FRAME);
    try {
      const pointer = frame.execute() >>> 0;
      const length = memory.lengthAt(pointer);
      if (length >= 0) result = memory.bytes.slice(pointer, pointer + length);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      status = frame.why.value === WHY_FUEL ? 'OUT_OF_FUEL' : 'TRAP';
    }
    const fuelLeft = status === 'OUT_OF_FUEL' ? 0 : memory.fuelLeft;
    frame.finish();
    interpreter.programs.end();
    interpreter.heap.fill(0xee, start, interpreter.memoriesAt);
    return { status, reason: 'none', fuelLeft, result };
  }
}

/** Room for one or two of the programs. */
const crowded = (): ProgramRunner => new ProgramRunner({ compiles: 'nothing', interpretedBytes: 500_000 });
const v8 = new ProgramRunner({ compiles: 'everything' });

function expectAlike(runner: ProgramRunner | Forgetful, program: Program, fuel: number): void {
  const expected = v8.run(program, testHost().host, fuel);
  const result = runner instanceof Forgetful ? runner.run(program, fuel) : runner.run(program, testHost().host, fuel);
  if (!endsAlike(expected, result)) expect(textOf(result)).toBe(textOf(expected));
}

describe('a program that was put away runs as before', () => {
  it('whatever it does, with any fuel', () => {
    const forgetful = new Forgetful();
    fc.assert(
      fc.property(randomNumbers, fc.boolean(), fc.nat(FUEL), (numbers, tables, fuel) => {
        const b = tables ? randomTables(numbers) : randomProgram(numbers);
        const program = prepareProgram(spread(b, numbers, 30_000).bytes());
        for (const limit of [FUEL, FUEL, fuel]) expectAlike(forgetful, program, Math.max(limit, program.entryFuel));
      }),
      { numRuns: 40 },
    );
    expect(forgetful.away.size).toBeGreaterThan(35);
  });

  it('however often it comes and goes among others', () => {
    let away = 0;
    fc.assert(
      fc.property(fc.array(randomNumbers, { minLength: 4, maxLength: 5 }), fc.nat(FUEL), (many, fuel) => {
        const runner = crowded();
        const programs = many.map((numbers, i) =>
          prepareProgram(spread(i % 2 ? randomTables(numbers) : randomProgram(numbers), numbers, 30_000).bytes()),
        );
        for (let round = 0; round < 3; round++) {
          for (const program of programs) expectAlike(runner, program, round === 1 ? fuel : FUEL);
        }
        away += runner.kept.away;
      }),
      { numRuns: 5 },
    );
    expect(away).toBeGreaterThan(5);
  });

  it('where an instruction lies over the end of a part, wherever in the part it begins', () => {
    const forgetful = new Forgetful();
    for (let shift = 0; shift < 24; shift++) {
      const b = new WasmBuilder();
      const mixed = (i: number): Instruction[] => [
        ...[i32(0x7654_3210 - i * i), get(0), op(OP.i32Add), set(0), get(0), i32(i), op(OP.i32Mul), set(0)],
        ...[i32(0), load(i * 1_000, 0), get(0), op(OP.i32Add), set(0), i32(4), get(0), store(i * 90, 0)],
      ];
      const before = Array.from({ length: 300 }, (_, i) => mixed(i % 60)).flat();
      const inside = [...mixed(1), ...mixed(5), ...mixed(9)];
      b.execute(
        [
          ...[...new Array<Instruction>(shift).fill(NOP), ...before],
          ...[
            i32(3),
            set(1),
            loop(),
            ...inside,
            get(1),
            i32(1),
            op(OP.i32Sub),
            op(OP.localTee, 1),
            op(OP.brIf, 0),
            end,
          ],
          ...[i32(8), get(0), store(), i32(4), i32(4), store(), i32(8)],
        ],
        ['i32', 'i32'],
      );
      const program = prepareProgram(spread(b, [1], 0).bytes());
      for (let round = 0; round < 2; round++) expectAlike(forgetful, program, FUEL);
    }
    expect(forgetful.away.size).toBe(24);
    // Nothing needed their room: such programs are no crowd.
    expect(forgetful.away.crowdedOut).toBe(0);
  });

  it('a br_table of many labels, and segments that it lays out later', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: 1, maxPages: undefined };
    const labels = Array.from({ length: 3_000 }, (_, i) => (i * 7) % 3);
    const choose = b.function('(i32)->i32', [
      ...[op(OP.block), op(OP.block), op(OP.block), get(0), brTable(...labels, 1), end].map(asBlock),
      ...[i32(11), op(OP.return), end, i32(22), op(OP.return), end, i32(33)],
    ]);
    b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.from({ length: 9_000 }, (_, i) => i) });
    b.dataCount = 2;
    b.execute([
      ...[i32(8), i32(0)],
      ...[5, 2_999, 1_500, 90_000, 4].flatMap((label) => [
        i32(label),
        call(choose),
        op(OP.i32Add),
        i32(3),
        op(OP.i32Mul),
      ]),
      ...[store(), i32(100), i32(4_090), i32(4_500), op(OP.memoryInit, 0, 0)],
      ...[i32(4), i32(6_000), store(), i32(8)],
    ]);
    const program = prepareProgram(spread(b, [0], 0).bytes());
    const runner = crowded();
    const others = [1, 2, 3, 4, 5].map((value) => prepareProgram(constant(value).bytes()));
    for (let round = 0; round < 3; round++) for (const one of [program, ...others]) expectAlike(runner, one, FUEL);
    expect(runner.kept.away).toBeGreaterThan(2);
  });
});

it('one of many programs is compiled only once it has run far more than one of few', () => {
  const compiledAfter = (others: number): number => {
    const runner = new ProgramRunner({ interpretedBytes: 500_000 });
    const wanted = prepareProgram(spinning(0).bytes());
    const many = Array.from({ length: others }, (_, i) => prepareProgram(spinning(i + 1).bytes()));
    for (let runs = 1; ; runs++) {
      runner.run(wanted, testHost().host, 3_500_000);
      if (runner.kept.compiled > 0) return runs;
      for (const one of many) runner.run(one, testHost().host, one.entryFuel + 10);
    }
  };
  const alone = compiledAfter(0);
  expect(compiledAfter(24)).toBeGreaterThan(8 * alone);
});

describe('the file of programs', () => {
  it('keeps the copies of programs that lie in memory, as parts of them are still to come', () => {
    const programs = [1, 2, 3, 4, 5, 6, 7].map((value) => prepareProgram(chosen(value).bytes()));
    const room = { interpretedBytes: 4 * programs[0].sourceBytes, fileBytes: 4 * programs[0].sourceBytes };
    const runner = new ProgramRunner({ compiles: 'nothing', ...room });
    for (let round = 0; round < 60; round++) {
      for (const [i, program] of programs.entries()) {
        const { result } = runner.run(program, testHost({ height: (round * 5) % 19 }).host, FUEL);
        expect([...(result ?? [])]).toEqual([i + 1, (round * 5) % 19, 0, 0]);
      }
    }
    expect(runner.kept.away).toBeGreaterThan(1);
  });

  it.skipIf(openFiles() === undefined)('that gives back other bytes than it took stops the run', () => {
    const before = new Set(openFiles());
    const runner = crowded();
    const programs = [1, 2, 3, 4, 5].map((value) => prepareProgram(constant(value).bytes()));
    for (const program of programs) runner.run(program, testHost().host, FUEL);
    const [file] = openFiles()?.filter((one) => !before.has(one)) ?? [];
    const copy = openSync(`/proc/self/fd/${file}`, 'r+');
    const bytes = new Uint8Array(fstatSync(copy).size);
    readSync(copy, bytes);
    // Behind the head of the first.
    for (let at = 2_048; at < 150_000; at++) bytes[at] ^= 1;
    writeSync(copy, bytes, 0, bytes.length, 0);
    closeSync(copy);
    expect(() => {
      for (const program of programs) runner.run(program, testHost().host, FUEL);
    }).toThrow(expect.objectContaining({ code: 'ENV_PROGRAM_FILE' }));
    // From then on it is done without.
    for (let round = 0; round < 2; round++) for (const program of programs) expectAlike(runner, program, FUEL);
    expect(runner.kept.notAway).toMatch(/not those that were written/);
  });

  it('that cannot be written is done without, and says so', () => {
    const runner = crowded();
    const programs = [1, 2, 3, 4, 5].map((value) => prepareProgram(constant(value).bytes()));
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = '/dev/null';
    const temporary = process.env.TMPDIR;
    process.env.TMPDIR = '/dev/null';
    try {
      for (let round = 0; round < 2; round++) for (const program of programs) expectAlike(runner, program, FUEL);
    } finally {
      restore('XDG_CACHE_HOME', before);
      restore('TMPDIR', temporary);
    }
    expect(runner.kept).toMatchObject({ away: 0, notAway: expect.stringContaining('no folder') });
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** Numbers of the nameless files of programs that this process has open, where the system tells. */
function openFiles(): string[] | undefined {
  try {
    return readdirSync('/proc/self/fd').filter((number) => {
      try {
        return readlinkSync(`/proc/self/fd/${number}`).includes('/programs-');
      } catch {
        return false;
      }
    });
  } catch {
    return undefined;
  }
}

function asBlock(instruction: Instruction): Instruction {
  return instruction.op === OP.block ? { ...instruction, block: { kind: 'empty' } } : instruction;
}

/** A program whose result is `value` and the height, by one of 20 functions of 5 KB. */
function chosen(value: number): WasmBuilder {
  const b = new WasmBuilder();
  const height = b.import('__height');
  b.memory = { minPages: 1, maxPages: undefined };
  b.table = { min: 20, max: 20 };
  const filler = new Array<Instruction>(5_000).fill(NOP);
  const items = Array.from({ length: 20 }, (_, i) => b.function('()->i32', [...filler, i32(value + (i << 8))]));
  b.elements.push({
    mode: 'active',
    offset: { kind: 'i32', value: 0 },
    table: 0,
    items: items.map((index) => ({ kind: 'ref.func', index })),
  });
  b.execute([
    ...[i32(8), call(height), i32(16), i32(8), load(), op(OP.callIndirect, b.type('()->i32'), 0), store()],
    ...[i32(12), i32(4), store(), i32(16)],
  ]);
  return b;
}

/** A large program that loops for 100,000 units of fuel. */
function spinning(value: number): WasmBuilder {
  const b = new WasmBuilder();
  b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(100_000).fill(value) });
  const count = [loop(), get(0), i32(1), op(OP.i32Add), op(OP.localTee, 0), i32(16_000), op(OP.i32LtU), op(OP.brIf, 0)];
  b.execute([...count, end, i32(8), i32(4), i32(4), store()], ['i32']);
  return b;
}

/** A large program whose result begins with `value`. */
function constant(value: number): WasmBuilder {
  const b = new WasmBuilder();
  b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(200_000).fill(value) });
  b.execute([i32(8), i32(value), store(), i32(4), i32(4), store(), i32(8)]);
  return b;
}
