import { describe, expect, it } from 'vitest';
import { randomModule } from '../../src/gpu/fuzz/generate.js';
import { fuzzKernel } from '../../src/gpu/fuzz/run.js';
import { openGpuLane } from '../../src/gpu/open.js';
import { translateProgram } from '../../src/gpu/translate/module.js';
import type { GpuCall, GpuCallResult } from '../../src/gpu/types.js';
import { decodeModule } from '../../src/program/decode.js';
import { OP, opcodeInfo } from '../../src/program/opcodes.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { FakeGpu } from '../execute/fake-gpu.js';

const SEED = 1;

/** A lane that gives V8's results, changed by `change`. */
class ChangedLane extends FakeGpu {
  constructor(readonly change: (result: GpuCallResult, call: number) => GpuCallResult) {
    super();
  }

  override async run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return (await super.run(calls)).map(this.change);
  }
}

describe('the fuzzer of the kernel', () => {
  it('finds no difference on the GPU', async () => {
    const report = await fuzzKernel({
      seed: SEED,
      modules: 10,
      runs: 256,
      openLane: () => openGpuLane({ patient: true }),
    });
    expect(report.differences).toEqual([]);
    expect(report.differing).toBe(0);
    expect(report.runs).toBe(10 * 256);
    expect(Object.keys(report.statuses)).toEqual(expect.arrayContaining(['OK', 'TRAP', 'OUT_OF_FUEL']));
    expect(report.statuses.PUNT ?? 0).toBeLessThan(report.runs / 5);
    expect(report.statuses.OK).toBeGreaterThan(report.runs / 4);
  });

  it('says where results differ, and the module alone shows it again', async () => {
    const wrong = (result: GpuCallResult, call: number): GpuCallResult =>
      call === 37 ? { ...result, fuelLeft: result.fuelLeft + 1 } : result;
    const report = await fuzzKernel({
      seed: SEED,
      modules: 3,
      runs: 20,
      openLane: async () => new ChangedLane(wrong),
    });
    expect(report.differing).toBe(1);
    expect(report.differences).toEqual([{ module: 1, run: 17, text: expect.stringContaining('left') }]);
    const again = (result: GpuCallResult, call: number): GpuCallResult => wrong(result, call + 20);
    const alone = await fuzzKernel({
      seed: SEED,
      first: 1,
      modules: 1,
      runs: 20,
      openLane: async () => new ChangedLane(again),
    });
    expect(alone.differences).toEqual(report.differences);
  });

  it('a PUNT is counted by its reason and not compared', async () => {
    const punt = (result: GpuCallResult): GpuCallResult => ({ ...result, status: 'PUNT', puntReason: 'table' });
    const report = await fuzzKernel({ seed: SEED, modules: 2, runs: 5, openLane: async () => new ChangedLane(punt) });
    expect([report.differing, report.punts, report.statuses]).toEqual([0, { table: 10 }, { PUNT: 10 }]);
  });

  it('the modules of a seed are always the same, valid, and hold every kind of instruction', () => {
    const ops = new Set<number>();
    for (let i = 0; i < 120; i++) {
      const wasm = randomModule(SEED, i);
      if (i < 5) expect(wasm).toEqual(randomModule(SEED, i));
      expect(translateProgram(prepareProgram(wasm), { bytes: 8192, place: 'private' }).ok).toBe(true);
      for (const { code } of decodeModule(wasm).functions) for (const { op } of code) ops.add(op);
    }
    // Only what makes or changes references in a table is left out: that is a PUNT.
    const left: number[] = [OP.selectTyped, OP.tableGet, OP.tableSet, OP.refFunc, OP.tableInit, OP.tableCopy];
    left.push(OP.tableGrow, OP.tableFill);
    const allowed = Array.from({ length: 0xfc20 }, (_, op) => op).filter((op) => opcodeInfo(op) !== undefined);
    expect(allowed.filter((op) => !ops.has(op) && !left.includes(op))).toEqual([]);
  });
});
