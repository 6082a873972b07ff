import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { DEEP_STACK_OPTIONS, hasDeepStack, runWithDeepStack } from './scripts/deep-stack.mjs';
import { LongestFirst } from './test/longest-first.js';

const HANGS_MS = 3_600_000;
/** One more than the cores of a small machine: many a test waits for a process, a page or a node for a while. */
const FORKS = 3;
const OPTIMIZE_LATE = `--require ${JSON.stringify(join(import.meta.dirname, 'test', 'optimize-late.cjs'))}`;
const PATIENT = ['--import', join(import.meta.dirname, 'test', 'patient-worker.mjs')];

export default defineConfig(async () => {
  // For vitest, which starts again below, its forks, and what they start.
  const given = process.env.NODE_OPTIONS ?? '';
  if (!given.includes(OPTIMIZE_LATE)) process.env.NODE_OPTIONS = `${given} ${OPTIMIZE_LATE}`.trim();
  // Tests run contracts on the main thread of their process, whose stack is set before it starts: so vitest starts again.
  if (hasDeepStack() === false) process.exit(await runWithDeepStack([...process.execArgv, ...process.argv.slice(1)]));
  return {
    test: {
      include: ['test/**/*.test.ts'],
      // Forks, because Dawn and RocksDB are native and must not be loaded twice in one process.
      setupFiles: ['test/equal-bytes.ts'],
      globalSetup: ['test/remove-databases.ts'],
      pool: 'forks',
      // All stay to the end: the pool fails where it lets a second idle one go.
      poolOptions: { forks: { minForks: FORKS, maxForks: FORKS, execArgv: [...DEEP_STACK_OPTIONS, ...PATIENT] } },
      sequence: { sequencer: LongestFirst },
      // What hangs ends; what is slow because the machine is busy does not fail.
      testTimeout: HANGS_MS,
      hookTimeout: HANGS_MS,
      expect: { poll: { timeout: HANGS_MS } },
    },
  };
});
