// Predicted reads in the WGSL kernel.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DawnExecutor, openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { KernelCases } from '../execute/predict/kernel-cases.js';

let executor: DawnExecutor;
let cases: KernelCases;
beforeAll(async () => {
  executor = await openGpuExecutor({ patient: true });
  cases = new KernelCases(executor, () => executor.timings.dispatches);
});
afterAll(() => executor?.close());

it('5,000 mints of one counter are one dispatch: each call has a predicted value of its own', async () => {
  await cases.right(5_000);
});

it('a predicted value that is wrong, or overflows at its width, is found and repaired', async () => {
  await cases.wrong();
  await cases.overflow();
  expect(executor.kernelFailures.count).toBe(0);
});
