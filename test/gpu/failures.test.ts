import { afterEach, expect, it } from 'vitest';
import { LaneEngine } from '../../src/execute/engine.js';
import { comparable } from '../../src/execute/fuzz.js';
import { type OpenDevice, openDevice } from '../../src/gpu/device.js';
import { DawnLane, type GpuLaneOptions } from '../../src/gpu/open.js';
import type { LaneKey } from '../../src/lane/types.js';
import { call, makeBlock, makeTx, World } from '../lane/world.js';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of closing.splice(0)) await resource.close();
});

interface Bench {
  readonly opened: OpenDevice;
  readonly engine: LaneEngine;
  readonly codes: unknown[];
  /** Runs four calls in a chain and one beside it; holds the result against the sequential executor. */
  block(): Promise<{ gpu: number; cpu: number; gpuFailures: number }>;
}

async function onDevice(
  options: GpuLaneOptions,
  change: (opened: OpenDevice) => OpenDevice = (o) => o,
): Promise<Bench> {
  const opened = change(await openDevice());
  const lane = new DawnLane(opened, options);
  const codes: unknown[] = [];
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({
    policy: 'gpu',
    workers: 0,
    gpu: lane,
    ...rules,
    onGpuFailure: (error) => codes.push((error as { code?: unknown }).code),
  });
  const truth = new LaneEngine({ policy: 'sequential', workers: 0, ...rules });
  closing.push(engine, truth, lane);
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
  return { opened, engine, codes, block };
}

it('a device that is lost: the block is finished on the CPU, and the device is not asked again', async () => {
  const { opened, engine, codes, block } = await onDevice({});
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
  expect(engine.health).toEqual({ gpu: 'in use', gpuFailures: 0, lastGpuFailure: undefined });
  opened.device.destroy();
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_DEVICE_LOST']);
  expect(engine.health).toEqual({ gpu: 'lost', gpuFailures: 1, lastGpuFailure: 'GPU_DEVICE_LOST' });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
}, 120_000);

it('an allocation that fails: the block is finished on the CPU, and the next one runs in the kernel again', async () => {
  let fail = true;
  const { engine, codes, block } = await onDevice({}, (opened) => {
    const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
      // More than any device has: Dawn answers with a buffer that cannot be used and an out-of-memory error.
      const size = fail && descriptor.label === 'output_state' ? 2 ** 50 : descriptor.size;
      return opened.device.createBuffer({ ...descriptor, size });
    };
    const device = new Proxy(opened.device, {
      get: (target, name) => {
        if (name === 'createBuffer') return createBuffer;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return { ...opened, device };
  });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_FAILED']);
  expect(engine.health).toMatchObject({ gpu: 'in use', gpuFailures: 1 });
  fail = false;
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
}, 120_000);

it('a batch past its time limit: the block is finished on the CPU, and the device is not asked again', async () => {
  const { engine, codes, block } = await onDevice({ timeoutMs: 0 });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_TIMEOUT']);
  expect(engine.health).toEqual({ gpu: 'lost', gpuFailures: 1, lastGpuFailure: 'GPU_TIMEOUT' });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
}, 120_000);
