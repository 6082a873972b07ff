import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DawnExecutor, openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { type Fault, FaultyGpu } from '../../src/testing/gpu-faults/faulty-gpu.js';
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

/** More of them: `DRILLS=500 npm run software-gpu -- npx vitest run test/gpu/drill.test.ts`. */
const DRILLS = Number(process.env.DRILLS ?? 8);

const drilled = (seed: string): Promise<Fault> =>
  drill({ seed, openGpu: async () => new KeptGpu(gpu), programs: ['probe', 'mint'] });

it(`${DRILLS} drills with the kernel itself, by their seeds`, async () => {
  const failed: string[] = [];
  // Seed 230 has a probe none of whose calls can be wrong.
  for (let i = 230; i < 230 + DRILLS; i++) {
    await drilled(`software ${i}`).catch((error: unknown) => failed.push(`software ${i}: ${error}`));
  }
  expect(failed).toEqual([]);
}, 3_600_000);

it.each([
  ['kernel 0', 'timeout'],
  ['kernel 2', 'loss'],
  ['kernel 3', 'wrong result'],
  ['kernel 5', 'allocation'],
])(
  'a drill with the kernel itself, %s: the state is right through each %s',
  async (seed, fault) => {
    expect(await drilled(seed)).toBe(fault);
  },
  300_000,
);
