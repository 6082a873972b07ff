import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STACK_SLOTS, WHY_STACK } from '../../src/program/counters.js';
import { readModule } from '../../src/program/decode.js';
import { encodeRawModule } from '../../src/program/encode.js';
import { HIDDEN_BYTES } from '../../src/program/hidden-page.js';
import { ProgramInstance } from '../../src/program/instance.js';
import { instrumentModule } from '../../src/program/instrument.js';
import { LentMemory } from '../../src/program/lent-memory.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { validateModule } from '../../src/program/validate.js';
import { ReferenceInterpreter } from '../helpers/reference-interpreter.js';
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

/** The same program with its table and its references as they came. */
function runAsItCame(wasm: Uint8Array, fuel: number): Ending {
  const source = readModule(wasm);
  return runModule(encodeRawModule(instrumentModule(source, validateModule(source)).module), fuel, 0);
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
      { numRuns: 300 },
    );
    expect([...seen.keys()].sort()).toEqual(['OK', 'OUT_OF_FUEL', 'TRAP']);
    for (const count of seen.values()) expect(count).toBeGreaterThan(20);
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
      { numRuns: 300 },
    );
    expect(ended).toBeGreaterThan(20);
  });

  it('find a table that no run before has changed, on instances that serve again', () => {
    let kept = 0;
    fc.assert(
      fc.property(randomNumbers, fc.array(fc.nat(FUEL), { minLength: 3, maxLength: 5 }), (numbers, fuels) => {
        const program = prepareProgram(randomTables(numbers).bytes());
        const runner = new ProgramRunner();
        for (const fuel of [FUEL, ...fuels, FUEL]) {
          const limit = program.entryFuel + fuel;
          expect(runner.run(program, testHost().host, limit)).toEqual(freshRun(program, limit));
          kept += runner.kept.instances;
        }
      }),
      { numRuns: 100 },
    );
    expect(kept).toBeGreaterThan(200);
  });

  it('end in a lent memory as in one of their own', () => {
    const lent = new LentMemory();
    fc.assert(
      fc.property(randomNumbers, fc.nat(FUEL), (numbers, fuel) => {
        const program = prepareProgram(randomTables(numbers).bytes());
        const module = new WebAssembly.Module(new Uint8Array(program.instrumentedToLend));
        const instance = new ProgramInstance(program, module, lent);
        for (const limit of [FUEL, fuel, FUEL]) {
          const expected = runErased(program.source, limit);
          instance.begin(testHost().host, limit);
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
      { numRuns: 100 },
    );
  });
});
