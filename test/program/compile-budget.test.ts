import { expect, it } from 'vitest';
import { CompileBudget } from '../../src/program/compile-budget.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { CallBuffers, CallingFrame, Program } from '../../src/program/types.js';
import { call, end, get, i32, i64, loop, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from './support.js';

const FUEL = 90_000_000;
const INNER = 24;
const drop = op(OP.drop);

/** Counts down from `rounds` and answers nothing; `number` makes it another program. */
function counting(rounds: number, number: number): Program {
  const b = new WasmBuilder();
  const down = [i32(rounds), set(0), loop(), get(0), i32(1), op(OP.i32Sub), op(OP.localTee, 0), op(OP.brIf, 0), end];
  return prepareProgram(b.execute([i32(number), drop, ...down, i32(4)], ['i32']).bytes());
}

/** Makes `times` calls. */
function calling(times: number): Program {
  const b = new WasmBuilder();
  const makeCall = b.import('__call');
  const calls = Array.from({ length: times }, () => [i32(4), i32(4), i32(4), i64(0n), call(makeCall), drop]).flat();
  return prepareProgram(b.execute([...calls, i32(4)]).bytes());
}

/** How many programs have been compiled after each of `messages` that call all of `programs`. */
function compiledAfter(messages: number, programs: readonly Program[]): number[] {
  const runner = new ProgramRunner();
  const outer = calling(programs.length);
  let next = 0;
  const inside = testHost().host;
  const made = (_: CallBuffers, frame: CallingFrame): Uint8Array => {
    expect(frame.run(programs[next++ % programs.length], inside)?.status).toBe('OK');
    return new Uint8Array(0);
  };
  const { host } = testHost({ call: made });
  return Array.from({ length: messages }, () => {
    expect(runner.run(outer, host, FUEL).status).toBe('OK');
    return runner.kept.compiled;
  });
}

it('programs that are all to be compiled are compiled in several messages', () => {
  const programs = Array.from({ length: INNER }, (_, i) => counting(10_000, i));
  const counts = compiledAfter(8, programs);
  // All have run enough in the first message.
  expect(counts[0]).toBe(0);
  expect(counts[1]).toBeGreaterThan(0);
  expect(counts[1]).toBeLessThan(INNER);
  expect(counts[2]).toBeGreaterThan(counts[1]);
  expect(counts.at(-1)).toBeGreaterThanOrEqual(INNER);
});

it('a message has as much compiled as it has interpreted, and the first program always', () => {
  const budget = new CompileBudget();
  const large = { ...counting(1, 0), sourceBytes: 400_000 };
  expect(budget.allows(large)).toBe(true);
  budget.spend(large);
  expect(budget.allows(large)).toBe(false);
  budget.interpreted(5_613_560);
  expect(budget.allows(large)).toBe(false);
  budget.interpreted(8);
  expect(budget.allows(large)).toBe(true);
  budget.messageEnded();
  budget.spend(large);
  expect(budget.allows(counting(1, 0))).toBe(false);
  budget.messageEnded();
  expect(budget.allows(large)).toBe(true);
  budget.spend(counting(1, 0));
  expect(budget.allows(counting(1, 1))).toBe(true);
});
