import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { frameHead } from '../../src/tasks/server/frames.js';
import { encodeMessage } from '../../src/tasks/server/messages.js';
import { type GpuServerChoice, Tasks } from '../../src/tasks/tasks.js';
import { concatBytes } from '../../src/util/bytes.js';
import { lastLine, startCli, temporaryFolder } from '../helpers/cli.js';
import * as cases from '../tasks/cases.js';

/** The server's own process, once it listens. */
async function serving(path: string): Promise<{ readonly child: ChildProcess; readonly done: Promise<unknown> }> {
  const { child, done } = startCli(['gpu-server', '--listen', `unix:${path}`]);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await done;
  });
  let said = '';
  while (!said.includes('GPU server on unix:')) {
    const [text] = child.stdout === null ? [undefined] : await once(child.stdout, 'data');
    said += String(text);
  }
  return { child, done };
}

/** Tasks that ask the server for everything. Nothing but a test's own limit ends a wait. */
function client(path: string, over: Partial<GpuServerChoice> = {}): Tasks {
  const tasks = new Tasks({
    backend: 'gpu',
    threads: 0,
    checkPercent: 0,
    least: { sha256: 1, schnorr: 1, ecdsa: 1, merkle: 1 },
    gpuServer: { address: `unix:${path}`, connectMs: 3_600_000, answerMs: 3_600_000, ...over },
  });
  onTestFinished(() => tasks.close());
  return tasks;
}

it('two clients have answers of the kernel, a third is killed among them, a signal ends the server', async () => {
  const path = join(temporaryFolder(), 'gpu');
  const { child, done } = await serving(path);
  const first = client(path, { priority: 'tip' });
  const second = client(path, { priority: 'bench' });
  const { batch, parts } = cases.messages(300);
  const schnorr = cases.schnorrRows(40, 'process');
  const ecdsa = cases.ecdsaRows(40, 'process');
  const killed = connect({ path });
  killed.on('error', () => undefined);
  for (const parts of [
    encodeMessage({ kind: 'hello', version: 2, token: '' }),
    encodeMessage({
      kind: 'job',
      id: 0,
      priority: 'tip',
      work: { kind: 'schnorr', columns: columnsOf(schnorr.batch) },
    }),
  ]) {
    killed.write(concatBytes(frameHead(parts), ...parts));
  }
  killed.once('data', () => killed.destroy());
  const leaves = cases.leavesOf(5_000);
  const answers = await Promise.all([
    first.schnorr(schnorr.batch),
    second.schnorr(schnorr.batch),
    first.ecdsa(ecdsa.batch),
    second.sha256(batch),
    second.merkle({ leaves }),
  ]);
  expect(answers.slice(0, 4)).toEqual([
    schnorr.expected,
    schnorr.expected,
    ecdsa.expected,
    cases.digests(parts, false),
  ]);
  expect(answers[4].root).toEqual(cases.levelsOf(leaves).at(-1));
  expect([first.figures.kernelBatches, first.figures.failures]).toEqual([2, 0]);
  expect([second.figures.kernelBatches, second.figures.failures]).toEqual([3, 0]);
  child.kill('SIGTERM');
  expect(await done).toMatchObject({ status: 0, stdout: expect.stringMatching(/[56] jobs done, 0 failed/) });
});

it('two indexers replay through the kernel of one server: both have the roots of the chain', async () => {
  const path = join(temporaryFolder(), 'gpu');
  const { child, done } = await serving(path);
  const replayed = await Promise.all(
    [1, 2].map(() => {
      const where = ['fixtures/regtest', '--db', temporaryFolder(), '--to', '140'];
      const server = ['--gpu-server', `unix:${path}`, '--gpu-timeout', '3600000'];
      return startCli(['replay', ...where, '--policy', 'gpu', '--wait-for-kernels', '--json', ...server]).done;
    }),
  );
  // A root that is not the chain's ends a replay with an error.
  for (const run of replayed) {
    expect(run, run.stderr).toMatchObject({ status: 0 });
    const { executors, gpuFailures } = lastLine(run);
    expect(gpuFailures).toBe(0);
    expect(Object(executors).gpu).toBeGreaterThan(10);
  }
  child.kill('SIGTERM');
  expect(await done).toMatchObject({ status: 0, stdout: expect.stringMatching(/[1-9]\d* jobs done, 0 failed/) });
});

it('a server that is killed is a lost device: the CPU answers, and a new one takes its socket', async () => {
  const path = join(temporaryFolder(), 'gpu');
  const { batch, expected } = cases.schnorrRows(30, 'killed');
  const { child, done } = await serving(path);
  const tasks = client(path);
  expect(await tasks.schnorr(batch)).toEqual(expected);
  const under = tasks.schnorr(batch);
  child.kill('SIGKILL');
  expect(await under).toEqual(expected);
  await done;
  expect(await tasks.schnorr(batch)).toEqual(expected);
  expect(tasks.figures).toMatchObject({ kernel: 'unhealthy', lastFailure: 'GPU_DEVICE_LOST' });
  expect(tasks.figures.kernelBatches + tasks.figures.fallbacks).toBe(3);
  await serving(path);
  const other = client(path);
  expect(await other.schnorr(batch)).toEqual(expected);
  expect(other.figures).toMatchObject({ kernelBatches: 1, failures: 0 });
});

it('a server that hangs is a lost device: the CPU answers after the time limit', async () => {
  const path = join(temporaryFolder(), 'gpu');
  const { batch, expected } = cases.schnorrRows(12, 'hung');
  const { child } = await serving(path);
  const patient = client(path);
  expect(await patient.schnorr(batch)).toEqual(expected);
  expect(patient.figures).toMatchObject({ kernelBatches: 1 });
  child.kill('SIGSTOP');
  // The system takes the connection for it, and nothing greets.
  const tasks = client(path, { connectMs: 300 });
  expect(await tasks.schnorr(batch)).toEqual(expected);
  expect(tasks.figures).toMatchObject({ fallbacks: 1, kernel: 'unhealthy', lastFailure: 'GPU_UNAVAILABLE' });
});

function columnsOf(batch: ReturnType<typeof cases.schnorrRows>['batch']): Uint8Array[] {
  return [batch.messages, batch.keys, batch.signatures];
}
