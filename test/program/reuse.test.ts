import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeModule } from '../../src/program/decode.js';
import { encodeModule } from '../../src/program/encode.js';
import { ProgramInstance } from '../../src/program/instance.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { HostState } from '../../src/program/run-state.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program } from '../../src/program/types.js';
import { randomNumbers, randomProgram } from './random-program.js';
import { freshRun, testHost } from './support.js';

const FUEL = 3_500_000;
function withOpenGlobals(program: Program): Program {
  const module = decodeModule(program.instrumented);
  const exports = module.globals.map((_, index) => ({ name: `g${index}`, kind: 'global', index }) as const);
  return { ...program, instrumented: encodeModule({ ...module, exports: [...module.exports, ...exports] }) };
}

function compiled(program: Program): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.from(program.instrumented));
}

/** All that a run can see of an instance. */
function stateOf(instance: ProgramInstance): unknown {
  const globals = Object.entries(instance.exports).filter(([name]) => /^g\d+$/.test(name));
  return {
    memory: createHash('sha256').update(instance.functions.memory.bytes).digest('hex'),
    globals: globals.map(([, global]) => (global as WebAssembly.Global).value),
  };
}

/** Runs whatever is in `instance` to its end, however it ends. */
function runToItsEnd(instance: ProgramInstance, fuel: number): void {
  instance.begin(new HostState(testHost().host), fuel);
  try {
    instance.execute();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  }
}

describe('random programs on reused instances', () => {
  it('every run of a sequence ends as on a fresh runner, with enough fuel and with too little', () => {
    const seen = new Map<string, number>();
    let kept = 0;
    fc.assert(
      fc.property(randomNumbers, fc.array(fc.nat(10_000), { minLength: 3, maxLength: 6 }), (numbers, parts) => {
        const program = prepareProgram(
          randomProgram(numbers)
            .data(8, Uint8Array.of(1, 2, 3))
            .data(60_000, Uint8Array.of(4))
            .bytes(),
        );
        const runner = new ProgramRunner({ compiles: 'everything' });
        const used = FUEL - freshRun(program, FUEL).fuelLeft;
        for (const part of parts) {
          const fuel = part > 5_000 ? FUEL : Math.floor((used * part) / 5_000);
          const expected = freshRun(program, fuel);
          expect(runner.run(program, testHost().host, fuel)).toEqual(expected);
          kept += runner.kept.instances;
          seen.set(expected.status, (seen.get(expected.status) ?? 0) + 1);
        }
      }),
      { numRuns: 150 },
    );
    expect([...seen.keys()].sort()).toEqual(['OK', 'OUT_OF_FUEL', 'TRAP']);
    expect(kept).toBeGreaterThan(200);
  });

  it('begin leaves every byte and every global as a fresh instance has them', () => {
    let again = 0;
    fc.assert(
      fc.property(randomNumbers, fc.nat(5_000), (numbers, fuel) => {
        const b = randomProgram(numbers).data(100, Uint8Array.of(9, 8, 7));
        b.global('i64', -(1n << 63n));
        const program = withOpenGlobals(prepareProgram(b.bytes()));
        const module = compiled(program);
        const fresh = new ProgramInstance(program, module, refuseCall);
        fresh.begin(new HostState(testHost().host), FUEL);
        const expected = stateOf(fresh);
        const instance = new ProgramInstance(program, module, refuseCall);
        runToItsEnd(instance, fuel);
        if (!instance.canServeAgain) return;
        instance.begin(new HostState(testHost().host), FUEL);
        expect(stateOf(instance)).toEqual(expected);
        again++;
      }),
      { numRuns: 150 },
    );
    expect(again).toBeGreaterThan(50);
  });
});
