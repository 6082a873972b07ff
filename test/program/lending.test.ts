import { describe, expect, it } from 'vitest';
import { Lending } from '../../src/program/lending.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { CallBuffers, CallingFrame, Program, RunHost } from '../../src/program/types.js';
import { call, i32, i64, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from './support.js';

const FUEL = 3_500_000;
const PAGE = 65_536;
const DEPTH = 20;
const STAYED = { grownBytes: 0, references: 0 };

function program(minPages: number, dataAt = 0): Program {
  const b = new WasmBuilder();
  b.memory = { minPages, maxPages: undefined };
  if (dataAt > 0) b.data(dataAt, Uint8Array.of(1));
  return prepareProgram(b.execute([i32(4)]).bytes());
}

describe('the memory of a run', () => {
  it('is a lent one for a program of many pages that uses little fuel, and one of its own for any other', () => {
    const lending = new Lending();
    const [small, large] = [program(3), program(17)];
    expect([small, large].map((one) => lending.wants(one, 0))).toEqual([false, true]);
    for (const one of [small, large]) lending.ran(one, STAYED, 170_000);
    expect([small, large].map((one) => lending.wants(one, 0))).toEqual([false, true]);
    lending.ran(large, STAYED, 170_001);
    expect(lending.wants(large, 0)).toBe(false);
  });

  it('is a lent one where it grew, for as much more fuel as it grew by pages and holds references', () => {
    const lending = new Lending();
    const small = program(1);
    const most = 300_000 + 2 * 80_000 + 3 * 800;
    lending.ran(small, { grownBytes: 2 * PAGE, references: 3 }, most);
    expect(lending.wants(small, 0)).toBe(true);
    lending.ran(small, { grownBytes: 2 * PAGE, references: 3 }, most + 1);
    expect(lending.wants(small, 0)).toBe(false);
  });

  it('is a lent one in a frame inside of another, unless it computes for long', () => {
    const lending = new Lending();
    const small = program(1);
    expect(lending.wants(small, 1)).toBe(true);
    lending.ran(small, STAYED, 300_000);
    expect([0, 1].map((depth) => lending.wants(small, depth))).toEqual([false, true]);
    lending.ran(small, STAYED, 300_001);
    expect(lending.wants(small, 1)).toBe(false);
  });

  it('is its own where static data lies out of bounds', () => {
    expect([0, 1].map((depth) => new Lending().wants(program(17, 17 * PAGE), depth))).toEqual([false, false]);
  });
});

it('small contracts that call each other run in lent memories from the second frame on', () => {
  const b = new WasmBuilder();
  const makeCall = b.import('__call');
  b.memory = { minPages: 1, maxPages: undefined };
  const calls = [i32(4), i32(4), i32(4), i64(0n), call(makeCall), op(OP.drop), i32(4)];
  const nested = prepareProgram(b.execute(calls).bytes());
  const made = (_: CallBuffers, frame: CallingFrame): Uint8Array => {
    if (frame.depth < DEPTH) expect(frame.run(nested, host)?.status).toBe('OK');
    return new Uint8Array(0);
  };
  const host: RunHost = testHost({ call: made }).host;
  const runner = new ProgramRunner({ compiles: 'everything' });
  for (let message = 0; message < 2; message++) expect(runner.run(nested, host, FUEL).status).toBe('OK');
  expect(runner.kept).toMatchObject({ instances: DEPTH + 1, inLent: DEPTH, bytes: PAGE, compiled: 2 });
});
