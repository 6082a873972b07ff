import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { compiledBytesOf, ProgramRunner } from '../../src/program/runner.js';
import type { Program } from '../../src/program/types.js';
import { end, get, i32, i64, loop, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';
import { freshRun, testHost } from './support.js';

const FUEL = 3_500_000;

/** A program that returns the empty result, with so many pages and instructions that do nothing; it counts. */
function programNumber(i: number, minPages: number, nops = 1, counts = 1): Program {
  const code = new Array<Instruction>(nops).fill(op(OP.nop));
  const b = new WasmBuilder();
  b.memory = { minPages, maxPages: undefined };
  code.push(i32(counts), set(0), loop(), get(0), i32(1), op(OP.i32Sub), op(OP.localTee, 0), op(OP.brIf, 0), end);
  return prepareProgram(b.execute([...code, i32(i), op(OP.drop), i32(4)], ['i32']).bytes());
}

describe('what a runner keeps', () => {
  it('keeps few instances and little memory, however many programs there are', () => {
    // Pages of each, and the instances that are kept: 32, or 64 MiB of memory. They count for so long that they have
    // memories of their own.
    const cases = [
      [1, 32, 1],
      [32, 32, 100_000],
      [64, 16, 200_000],
    ] as const;
    for (const [minPages, kept, counts] of cases) {
      const runner = new ProgramRunner({ compiles: 'everything' });
      for (let i = 0; i < 40; i++) {
        const program = programNumber(i, minPages, 1, counts);
        for (let round = 0; round < 2; round++) expect(runner.run(program, testHost().host, FUEL).status).toBe('OK');
      }
      expect(runner.kept.inLent).toBe(counts > 1 ? 32 : 0);
      expect([minPages, runner.kept.instances]).toEqual([minPages, runner.kept.inLent + kept]);
      expect(runner.kept.bytes).toBeLessThanOrEqual(64 * 2 ** 20);
    }
  });

  it('keeps compiled code as far as what it may take fits, and no instance longer than its code', () => {
    const programs = Array.from({ length: 12 }, (_, i) => programNumber(i, 1, 20_000));
    const { compiledBytes, instrumented } = programs[0];
    expect(compiledBytes).toBeGreaterThan(instrumented.length);
    const most = 4 * compiledBytes + 1_000;
    const runner = new ProgramRunner({ compiledBytes: most, compiles: 'everything' });
    for (let round = 0; round < 3; round++) {
      for (const program of programs) {
        expect(runner.run(program, testHost().host, FUEL)).toEqual(freshRun(program, FUEL));
        expect(runner.kept.compiledBytes).toBeLessThanOrEqual(most);
        expect(runner.kept.instances).toBeLessThanOrEqual(runner.kept.compiled);
      }
    }
    expect(runner.kept).toMatchObject({ compiled: 4, instances: 4 });
  });

  it('frees the code that it has forgotten before there is much of it', () => {
    const divisions = Array.from({ length: 40_000 }, () => [i64(7n), op(OP.i64Add + 3)]).flat();
    const programs = Array.from({ length: 6 }, (_, i) => {
      const b = new WasmBuilder();
      for (let f = 0; f < 16; f++) b.function('()->()', [i64(BigInt(i)), ...divisions, op(OP.drop)]);
      return prepareProgram(b.execute([i32(4)]).bytes());
    });
    const { compiledBytes } = programs[0];
    const runner = new ProgramRunner({ compiledBytes: 1, compiles: 'everything' });
    const forgotten = programs.map((program) => {
      runner.run(program, testHost().host, FUEL);
      return runner.kept.forgottenBytes;
    });
    // It keeps one program; the others were forgotten, and at some time freed.
    expect(forgotten.at(-1)).toBeLessThan((programs.length - 1) * compiledBytes);
    expect(Math.max(...forgotten)).toBeLessThanOrEqual(128 * 2 ** 20 + compiledBytes);
  });

  it('workers share what compiled code may take, down to what a few large programs need', () => {
    expect([1, 2, 4, 8, 64].map((workers) => compiledBytesOf(workers) / 2 ** 20)).toEqual([256, 256, 128, 64, 64]);
  });

  it('finds compiled code again when calls go round more programs than it keeps', () => {
    const programs = Array.from({ length: 12 }, (_, i) => programNumber(i, 1, 1_000));
    const runner = new ProgramRunner({ compiledBytes: 9 * programs[0].compiledBytes + 1_000, compiles: 'everything' });
    let compiled = 0;
    const counted = programs.map((program) =>
      Object.defineProperty({ ...program }, 'instrumented', {
        get: () => {
          compiled++;
          return program.instrumented;
        },
      }),
    );
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      for (const program of counted) expect(runner.run(program, testHost().host, FUEL).status).toBe('OK');
    }
    // What was used longest ago is always what is asked for next: forgetting that would compile at every call.
    expect(compiled).toBeGreaterThan(programs.length);
    expect(compiled).toBeLessThan((rounds * programs.length) / 2);
  });
});
