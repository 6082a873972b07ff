import { afterEach, expect } from 'vitest';
import { LaneEngine } from '../../src/execute/engine.js';
import { type OpenDevice, openDevice } from '../../src/gpu/device/device.js';
import type { KernelFailure } from '../../src/gpu/device/kernel-failures.js';
import { DawnExecutor, type GpuExecutorOptions } from '../../src/gpu/gpu-executor.js';
import type { LaneKey } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of closing.splice(0)) await resource.close();
});

export interface Bench {
  readonly opened: OpenDevice;
  readonly executor: DawnExecutor;
  readonly engine: LaneEngine;
  readonly codes: unknown[];
  /** The reports of programs that lost their kernels. */
  readonly lost: readonly KernelFailure[];
  /** Runs four calls in a chain and an independent one; compares the result with the sequential executor's. */
  block(): Promise<{ gpu: number; cpu: number; gpuFailures: number }>;
}

/** An engine under `gpu`, with an executor on a device that `change` may modify; closed after the test. */
export async function onDevice(
  options: GpuExecutorOptions,
  change: (opened: OpenDevice) => OpenDevice = (o) => o,
  waitForKernels = true,
): Promise<Bench> {
  const opened = change(await openDevice());
  const executor = new DawnExecutor(opened, { patient: true, ...options });
  const codes: unknown[] = [];
  const lost: KernelFailure[] = [];
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({
    policy: 'gpu',
    workers: 0,
    gpu: executor,
    waitForKernels,
    ...rules,
    onKernelFailure: (failure) => lost.push(failure),
    onGpuFailure: (error) => codes.push((error as { code?: unknown }).code),
  });
  const truth = new LaneEngine({ policy: 'sequential', workers: 0, ...rules });
  closing.push(engine, truth, executor);
  const world = new World();
  const id = world.deploy();
  const messages = [0, 0, 0, 0, 7].map((n) =>
    makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 4, n) }] }),
  );
  const state = { reader: { get: (key: LaneKey) => world.state.get(key) } };
  const block = async () => {
    const result = await engine.processBlock(makeBlock(messages), 5, state);
    const expected = await truth.processBlock(makeBlock(messages), 5, state);
    expect(result.receipts.map(comparable)).toEqual(expected.receipts.map(comparable));
    expect(new Map([...result.writes].sort())).toEqual(new Map([...expected.writes].sort()));
    const { executors, gpuFailures } = result.statistics;
    return { gpu: executors.gpu, cpu: executors.cpu, gpuFailures };
  };
  return { opened, executor, engine, codes, lost, block };
}

/** `opened` with some of the device's functions replaced. */
export function withDevice(opened: OpenDevice, replaced: Partial<GPUDevice>): OpenDevice {
  const device = new Proxy(opened.device, {
    get: (target, name) => {
      if (name in replaced) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...opened, device };
}
