import { describe, expect, it } from 'vitest';
import { runDifferential } from '../../src/selftest/fuzz/fuzz.js';
import { expectEverythingHappened } from './everything-happened.js';
import { FakeGpu } from './fake-gpu.js';

/** `SEED=… npx vitest run test/execute` replays a failure. */
const SEED = process.env.SEED ?? 'warpshrew';

describe(`sequential, cpu and gpu leave the same states and receipts (SEED=${SEED})`, () => {
  it('over 300 random blocks, on worker threads and with a kernel that keeps the declared sets', async () => {
    const fake = new FakeGpu();
    fake.punts = (call) => call % 17 === 0;
    const summary = await runDifferential({
      seed: SEED,
      blocks: 300,
      policies: ['cpu', 'gpu', 'auto', 'balance'],
      gpu: fake,
    });
    expectEverythingHappened(summary);
    expect(summary.statistics.balance.splits).toBeGreaterThan(50);
    expect(summary.statistics.gpu.punted).toBeGreaterThan(0);
    expect(summary.statistics.gpu.accessViolations).toBeGreaterThan(0);
    expect(summary.statistics.gpu.executors.gpu).toBeGreaterThan(500);
  });

  it('the same seed gives the same blocks and states', async () => {
    const run = () => runDifferential({ seed: SEED, blocks: 10, policies: [] });
    expect((await run()).digest).toBe((await run()).digest);
  });
});
