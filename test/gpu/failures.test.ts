import { expect, it } from 'vitest';
import { decodeDump } from '../../src/execute/health/call-dump.js';
import { endsEqual } from '../../src/execute/health/cross-check.js';
import { FIRST_COOL_DOWN_MS } from '../../src/execute/health/kernel-health.js';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { onDevice, withDevice } from './on-device.js';

it('a device that is lost and cannot be opened anew: the CPU finishes the block, and goes on alone', async () => {
  const { opened, executor, engine, codes, block } = await onDevice({});
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
  // Five results of 16 bytes at least came back, and their calls and keys went up.
  expect(executor.timings.bytesDown).toBeGreaterThan(5 * 16);
  expect(executor.timings.bytesUp).toBeGreaterThan(5 * 16);
  expect(executor.timings.deviceMs).toBeGreaterThan(0);
  expect(engine.health).toMatchObject({ gpu: 'healthy', gpuFailures: 0, lastGpuFailure: undefined, kernelFailures: 0 });
  opened.device.destroy();
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_DEVICE_LOST']);
  expect(engine.health).toMatchObject({ gpu: 'unhealthy', gpuFailures: 1, lastGpuFailure: 'GPU_DEVICE_LOST' });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
});

it('a device that is lost: another one takes its place after the cool-down, with kernels of its own', async () => {
  const clock = { ms: 0 };
  let reopened = (): void => {};
  const isOpen = new Promise<void>((resolve) => {
    reopened = resolve;
  });
  const reopenGpu = async () => {
    const executor = await openGpuExecutor({ patient: true });
    setImmediate(reopened);
    return executor;
  };
  const { opened, engine, block } = await onDevice({}, undefined, true, { reopenGpu, now: () => clock.ms });
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
  opened.device.destroy();
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  clock.ms = FIRST_COOL_DOWN_MS;
  await block();
  await isOpen;
  expect(engine.health.gpu).toBe('probing');
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
  expect(engine.health).toMatchObject({ gpu: 'degraded', gpuFailures: 1, kernel: { why: 'the probe succeeded' } });
});

it('an allocation that fails: the CPU finishes the block, and the next one runs in the kernel again', async () => {
  let fail = true;
  const { engine, codes, block } = await onDevice({}, (opened) => {
    const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
      // More than any device has: Dawn answers with a buffer that cannot be used and an out-of-memory error.
      const size = fail && descriptor.label === 'output_state' ? 2 ** 50 : descriptor.size;
      return opened.device.createBuffer({ ...descriptor, size });
    };
    return withDevice(opened, { createBuffer });
  });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_FAILED']);
  expect(engine.health).toMatchObject({ gpu: 'degraded', gpuFailures: 1 });
  fail = false;
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
});

it('a batch past its time limit: the CPU finishes the block; after the second, the device is left alone', async () => {
  const { engine, codes, block } = await onDevice({ timeoutMs: 0 });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_TIMEOUT']);
  expect(engine.health).toMatchObject({ gpu: 'degraded', gpuFailures: 1, lastGpuFailure: 'GPU_TIMEOUT' });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(engine.health.gpu).toBe('unhealthy');
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
});

it('with every result checked: the kernel stays healthy; one wrong result and the CPU runs the block', async () => {
  const dumps: Uint8Array[] = [];
  const more = { crossCheck: 100, dumpPlace: { write: (_: string, dump: Uint8Array) => dumps.push(dump) } };
  const { engine, faulty, executor, block } = await onDevice({}, undefined, true, more);
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
  expect(engine.health).toMatchObject({ gpu: 'healthy', kernel: { checkedCalls: 5 } });
  faulty.arm('wrong result', 'middle');
  expect(await block()).toEqual({ gpu: 0, cpu: 0, gpuFailures: 1 });
  expect(engine.health).toMatchObject({ gpu: 'degraded', lastGpuFailure: 'GPU_MISMATCH', kernel: { dumps: 1 } });
  const { call, cpu, kernel } = decodeDump(dumps[0]);
  const [again] = await executor.run([call]);
  expect([endsEqual(again, cpu), endsEqual(again, kernel)]).toEqual([true, false]);
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
});
