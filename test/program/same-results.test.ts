import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STACK_SLOTS } from '../../src/program/counters.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ReferenceInterpreter } from '../helpers/reference-interpreter.js';
import { randomNumbers, randomProgram } from './random-program.js';

/** About a tenth of a second of a plain loop. */
const ENOUGH_FUEL = 100_000_000;

interface RawResult {
  readonly status: string;
  readonly value: number | undefined;
  readonly fuelLeft: number;
}

function runInstrumented(wasm: Uint8Array, fuel: number): RawResult {
  const module = new WebAssembly.Module(Uint8Array.from(prepareProgram(wasm).instrumented));
  const { exports } = new WebAssembly.Instance(module, {});
  const counter = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global;
  counter('__warpshrew_fuel').value = fuel;
  counter('__warpshrew_stack').value = STACK_SLOTS;
  try {
    const value = (exports.__execute as () => number)();
    expect(counter('__warpshrew_stack').value).toBe(STACK_SLOTS);
    return { status: 'OK', value, fuelLeft: counter('__warpshrew_fuel').value };
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const outOfFuel = counter('__warpshrew_why').value === 1;
    return {
      status: outOfFuel ? 'OUT_OF_FUEL' : 'TRAP',
      value: undefined,
      fuelLeft: outOfFuel ? 0 : counter('__warpshrew_fuel').value,
    };
  }
}

function runOriginal(wasm: Uint8Array): number | 'TRAP' {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(wasm)), {});
  try {
    return (instance.exports.__execute as () => number)();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return 'TRAP';
    throw error;
  }
}

describe('random structured programs', () => {
  it('instrumented code computes the same results as the original, and gives the whole stack budget back', () => {
    fc.assert(
      fc.property(randomNumbers, (numbers) => {
        const wasm = randomProgram(numbers).bytes();
        const ran = runInstrumented(wasm, ENOUGH_FUEL);
        // A few programs nest their loops so deep that they need more: only the fuel ends those.
        fc.pre(ran.status !== 'OUT_OF_FUEL');
        expect(ran.status === 'TRAP' ? 'TRAP' : ran.value).toBe(runOriginal(wasm));
      }),
      { numRuns: 400 },
    );
  });

  it('status, value and fuel equal an independent reading of the fuel rules, with enough and too little fuel', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(randomNumbers, fc.nat(10_000), (numbers, part) => {
        const builder = randomProgram(numbers);
        const wasm = builder.bytes();
        const execute = builder.nextFunction - 1;
        const full = new ReferenceInterpreter(builder.module(), 3_500_000).run(execute);
        expect(runInstrumented(wasm, 3_500_000)).toEqual(full);
        // Cut the fuel anywhere in what was used, so that runs end at every kind of charge.
        const used = 3_500_000 - full.fuelLeft;
        const fuel = Math.floor((used * part) / 10_000);
        const short = new ReferenceInterpreter(builder.module(), fuel).run(execute);
        expect(runInstrumented(wasm, fuel)).toEqual(short);
        for (const status of [full.status, short.status]) seen.set(status, (seen.get(status) ?? 0) + 1);
      }),
      { numRuns: 400 },
    );
    expect([...seen.keys()].sort()).toEqual(['OK', 'OUT_OF_FUEL', 'TRAP']);
  });
});
