import { expect, it } from 'vitest';
import { runDifferential } from '../../src/selftest/fuzz/fuzz.js';

/** `SEED=… npx vitest run test/execute/meaning.test.ts` replays a failure. */
const SEED = process.env.SEED ?? 'meaning';

it(`random blocks keep every invariant, run one at a time and planned (SEED=${SEED})`, async () => {
  const { laneTxs, statistics } = await runDifferential({ seed: SEED, blocks: 100, policies: ['cpu'], workers: 0 });
  expect(laneTxs).toBeGreaterThan(1000);
  for (const count of Object.values(statistics.sequential.lane)) expect(count).toBeGreaterThan(0);
});
