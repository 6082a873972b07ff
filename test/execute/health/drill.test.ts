import { expect, it } from 'vitest';
import { FUZZ_PROGRAMS } from '../../../src/selftest/fuzz/fuzz-programs.js';
import { FAULTS } from '../../../src/testing/gpu-faults/faulty-gpu.js';
import { FakeGpu } from '../fake-gpu.js';
import { drill } from './drill.js';

/** More of them: `DRILLS=500 npx vitest run --no-isolate test/execute/health/drill.test.ts`. */
const DRILLS = Number(process.env.DRILLS ?? 60);
const programs = FUZZ_PROGRAMS.filter((name) => name !== 'actor');
const openGpu = async () => new FakeGpu();

it(`${DRILLS} drills: whatever the device does, the state is right and the kernel is left alone in time`, async () => {
  const faults = new Set<string>();
  for (let i = 0; i < DRILLS; i++) {
    const seed = `drill ${i}`;
    const drilled = drill({ seed, openGpu, programs }).catch((error: unknown) => {
      throw new Error(`the drill with seed '${seed}' failed: ${error}`, { cause: error });
    });
    faults.add(await drilled);
  }
  if (DRILLS >= 60) expect([...faults].sort()).toEqual([...FAULTS].sort());
}, 600_000);
