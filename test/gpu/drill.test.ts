import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DawnExecutor, openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { FaultyGpu } from '../../src/testing/gpu-faults/faulty-gpu.js';
import { drill } from '../execute/health/drill.js';

/** Its kernels are compiled once for all drills: it outlasts the engines of each. */
class KeptGpu extends FaultyGpu {
  override async close(): Promise<void> {}
}

let gpu: DawnExecutor;
beforeAll(async () => {
  gpu = await openGpuExecutor({ patient: true });
}, 60_000);
afterAll(() => gpu.close());

it.each([
  ['kernel 0', 'timeout'],
  ['kernel 2', 'loss'],
  ['kernel 3', 'wrong result'],
  ['kernel 5', 'allocation'],
])(
  'a drill with the kernel itself, %s: the state is right through each %s',
  async (seed, fault) => {
    expect(await drill({ seed, openGpu: async () => new KeptGpu(gpu), programs: ['probe', 'mint'] })).toBe(fault);
  },
  300_000,
);
