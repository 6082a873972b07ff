import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuLane } from '../../src/gpu/open.js';
import type { GpuLane } from '../../src/gpu/types.js';
import { Random, randomInput, randomModule } from './random-module.js';
import { gpuCall, runAndCompare } from './support.js';

// A failure names its seed: WARPSHREW_SEED=n runs that module alone, WARPSHREW_MODULES=n more of them.
const SEED = process.env.WARPSHREW_SEED;
const MODULES = SEED === undefined ? Number(process.env.WARPSHREW_MODULES ?? 16) : 1;
const CALLS = 96;

describe('the kernel and V8 agree on random functions', () => {
  let lane: GpuLane;
  beforeAll(async () => {
    lane = await openGpuLane();
  });
  afterAll(() => lane?.close());

  const statuses = new Set<string>();
  for (let i = 0; i < MODULES; i++) {
    const seed = SEED === undefined ? 1000 + i : Number(SEED);
    it(`module of seed ${seed}`, async () => {
      const random = new Random(seed);
      const program = randomModule(random);
      const calls = Array.from({ length: CALLS }, (_, k) => {
        const fuel = k % 8 === 0 ? random.pick(400) : 3_500_000;
        return gpuCall(program, { context: randomInput(random), fuel });
      });
      expect(lane.supports(calls[0].program)).toEqual({ ok: true });
      const results = await runAndCompare(lane, calls);
      for (const { status } of results) statuses.add(status);
      expect(results.filter((r) => r.status === 'PUNT').length).toBeLessThan(CALLS / 4);
    });
  }

  it('they end with OK, TRAP and OUT_OF_FUEL', () => {
    if (SEED === undefined) expect([...statuses]).toEqual(expect.arrayContaining(['OK', 'TRAP', 'OUT_OF_FUEL']));
  });
});
