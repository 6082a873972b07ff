import { afterAll, expect, it } from 'vitest';
import { measureLaunch } from '../../src/gpu/device/calibrate.js';
import { openDevice } from '../../src/gpu/device/device.js';
import { DawnExecutor } from '../../src/gpu/gpu-executor.js';

const opened = await openDevice();
const gpu = new DawnExecutor(opened);
afterAll(() => gpu.close());

it('a device is measured: more than nothing, and its results are looked at', async () => {
  const us = await gpu.calibrate();
  expect(us).toBeGreaterThan(0);
  expect(us).toBeLessThan(10_000_000);
});

it('a device that computes something else is found out', async () => {
  const { device, flags } = opened;
  // Nothing is dispatched.
  const idle = new Proxy(device, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'createCommandEncoder') {
        return () => {
          const encoder = target.createCommandEncoder();
          const begin = encoder.beginComputePass.bind(encoder);
          encoder.beginComputePass = () => {
            const pass = begin();
            pass.dispatchWorkgroups = () => undefined;
            return pass;
          };
          return encoder;
        };
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await expect(measureLaunch({ device: idle, flags })).rejects.toMatchObject({ code: 'GPU_MISMATCH' });
});

it('a device that does not answer in time, or is closed, has failed', async () => {
  const late = new DawnExecutor(await openDevice(), { timeoutMs: 0 });
  await expect(late.calibrate()).rejects.toMatchObject({ code: 'GPU_TIMEOUT' });
  await late.close();
  await expect(late.calibrate()).rejects.toMatchObject({ code: 'GPU_DEVICE_LOST' });
});
