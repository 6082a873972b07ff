import { describe, expect, it } from 'vitest';
import { type DifferentialSummary, runDifferential } from '../../src/selftest/fuzz/fuzz.js';
import { FakeGpu } from './fake-gpu.js';
import { openGpu } from './open-gpu.js';

/** `SEED=… npx vitest run test/execute` replays a failure. */
const SEED = process.env.SEED ?? 'warpshrew';

const gpu = await openGpu();

describe(`sequential, cpu and gpu leave the same states and receipts (SEED=${SEED})`, () => {
  it('over 300 random blocks, on worker threads and with a kernel that keeps the declared sets', async () => {
    const fake = new FakeGpu();
    fake.punts = (call) => call % 17 === 0;
    const summary = await runDifferential({ seed: SEED, blocks: 300, policies: ['cpu', 'gpu', 'auto'], gpu: fake });
    expectEverythingHappened(summary);
    expect(summary.statistics.gpu.punted).toBeGreaterThan(0);
    expect(summary.statistics.gpu.accessViolations).toBeGreaterThan(0);
    expect(summary.statistics.gpu.executors.gpu).toBeGreaterThan(500);
  });

  it.skipIf(gpu === undefined)('over 150 random blocks, through the WGSL kernel', async () => {
    // Kernels of the other programs take the software driver long to compile; `warpshrew fuzz` runs all of them.
    const programs = ['probe', 'mint', 'claim'] as const;
    const summary = await runDifferential({ seed: `${SEED}/kernel`, blocks: 150, policies: ['gpu'], gpu, programs });
    expectEverythingHappened(summary, 'gpu');
    expect(summary.statistics.gpu.executors.gpu).toBeGreaterThan(500);
    expect(summary.statistics.gpu.gpuFailures).toBe(0);
    await gpu?.close();
  });

  it('the same seed gives the same blocks and states', async () => {
    const run = () => runDifferential({ seed: SEED, blocks: 10, policies: [] });
    expect((await run()).digest).toBe((await run()).digest);
  });
});

/** The generator is worth nothing if it stops making the cases that it is there for. */
function expectEverythingHappened({ statistics }: DifferentialSummary, policy = 'cpu'): void {
  const { lane } = statistics.sequential;
  for (const count of Object.values(lane)) expect(count).toBeGreaterThan(0);
  expect(statistics[policy].repaired).toBeGreaterThan(20);
  expect(statistics[policy].demoted).toBeGreaterThan(100);
  if (policy === 'cpu') {
    expect(statistics.cpu.executors.reuse).toBeGreaterThan(500);
    expect(statistics.cpu.executors.cpu).toBeGreaterThan(100);
  }
}
