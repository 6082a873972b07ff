// Runs its share of a project's tests, on a stack as deep as contracts may need.
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { CoverRunner } from './cover-runner.js';
import { PortKernel } from './direct-kernel.js';
import { projectPackage } from './packages.js';
import type { TestThreadMessage, TestThreadSetup } from './protocol.js';
import { gather, type Registered } from './registry.js';
import { type FastCheck, type TestReport, TestRunner } from './run-tests.js';

const setup = workerData as TestThreadSetup;
const REPORT_EVERY_MS = 50;
/** Random calls that all threads make a part of. */
const FEWEST_TO_SHARE = 100_000;

// Places in stacks are those of the sources.
process.setSourceMapsEnabled(true);

function post(message: TestThreadMessage): void {
  parentPort?.postMessage(message);
}

const tests: Registered[] = [];
for (const { source, module } of setup.files) {
  gather(source);
  try {
    await import(pathToFileURL(module).href);
  } catch (error) {
    post({ kind: 'failed', file: source, message: error instanceof Error ? (error.stack ?? error.message) : 'error' });
  }
  tests.push(...gather('').filter(({ name }) => name.includes(setup.filter)));
}

const cover = setup.covers ? new CoverRunner() : undefined;
const runner = new TestRunner({
  contracts: setup.contracts,
  fuzzCalls: setup.fuzzCalls,
  seed: setup.seed,
  conflicts: setup.conflicts,
  keepsRuns: setup.keepsRuns,
  cover,
  kernel: setup.keepsRuns && parentPort !== null ? new PortKernel(parentPort) : undefined,
  fastCheck: async () => (await projectPackage(setup.folder, 'fast-check')) as FastCheck,
});
let reports: TestReport[] = [];
let posted = performance.now();
for (const [at, test] of tests.entries()) {
  const isShared = test.kind === 'fuzz' && test.spec.each !== undefined && setup.fuzzCalls >= FEWEST_TO_SHARE;
  if (!isShared && at % setup.threads !== setup.thread) continue;
  reports.push(isShared ? await runner.run(test, setup.thread, setup.threads) : await runner.run(test));
  // A message takes as long as a small test.
  if (performance.now() - posted < REPORT_EVERY_MS) continue;
  post({ kind: 'reports', reports });
  reports = [];
  posted = performance.now();
}
post({ kind: 'reports', reports });
await runner.close();
if (cover !== undefined) post({ kind: 'covered', hits: cover.hits });
post({ kind: 'done' });
