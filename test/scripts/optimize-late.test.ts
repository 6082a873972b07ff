import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Prints how often a function was called before V8 had optimized it: bit 6 of its status, with TurboFan. */
const CALLS_UNTIL_OPTIMIZED = `
  const sum = (n) => { let all = 0; for (let i = 0; i < n; i++) all = (all + i) & 65535; return all; };
  let calls = 0;
  do { sum(100); calls++; } while ((%GetOptimizationStatus(sum) & 64) === 0);
  console.log(calls);
`;

// An option of V8 that has gone, or is named otherwise, would be passed over without a word: tests would be slow again.
it('V8 optimizes late in the processes that tests start', () => {
  const calls = (env: NodeJS.ProcessEnv): number => {
    // Within the call that asks for it, not on a thread meanwhile: so the number does not depend on the machine.
    const args = ['--allow-natives-syntax', '--no-concurrent-recompilation', '-e', CALLS_UNTIL_OPTIMIZED];
    return Number(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
  };
  const { NODE_OPTIONS: _, ...plain } = process.env;
  expect(calls(process.env)).toBeGreaterThan(5 * calls(plain));
});
