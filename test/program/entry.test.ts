import { describe, expect, it } from 'vitest';
import { prepareProgram } from '../../src/program/prepare.js';
import type { RunResult } from '../../src/program/types.js';
import { BothTiers } from '../../src/selftest/tiers.js';
import { i32, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from './support.js';

const tiers = new BothTiers();
function enter(builder: WasmBuilder, fuel: number): RunResult {
  const { result, difference } = tiers.run(prepareProgram(builder.bytes()), () => testHost().host, fuel);
  expect(difference).toBeUndefined();
  return result;
}

const pages = (minPages: number): WasmBuilder => {
  const b = new WasmBuilder();
  b.memory = { minPages, maxPages: undefined };
  return b;
};

/** Fuel of a run less the 1 of its only instruction. */
function charged(builder: WasmBuilder): number {
  const fuel = 4_000_000;
  const { status, fuelLeft } = enter(builder.execute([i32(0)]), fuel);
  expect(status).toBe('OK');
  return fuel - fuelLeft - 1;
}

describe('the entry charge of a frame (lane rules 5)', () => {
  it('5,000 per page of the declared minimum of memory', () => {
    expect(charged(pages(0))).toBe(0);
    expect(charged(pages(1))).toBe(5_000);
    expect(charged(pages(17))).toBe(85_000);
    expect(charged(pages(512))).toBe(2_560_000);
  });

  it('1 per started 4 bytes of all active data and 200 per active segment; passive ones nothing', () => {
    expect(charged(pages(1).data(0, new Uint8Array(4)))).toBe(5_000 + 1 + 200);
    expect(charged(pages(1).data(0, new Uint8Array(5)).data(9, new Uint8Array(2)))).toBe(5_000 + 2 + 400);
    expect(charged(pages(1).data(7, new Uint8Array(0)))).toBe(5_000 + 200);
    const passive = pages(1);
    passive.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(100) });
    expect(charged(passive)).toBe(5_000);
  });

  it('30 per element of active element segments, 200 per segment, 4 per element of the minimum of the table', () => {
    const b = pages(0);
    const f = b.function('()->()', []);
    b.tableOf(f, f, f);
    b.table = { min: 10, max: 4_000 };
    const items = [{ kind: 'ref.func', index: f } as const];
    b.elements.push({ mode: 'passive', table: 0, offset: undefined, items });
    b.elements.push({ mode: 'declarative', table: 0, offset: undefined, items });
    expect(charged(b)).toBe(40 + 200 + 90);
  });

  it('comes first: with less nothing runs, with exactly as much the first instruction is not paid', () => {
    const b = pages(1).execute([i32(0)]);
    expect(enter(b, 4_999)).toMatchObject({ status: 'OUT_OF_FUEL', fuelLeft: 0 });
    expect(enter(b, 5_000)).toMatchObject({ status: 'OUT_OF_FUEL', fuelLeft: 0 });
    expect(enter(b, 5_001)).toMatchObject({ status: 'OK', fuelLeft: 0 });
  });

  it('comes before the segments: out of bounds is TRAP with what it left, or OUT_OF_FUEL', () => {
    const b = pages(1)
      .data(65_536, Uint8Array.of(1))
      .execute([i32(0)]);
    expect(enter(b, 5_200)).toMatchObject({ status: 'OUT_OF_FUEL' });
    for (let i = 0; i < 2; i++) expect(enter(b, 5_201 + 77)).toMatchObject({ status: 'TRAP', fuelLeft: 77 });
  });

  it("comes before the stack budget of the first function, whose frame comes before the entry block's fuel", () => {
    const b = pages(1);
    b.execute([i32(0)], new Array<'i32'>(999).fill('i32'));
    const deep = pages(1);
    const self = deep.nextFunction;
    deep.execute([{ op: 0x10, a: self }]);
    expect(enter(b, 5_000)).toMatchObject({ status: 'OUT_OF_FUEL' });
    // An endless recursion: whichever ends first, the charge of entry is gone.
    expect(enter(deep, 5_000 + 10)).toMatchObject({ status: 'OUT_OF_FUEL', fuelLeft: 0 });
    expect(enter(deep, 4_000_000).status).toBe('TRAP');
  });

  it('is the same when an instance serves again', () => {
    const b = pages(3)
      .data(100, new Uint8Array(8))
      .execute([i32(0)]);
    for (let i = 0; i < 3; i++) expect(enter(b, 20_000)).toMatchObject({ fuelLeft: 20_000 - 15_000 - 202 - 1 });
  });
});
