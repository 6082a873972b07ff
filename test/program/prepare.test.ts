import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { InternalError, ProgramError } from '../../src/errors/errors.js';
import { decodeModule } from '../../src/program/decode.js';
import { PreparedPrograms, prepareProgram, programBytes } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { base, padded } from './limit-modules.js';
import { testHost } from './support.js';

/** Admitted modules that all differ, of `size` bytes. */
function moduleNumber(i: number, size: number): Uint8Array {
  return padded(new WasmBuilder().execute([i32(i), op(OP.drop), i32(4)]).bytes(), size);
}

function refusalOf(programs: PreparedPrograms, wasm: Uint8Array): unknown {
  try {
    programs.prepare(wasm);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('prepared programs', () => {
  it('are found again by their code', () => {
    const programs = new PreparedPrograms();
    const program = programs.prepare(base().bytes());
    expect(programs.prepare(base().bytes())).toBe(program);
    expect(programs.kept).toEqual({ programs: 1, bytes: programBytes(program), admitted: 1, refusals: 0 });
  });

  it('a refused module is refused again without another look', () => {
    const programs = new PreparedPrograms();
    const wasm = new WasmBuilder().execute([]).bytes();
    const first = refusalOf(programs, wasm);
    expect(first).toBeInstanceOf(ProgramError);
    expect(refusalOf(programs, Uint8Array.from(wasm))).toBe(first);
    expect(programs.kept).toEqual({ programs: 0, bytes: 0, admitted: 0, refusals: 1 });
  });

  it('are bounded in bytes of their code as it came', () => {
    const programs = new PreparedPrograms(256, 1_000_000);
    for (let i = 0; i < 20; i++) programs.prepare(moduleNumber(i, 200_000));
    expect(programs.kept.programs).toBe(4);
    expect(programs.kept.bytes).toBe(4 * programBytes(programs.prepare(moduleNumber(19, 200_000))));
    expect(programs.kept.bytes).toBeLessThanOrEqual(1_000_000);
  });

  it('hold little instrumented code: it is made again when it is asked for, as it was', () => {
    const code = Array.from({ length: 50_000 }, () => [i32(300_000), op(OP.drop)]).flat();
    const wasm = new WasmBuilder().execute([...code, i32(4)]).bytes();
    const programs = new PreparedPrograms();
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const made = Array.from({ length: 45 }, (_, i) => {
      const program = programs.prepare(padded(wasm, wasm.length + 10 + i));
      return { program, digest: createHash('sha256').update(program.instrumented).digest('hex') };
    });
    collectGarbage();
    // 11 MB of code as it came; the same again instrumented, of which 8 MiB stay.
    const { source } = made[0].program;
    expect(source.length).toBeGreaterThan(250_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(made.length * source.length + 9.5 * 2 ** 20);
    for (const { program, digest } of made.slice(0, 5)) {
      expect(createHash('sha256').update(program.instrumented).digest('hex')).toBe(digest);
    }
  });

  it('are prepared again from their bytes alone as they were the first time, without their validation', () => {
    const programs = new PreparedPrograms(1, 1);
    const modules = [0, 1, 2].map((i) => moduleNumber(i, 5_000 + i));
    const first = modules.map((wasm) => programs.prepare(wasm));
    modules.forEach((wasm, i) => {
      const again = programs.prepare(Uint8Array.from(wasm));
      expect(again).not.toBe(first[i]);
      expect(again.instrumented).toEqual(first[i].instrumented);
      expect(again.module).toEqual(first[i].module);
    });
    expect(programs.kept).toMatchObject({ programs: 1, admitted: 3 });
  });

  it('refusals are bounded in number', () => {
    const programs = new PreparedPrograms();
    for (let i = 0; i < 5_000; i++) refusalOf(programs, Uint8Array.of(i & 0xff, i >> 8));
    expect(programs.kept.refusals).toBe(4_096);
  });

  it('decoded code is made when it is asked for, and is what the engine is given but for the reset', () => {
    const first = prepareProgram(moduleNumber(0, 1_000));
    const { module } = first;
    expect(first.module).toBe(module);
    for (let i = 1; i < 10; i++) prepareProgram(moduleNumber(i, 1_000)).module.functions.at(0);
    expect(first.module).not.toBe(module);
    expect(first.module).toEqual(module);
    const given = decodeModule(first.instrumented);
    expect(given.functions.slice(0, -1)).toEqual(module.functions);
    // The engine's has one global more.
    expect(given.exports.slice(0, -2)).toEqual(module.exports);
  });

  it('are not instrumented as long as they are only interpreted', () => {
    const asked = new Set<string | symbol>();
    const program = new Proxy(prepareProgram(moduleNumber(77, 300)), {
      get: (of, name) => {
        asked.add(name);
        return Reflect.get(of, name);
      },
    });
    const runner = new ProgramRunner();
    for (let run = 0; run < 2; run++) expect(runner.run(program, testHost().host, 3_500_000).status).toBe('OK');
    expect(runner.kept).toMatchObject({ interpreted: 1, compiled: 0 });
    const forEngine = ['reuse', 'compiledBytes', 'lendsFirst', 'instrumented', 'instrumentedToLend'];
    expect(forEngine.filter((name) => asked.has(name))).toEqual([]);
  });

  it('what the engine refuses after our own checks stops the process and names the module', () => {
    const program = prepareProgram(base().bytes());
    const refused = { ...program, instrumented: program.instrumented.slice(0, -1) };
    let stop: unknown;
    try {
      new ProgramRunner({ compiles: 'everything' }).run(refused, testHost().host, 3_500_000);
    } catch (error) {
      stop = error;
    }
    expect(stop).toBeInstanceOf(InternalError);
    expect((stop as InternalError).facts).toMatchObject({ program: program.hash });
  });
});
