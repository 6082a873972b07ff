import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { prepareProgram } from '../../src/program/prepare.js';
import { COUNTER, onDevice } from './on-device.js';

it.skipIf(process.env.VK_DRIVER_FILES === undefined)(
  'the event loop rests while the software driver compiles a kernel',
  async () => {
    const { executor } = await onDevice({}, (opened) => opened);
    const program = prepareProgram(COUNTER);
    const before = performance.eventLoopUtilization();
    await executor.prepare(program);
    expect(executor.kernelState(program, 0)).toBe('ready');
    // A loop that asks for the device's events in every turn never waits for anything: not for a microsecond.
    expect(performance.eventLoopUtilization(before).idle).toBeGreaterThan(0);
  },
);

it('setImmediate serves everyone else as before, also what resolves a promise', async () => {
  const { executor } = await onDevice({}, (opened) => opened);
  const order: string[] = [];
  await Promise.all([
    new Promise<void>((resolve) => setImmediate(resolve)).then(() => order.push('promise')),
    new Promise<void>((resolve) =>
      setImmediate(
        (...given) => {
          order.push(given.join(' '));
          resolve();
        },
        'with',
        'arguments',
      ),
    ),
    promisify(setImmediate)('promisified').then((value) => order.push(value)),
  ]);
  expect(order).toEqual(['promise', 'with arguments', 'promisified']);
  expect(executor.adapter.software).toBeTypeOf('boolean');
});
