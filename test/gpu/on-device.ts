import { afterEach, expect } from 'vitest';
import { LaneEngine } from '../../src/execute/engine.js';
import type { KernelDeviceOptions } from '../../src/execute/health/kernel-device.js';
import { type OpenDevice, openDevice } from '../../src/gpu/device/device.js';
import type { KernelFailure } from '../../src/gpu/device/kernel-failures.js';
import { DawnExecutor, type GpuExecutorOptions } from '../../src/gpu/gpu-executor.js';
import type { LaneKey } from '../../src/lane/types.js';
import { comparable } from '../../src/selftest/fuzz/fuzz.js';
import { FaultyGpu } from '../../src/testing/gpu-faults/faulty-gpu.js';
import { wat } from '../helpers/wat.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';

/** Where the counter keeps its context, a key and its result; a buffer's length lies in the word before it. */
const CONTEXT = 260;
const RESULT = 1028;
/** Six u128 come before the inputs of a context without assets; the key is the second input. */
const INPUT = CONTEXT + 7 * 16;
/** After 16 zero bytes (no transfers) and the number of entries: the only key, of 16 bytes, and its value. */
const KEY = RESULT + 24;
const VALUE = KEY + 20;

/** Adds one to the 16-byte value of the key that its second input is. Its kernel is compiled in a moment. */
export const COUNTER = wat(`
  (module
    (import "env" "__load_context" (func $load_context (param i32) (result i32)))
    (import "env" "__request_storage" (func $request_storage (param i32) (result i32)))
    (import "env" "__load_storage" (func $load_storage (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "__execute") (result i32)
      (drop (call $load_context (i32.const ${CONTEXT})))
      (i64.store (i32.const ${KEY}) (i64.load (i32.const ${INPUT})))
      (i32.store (i32.const ${KEY - 4}) (i32.const 16))
      (drop (call $request_storage (i32.const ${KEY})))
      (drop (call $load_storage (i32.const ${KEY}) (i32.const ${VALUE})))
      (i32.store (i32.const ${VALUE}) (i32.add (i32.load (i32.const ${VALUE})) (i32.const 1)))
      (i32.store (i32.const ${VALUE - 4}) (i32.const 16))
      (i32.store (i32.const ${RESULT + 16}) (i32.const 1))
      (i32.store (i32.const ${RESULT - 4}) (i32.const ${VALUE + 16 - RESULT}))
      (i32.const ${RESULT})))
`);

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of closing.splice(0)) await resource.close();
});

export interface Bench {
  readonly opened: OpenDevice;
  readonly executor: DawnExecutor;
  /** The executor as the engine has it: it fails as a test wants. */
  readonly faulty: FaultyGpu;
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
  more: KernelDeviceOptions = {},
): Promise<Bench> {
  const opened = change(await openDevice());
  const executor = new DawnExecutor(opened, { patient: true, ...options });
  const faulty = new FaultyGpu(executor);
  const codes: unknown[] = [];
  const lost: KernelFailure[] = [];
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({
    policy: 'gpu',
    workers: 0,
    gpu: faulty,
    waitForKernels,
    ...rules,
    ...more,
    onKernelFailure: (failure) => lost.push(failure),
    onGpuFailure: (error) => codes.push((error as { code?: unknown }).code),
  });
  const truth = new LaneEngine({ policy: 'sequential', workers: 0, ...rules });
  closing.push(engine, truth, executor);
  const world = new World();
  const id = world.deploy(COUNTER);
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
    return { gpu: executors.gpu, cpu: executors.cpu + executors.reuse, gpuFailures };
  };
  return { opened, executor, faulty, engine, codes, lost, block };
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
