import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProgramError } from '../../src/errors/errors.js';
import { openDevice } from '../../src/gpu/device/device.js';
import { KERNEL_LIMITS, PATIENT_LIMITS, tooLarge } from '../../src/gpu/device/kernel-limits.js';
import { CallRecorder } from '../../src/gpu/pack/records.js';
import { translateProgram } from '../../src/gpu/translate/module.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import type { Program } from '../../src/program/types.js';
import { block, brTable, end, get, i32, if_, loop, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';
import { COUNTER, onDevice, withDevice } from './on-device.js';

const WINDOW = { bytes: 2048, place: 'private' } as const;
const { hash: COUNTING } = prepareProgram(COUNTER);

/** A program for each number, with a kernel of its own: each costs another amount of fuel. */
function small(n: number): Program {
  const work = Array.from({ length: n }, () => [i32(n), op(OP.drop)]).flat();
  return prepareProgram(new WasmBuilder().execute([...work, i32(4)]).bytes());
}

describe('a failure for one program takes away the kernel of that program only', () => {
  it('in the translator: reported once with its hash, and other programs keep theirs', async () => {
    const { executor, lost } = await onDevice({});
    const broken: Program = {
      ...small(1),
      get module(): never {
        throw new RangeError('operand stack is empty');
      },
    };
    expect([1, 2, 3].map(() => executor.kernelState(broken, 2))).toEqual(['none', 'none', 'none']);
    expect(executor.supports(broken)).toEqual({ ok: false, reason: 'translate: operand stack is empty' });
    await executor.prepare(broken);
    const failure = { program: broken.hash, stage: 'translate', message: 'operand stack is empty' };
    expect(lost).toEqual([failure]);
    expect(executor.kernelFailures).toEqual({ count: 1, last: failure });
    await executor.prepare(small(2));
    expect(executor.kernelState(small(2), 1)).toBe('ready');
  });

  it.each([
    [
      'a text that the driver rejects',
      (device: GPUDevice): Partial<GPUDevice> => ({
        createShaderModule: () => device.createShaderModule({ code: 'fn main( {' }),
      }),
      'expected',
    ],
    [
      'a driver that throws',
      (): Partial<GPUDevice> => ({
        createComputePipelineAsync: () => {
          throw new TypeError('out of registers');
        },
      }),
      'out of registers',
    ],
    [
      'a pipeline that the driver rejects',
      (): Partial<GPUDevice> => ({ createComputePipelineAsync: () => Promise.reject(new Error('too complex')) }),
      'too complex',
    ],
  ])(
    'in the driver, %s: the CPU runs its messages under policy gpu, block after block',
    async (_, change, message) => {
      const { engine, codes, lost, block: run } = await onDevice({}, (o) => withDevice(o, change(o.device)));
      expect(await run()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
      expect(await run()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
      expect(codes).toEqual([]);
      expect(lost).toEqual([{ program: COUNTING, stage: 'compile', message: expect.stringContaining(message) }]);
      expect(engine.health).toMatchObject({
        gpu: 'healthy',
        kernelFailures: 1,
        lastKernelFailure: { program: COUNTING },
      });
    },
    120_000,
  );

  it('a driver that does not end: no kernel after the time limit, and nothing waits for it', async () => {
    let told = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      told = resolve;
    });
    const never = (): Promise<GPUComputePipeline> => new Promise(() => undefined);
    const { executor, lost } = await onDevice({ kernels: { compileMs: 5 } }, (o) =>
      withDevice(o, { createComputePipelineAsync: never }),
    );
    executor.onKernelFailure(() => told());
    expect(executor.kernelState(small(3), 2)).toBe('waiting');
    await late;
    expect(executor.kernelState(small(3), 2)).toBe('none');
    expect(executor.kernelFailures.last).toMatchObject({ program: small(3).hash, stage: 'compile' });
    expect(lost).toEqual([]);
  });

  it('in packing: the program whose calls cannot be packed loses its kernel, the other does not', async () => {
    const { executor, lost } = await onDevice({});
    const [bad, good] = [small(4), small(5)];
    await Promise.all([executor.prepare(bad), executor.prepare(good)]);
    const recorder = new CallRecorder(1);
    const add = (program: Program, fuel: number): number =>
      recorder.add(program.hash, { context: new Uint8Array(0), fuel, height: 1 }, [], {}) as number;
    // Packing throws for fuel that no message can have.
    const calls = [add(good, 1_000), add(bad, 2 ** 31)];
    const colour = Uint32Array.from(calls);
    const programs = new Map([bad, good].map((program) => [program.hash, program]));
    const given = { seed: 1, records: recorder.take(), programs, segments: [[colour]] };
    await expect(executor.begin(given)).rejects.toMatchObject({ code: 'GPU_FAILED' });
    expect(lost).toEqual([{ program: bad.hash, stage: 'pack', message: 'fuel of a call is out of range' }]);
    expect([bad, good].map((program) => executor.kernelState(program, 1))).toEqual(['none', 'ready']);
  });
});

describe('kernels are compiled in the background, when that pays', () => {
  it('not for a first call, but for a second one, and not while the queue is full', async () => {
    const begun: (() => void)[] = [];
    const { executor } = await onDevice({ kernels: { compiling: 1, waiting: 1 } }, (o) =>
      withDevice(o, {
        createComputePipelineAsync: (descriptor) =>
          new Promise((resolve) => begun.push(() => resolve(o.device.createComputePipelineAsync(descriptor)))),
      }),
    );
    const programs = [6, 7, 8].map(small);
    const states = (calls: number) => programs.map((program) => executor.kernelState(program, calls));
    const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
    expect(states(1)).toEqual(['waiting', 'waiting', 'waiting']);
    await turn();
    expect(begun).toHaveLength(0);
    expect(states(1)).toEqual(['waiting', 'waiting', 'waiting']);
    while (begun.length === 0) await turn();
    // The second waits for the first; there was no room for the third.
    while (executor.kernelState(programs[0], 1) !== 'ready') {
      for (const finish of begun.splice(0)) finish();
      await turn();
    }
    while (states(0)[1] !== 'ready') {
      for (const finish of begun.splice(0)) finish();
      await turn();
    }
    expect(executor.kernelState(programs[2], 0)).toBe('waiting');
    while (states(1)[2] !== 'ready') {
      for (const finish of begun.splice(0)) finish();
      await turn();
    }
  });

  it('policy gpu does not wait either: the CPU runs what is not compiled', async () => {
    const never = (): Promise<GPUComputePipeline> => new Promise(() => undefined);
    const change = (o: Awaited<ReturnType<typeof openDevice>>) => withDevice(o, { createComputePipelineAsync: never });
    const { block: run } = await onDevice({}, change, false);
    expect(await run()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
    expect(await run()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
  });

  it('limits are lower on a software driver: it cannot compile many memory accesses', () => {
    const body = (stores: number): Instruction[] =>
      Array.from({ length: stores }, () => [get(0), get(1), op(OP.i32Store, 3, 0)]).flat();
    const size = (stores: number) => {
      const b = new WasmBuilder().execute([...body(stores), i32(4)], ['i32', 'i32']);
      const translation = translateProgram(prepareProgram(b.bytes()), WINDOW);
      if (!translation.ok) throw new Error(translation.reason);
      return translation.kernel.inlined;
    };
    expect(tooLarge(size(200), KERNEL_LIMITS.software)).toBeUndefined();
    expect(tooLarge(size(700), KERNEL_LIMITS.software)).toMatch(/700 memory accesses/);
    expect(tooLarge(size(700), KERNEL_LIMITS.hardware)).toBeUndefined();
    expect(tooLarge(size(700), PATIENT_LIMITS)).toBeUndefined();
  });
});

describe('nesting', () => {
  const shapes: Record<string, readonly [readonly Instruction[], readonly Instruction[]]> = {
    if: [[get(0), if_()], [end]],
    'if with else': [[get(0), if_(), op(OP.nop), { ...op(OP.else) }], [end]],
    loop: [[loop()], [get(0), op(OP.brIf, 0), end]],
    block: [[block(), get(0), op(OP.brIf, 0)], [end]],
    'loop in a block': [
      [block(), loop(), get(0), op(OP.brIf, 1)],
      [get(0), op(OP.brIf, 0), end, end],
    ],
    table: [[block(), block(), get(0), brTable(0, 1, 0, 1), end], [end]],
  };

  it.each(Object.keys(shapes))(
    'the deepest %s that is translated is one that the driver takes',
    async (name) => {
      const [before, after] = shapes[name] as (typeof shapes)[string];
      const translate = (levels: number) => {
        const repeat = (code: readonly Instruction[]) => Array.from({ length: levels }, () => code).flat();
        const b = new WasmBuilder();
        b.execute([...repeat(before), i32(7), set(0), ...repeat(after), i32(4)], ['i32']);
        try {
          return translateProgram(prepareProgram(b.bytes()), WINDOW);
        } catch (error) {
          // The rules may stop earlier than the driver.
          if (error instanceof ProgramError) return { ok: false, reason: 'nesting beyond the rules' } as const;
          throw error;
        }
      };
      let deepest = 1;
      while (translate(deepest + 1).ok) deepest++;
      expect(deepest).toBeGreaterThan(15);
      expect(translate(deepest + 1)).toMatchObject({ ok: false, reason: expect.stringContaining('nesting') });
      const translation = translate(deepest);
      if (!translation.ok) throw new Error(translation.reason);
      const { device, close } = await openDevice();
      try {
        device.pushErrorScope('validation');
        device.createShaderModule({ code: translation.kernel.wgsl });
        expect((await device.popErrorScope())?.message).toBeUndefined();
      } finally {
        close();
      }
    },
    120_000,
  );
});

it('errors and warnings of a driver do not reach standard output', async () => {
  const script = `
    const { openDevice, inErrorScopes } = await import(process.argv[1]);
    const { device, stray, close } = await openDevice();
    device.createShaderModule({ code: 'fn main( {' });
    device.createBuffer({ size: 2 ** 50, usage: 128 });
    const dead = '@compute @workgroup_size(1) fn main() { loop { break; let x = 1u; } return; }';
    device.createShaderModule({ code: 'diagnostic(off, chromium.unreachable_code);' + dead });
    const told = await inErrorScopes(device, () => device.createShaderModule({ code: 'fn' })).catch((e) => e.message);
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.stderr.write(JSON.stringify({ stray: stray.take()?.count, told: told.includes('error') }));
    close();`;
  const dist = new URL('../../dist/gpu/device/device.js', import.meta.url).href;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, dist]);
  expect(stdout).toBe('');
  expect(JSON.parse(stderr)).toEqual({ stray: 2, told: true });
});
