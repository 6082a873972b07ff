import { describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall, GpuCallResult } from '../../src/gpu/pack/types.js';
import { translateProgram } from '../../src/gpu/translate/module.js';
import { decodeModule } from '../../src/program/decode.js';
import type { FunctionType, Instruction } from '../../src/program/module.js';
import { OP, opcodeInfo } from '../../src/program/opcodes.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { randomModule } from '../../src/selftest/fuzz-kernel/generate.js';
import { fuzzKernel } from '../../src/selftest/fuzz-kernel/run.js';
import { FakeGpu } from '../execute/fake-gpu.js';

const SEED = 8;

/** An executor that gives V8's results, changed by `change`. */
class ChangedExecutor extends FakeGpu {
  constructor(readonly change: (result: GpuCallResult, call: number) => GpuCallResult) {
    super();
  }

  override async run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return (await super.run(calls)).map(this.change);
  }
}

/** The branches that go back to loops, by kind: `br_if to a loop with results, from 2 levels inside`. */
function loopShapes(code: readonly Instruction[], types: readonly FunctionType[]): string[] {
  const open: string[] = [];
  const shapes: string[] = [];
  const names: Readonly<Record<number, string>> = { [OP.br]: 'br', [OP.brIf]: 'br_if', [OP.brTable]: 'br_table' };
  for (const { op, a, targets, block } of code) {
    const name = names[op];
    if (op === OP.block || op === OP.loop || op === OP.if) {
      const signature = block?.kind === 'type' ? types[block.index] : undefined;
      const takes = (signature?.params.length ?? 0) > 0;
      const gives = block?.kind === 'value' || (signature?.results.length ?? 0) > 0;
      open.push(op === OP.loop ? `a loop${takes ? ' with parameters' : ''}${gives ? ' with results' : ''}` : '');
    } else if (op === OP.end) open.pop();
    if (name === undefined) continue;
    for (const depth of op === OP.brTable ? (targets ?? []) : [a ?? 0]) {
      const label = open[open.length - 1 - depth] ?? '';
      if (label !== '') shapes.push(`${name} to ${label}, from ${depth === 0 ? 'its body' : 'further inside'}`);
    }
  }
  return shapes;
}

describe('the fuzzer of the kernel', () => {
  it('finds no difference on the GPU', async () => {
    const report = await fuzzKernel({
      seed: SEED,
      modules: 10,
      runs: 256,
      openExecutor: () => openGpuExecutor({ patient: true }),
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
      openExecutor: async () => new ChangedExecutor(wrong),
    });
    expect(report.differing).toBe(1);
    expect(report.differences).toEqual([{ module: 1, run: 17, text: expect.stringContaining('left') }]);
    const again = (result: GpuCallResult, call: number): GpuCallResult => wrong(result, call + 20);
    const alone = await fuzzKernel({
      seed: SEED,
      first: 1,
      modules: 1,
      runs: 20,
      openExecutor: async () => new ChangedExecutor(again),
    });
    expect(alone.differences).toEqual(report.differences);
  });

  it('a PUNT is counted by its reason and not compared', async () => {
    const punt = (result: GpuCallResult): GpuCallResult => ({ ...result, status: 'PUNT', puntReason: 'table' });
    const report = await fuzzKernel({
      seed: SEED,
      modules: 2,
      runs: 5,
      openExecutor: async () => new ChangedExecutor(punt),
    });
    expect([report.differing, report.punts, report.statuses]).toEqual([0, { table: 10 }, { PUNT: 10 }]);
  });

  it('the modules of a seed are always the same, valid, and hold every instruction and every branch to a loop', () => {
    const ops = new Set<number>();
    const shapes = new Set<string>();
    for (let i = 0; i < 120; i++) {
      const wasm = randomModule(SEED, i);
      if (i < 5) expect(wasm).toEqual(randomModule(SEED, i));
      expect(translateProgram(prepareProgram(wasm), { bytes: 8192, place: 'private' }).ok).toBe(true);
      const { functions, types, memory } = decodeModule(wasm);
      if (memory?.minPages === 0) shapes.add('memory of no pages');
      for (const { code } of functions) {
        for (const instruction of code) ops.add(instruction.op);
        for (const shape of loopShapes(code, types)) shapes.add(shape);
      }
    }
    const loops = ['', ' with results', ' with parameters', ' with parameters with results'];
    const wanted = loops.flatMap((types) =>
      ['br', 'br_if', 'br_table'].map((name) => `${name} to a loop${types}, from further inside`),
    );
    expect([...wanted, 'memory of no pages'].filter((shape) => !shapes.has(shape))).toEqual([]);
    const allowed = Array.from({ length: 0xfc20 }, (_, op) => op).filter((op) => opcodeInfo(op) !== undefined);
    expect(allowed.filter((op) => !ops.has(op))).toEqual([]);
  });
});
