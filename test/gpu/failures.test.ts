import { expect, it } from 'vitest';
import { onDevice, withDevice } from './on-device.js';

it('a device that is lost: the CPU finishes the block, and the device is not used again', async () => {
  const { opened, engine, codes, block } = await onDevice({});
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
  expect(engine.health).toMatchObject({ gpu: 'in use', gpuFailures: 0, lastGpuFailure: undefined, kernelFailures: 0 });
  opened.device.destroy();
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_DEVICE_LOST']);
  expect(engine.health).toMatchObject({ gpu: 'lost', gpuFailures: 1, lastGpuFailure: 'GPU_DEVICE_LOST' });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
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
  expect(engine.health).toMatchObject({ gpu: 'in use', gpuFailures: 1 });
  fail = false;
  expect(await block()).toEqual({ gpu: 5, cpu: 0, gpuFailures: 0 });
});

it('a batch past its time limit: the CPU finishes the block, and the device is not used again', async () => {
  const { engine, codes, block } = await onDevice({ timeoutMs: 0 });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 1 });
  expect(codes).toEqual(['GPU_TIMEOUT']);
  expect(engine.health).toMatchObject({ gpu: 'lost', gpuFailures: 1, lastGpuFailure: 'GPU_TIMEOUT' });
  expect(await block()).toEqual({ gpu: 0, cpu: 5, gpuFailures: 0 });
});
