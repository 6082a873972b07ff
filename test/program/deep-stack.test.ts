import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { STACK_BYTES } from '../../src/util/deep-thread.js';
import { shipped } from '../../src/util/shipped.js';

const RUNNER = shipped('program/runner.js').href;

/** What `code` gives on a worker thread with this stack. `use(url)` imports a module of the project. */
async function onThread(stackSizeMb: number, code: string): Promise<unknown> {
  const body = `const { parentPort } = require('node:worker_threads');
    (async () => { ${code} })().then((found) => parentPort.postMessage(found));`;
  const worker = new Worker(body, { eval: true, resourceLimits: { stackSizeMb } });
  try {
    return (await once(worker, 'message'))[0];
  } finally {
    await worker.terminate();
  }
}

const REFUSAL = `
  const { ProgramRunner } = await import('${RUNNER}');
  try { new ProgramRunner(); } catch (error) { return { code: error.code, facts: error.facts, hint: error.hint }; }
  return 'runs';`;

describe('contracts run only on threads with 64 MiB of stack (lane rules 4)', () => {
  test.each([1, 4, 32, 64])('a worker thread with %i MiB is refused before it runs anything', async (size) => {
    const found = (await onThread(size, REFUSAL)) as { code: string; facts: Record<string, unknown>; hint: string };
    expect(found.code).toBe('ENV_STACK_TOO_SMALL');
    expect(found.hint).toContain('stackSizeMb');
    expect(found.facts).toMatchObject({ thread: 'worker', needed: STACK_BYTES, asked: `stackSizeMb ${size}` });
    // What the probe reached is what the thread has, but for what V8 keeps back and what runs already.
    expect(found.facts.found).toBeGreaterThan((size - 1) * 2 ** 20);
    expect(found.facts.found).toBeLessThan(size * 2 ** 20);
  });

  test('a worker thread with 72 MiB is not', async () => {
    expect(await onThread(72, REFUSAL)).toBe('runs');
  });

  test.each([[], ['--stack-size=73728']])(
    'the main thread of `node %s` is refused, and does not crash',
    (...options) => {
      const code = `(async () => { ${REFUSAL} })().then((found) => console.log(JSON.stringify(found)));`;
      const limited = 'ulimit -S -s 8192 && exec "$0" "$@"';
      const { stdout, status } = spawnSync('/bin/sh', ['-c', limited, process.execPath, ...options, '-e', code], {
        encoding: 'utf8',
      });
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ code: 'ENV_STACK_TOO_SMALL', facts: { thread: 'main' } });
    },
  );

  test('a V8 that may use less than the system gives is refused, too', () => {
    const code = `(async () => { ${REFUSAL} })().then((found) => console.log(JSON.stringify(found)));`;
    const { stdout } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    const { code: refusal, facts } = JSON.parse(stdout);
    expect(refusal).toBe('ENV_STACK_TOO_SMALL');
    expect(facts.found).toBeGreaterThan(2 ** 19);
    expect(facts.found).toBeLessThan(2 ** 20);
  });
});
