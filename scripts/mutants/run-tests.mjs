// Runs test files of a copy of the project and says which test failed first.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A mutant may loop for ever; the slowest file takes a small part of this on a busy machine. */
const LIMIT_MS = 5 * 60_000;

let running;

/** Ends the test run under way with all its processes. */
export function endTests() {
  if (running === undefined) return;
  try {
    process.kill(-running.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Runs `tests` until one fails. Returns `{ passed: true }`, or what failed first:
 * `{ passed: false, by: 'file: name of the test' }`.
 */
export async function runTests(folder, tests) {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const args = ['run', ...tests, '--config=mutants.config.ts', '--bail=1', '--reporter=json', `--outputFile=${report}`];
  // Only a test that fails kills: on a busy machine the runner loses touch with its own processes now and then.
  args.push('--dangerouslyIgnoreUnhandledErrors');
  const child = spawn(process.execPath, [vitest, ...args], { cwd: folder, detached: true, stdio: 'ignore' });
  running = child;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endTests();
  }, LIMIT_MS);
  const status = await new Promise((resolve) => child.on('exit', resolve));
  clearTimeout(timer);
  running = undefined;
  if (late) return { passed: false, by: `${tests.join(', ')}: did not end` };
  if (status === 0) return { passed: true };
  if (!existsSync(report)) return { passed: false, by: `${tests.join(', ')}: the test process ended with ${status}` };
  return { passed: false, by: firstFailure(JSON.parse(readFileSync(report, 'utf8')), folder) };
}

function firstFailure({ testResults }, folder) {
  for (const { name, assertionResults, message } of testResults) {
    const file = name.replace(`${folder}/`, '');
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) return `${file}: ${failed.fullName.trim()}`;
    if (message) return `${file}: ${message.split('\n')[0]}`;
  }
  return 'an error outside the tests';
}
