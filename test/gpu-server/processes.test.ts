// Indexers and a server in processes of their own. The server's device is V8: any machine can run this.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Tasks } from '../../src/tasks/tasks.js';
import { type CliRun, cli, lastLine, startCli, temporaryFolder } from '../helpers/cli.js';

const CHAIN = 'fixtures/regtest';
const ROOT = readFileSync(join(CHAIN, 'roots.txt'), 'utf8').trim().split('\n').at(-1)?.split(' ')[1];

interface Serving {
  readonly address: string;
  readonly child: ChildProcess;
  /** Resolves when the server has said it. */
  said(text: string): Promise<void>;
}

/** A server, once it listens; it never ends piece number `hold`. */
async function serving(hold?: number, address = `unix:${join(temporaryFolder(), 'gpu')}`): Promise<Serving> {
  const args = ['dist/testing/gpu-server/main.js', address, ...(hold === undefined ? [] : [`${hold}`])];
  // The system's part of the stack is there, as for this process.
  const child = spawn(process.execPath, ['--stack-size=73728', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let heard = '';
  let look = (): void => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard = `${heard}${text}`.slice(-10_000);
    look();
  });
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (heard.includes(text)) resolve();
      };
      look();
    });
  await said('listening on');
  return { address, child, said };
}

function replaying(address: string | undefined, chain = CHAIN, ...more: string[]): ReturnType<typeof startCli> {
  // Nothing but a test's own limit ends a wait: the last of two flags counts.
  const patient = ['--wait-for-kernels', '--gpu-timeout', '3600000'];
  const server = address === undefined ? [] : ['--gpu-server', address, ...patient];
  const policy = address === undefined ? 'sequential' : 'gpu';
  const run = startCli(['replay', chain, '--db', temporaryFolder(), '--policy', policy, '--json', ...server, ...more]);
  onTestFinished(() => void run.child.kill('SIGKILL'));
  return run;
}

function summary(run: CliRun): { stateRoot: string; gpuFailures: number; ran: number; health: unknown } {
  expect(run, run.stderr).toMatchObject({ status: 0 });
  const { stateRoot, gpuFailures, executors, health } = lastLine(run);
  return { stateRoot: String(stateRoot), gpuFailures: Number(gpuFailures), ran: Object(executors).gpu, health };
}

it('two indexers of two chains share one server: both have the roots of the sequential executor', async () => {
  const { address } = await serving();
  // The same blocks under another rule of the lane: other state roots.
  const other = temporaryFolder();
  for (const file of ['chain.json', 'blocks.dat']) copyFileSync(join(CHAIN, file), join(other, file));
  const rule = ['--dependent', 'reject'];
  const [first, second, truth] = await Promise.all([
    replaying(address).done,
    replaying(address, other, '--gpu-priority', 'tip', ...rule).done,
    replaying(undefined, other, ...rule).done,
  ]);
  expect(summary(first)).toMatchObject({ stateRoot: ROOT, gpuFailures: 0, ran: expect.closeTo(2_000, -3) });
  expect(summary(second)).toMatchObject({ stateRoot: summary(truth).stateRoot, gpuFailures: 0 });
  expect(summary(second).stateRoot).not.toBe(ROOT);
  expect(summary(second).ran).toBeGreaterThan(50);
});

it('a server that is killed in the middle of a block is a lost device: the CPU goes on', async () => {
  const { address, child, said } = await serving(20);
  const run = replaying(address);
  await said('holding');
  child.kill('SIGKILL');
  const done = await run.done;
  expect(summary(done)).toMatchObject({ stateRoot: ROOT, gpuFailures: 1 });
  expect(summary(done).health).toMatchObject({
    gpu: 'unhealthy',
    lastGpuFailure: 'GPU_DEVICE_LOST',
    kernel: { failures: { 'device-lost': 1, timeout: 0, failure: 0 }, transitions: { unhealthy: 1, healthy: 0 } },
  });
  expect(done.stderr.match(/GPU_DEVICE_LOST/g)).toHaveLength(1);
});

it('a server that hangs is given up in time: the CPU goes on', async () => {
  const { address, child, said } = await serving(20);
  const run = replaying(address, CHAIN, '--gpu-timeout', '5000');
  // On a machine that is busy enough the server is given up before it has got so far.
  await Promise.race([said('holding'), run.done]);
  child.kill('SIGSTOP');
  const { stateRoot, gpuFailures } = summary(await run.done);
  expect(stateRoot).toBe(ROOT);
  expect(gpuFailures).toBeGreaterThan(0);
});

it('a client that is killed while its block is with the server leaves it to the others', async () => {
  const { address, said } = await serving(20);
  const killed = replaying(address);
  await said('holding');
  killed.child.kill('SIGKILL');
  await said(' 0 clients, 0 waiting');
  const run = summary(await replaying(address).done);
  expect(run).toMatchObject({ stateRoot: ROOT, gpuFailures: 0, health: { gpu: 'healthy' } });
});

it('a server without a GPU does batch tasks and refuses calls of contracts: indexers run them', async () => {
  const address = `unix:${join(temporaryFolder(), 'gpu')}`;
  const { child, done } = startCli(['gpu-server', '--no-gpu', '--listen', address]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  const tasks = new Tasks({
    backend: 'gpu',
    threads: 0,
    least: { sha256: 1 },
    gpuServer: { address, connectMs: 3_600_000, answerMs: 3_600_000 },
  });
  onTestFinished(() => tasks.close());
  const digest = createHash('sha256').update('abc').digest();
  const bytes = Buffer.from('abc');
  expect(Buffer.from(await tasks.sha256({ bytes, offsets: Uint32Array.of(0, 3) }))).toEqual(digest);
  expect(tasks.figures).toMatchObject({ kernelBatches: 1, failures: 0 });
  const run = await replaying(address, CHAIN, '--policy', 'auto', '--to', '120').done;
  expect(run.stderr).toContain('the GPU server has no device for calls of contracts');
  expect(summary(run)).toMatchObject({ gpuFailures: 0, ran: 0, health: { gpu: 'unhealthy' } });
  child.kill('SIGTERM');
  expect(await done).toMatchObject({ status: 0, stdout: expect.stringContaining('1 jobs done, 0 failed') });
});

it('without a server the CPU does all: gpu needs it, auto says so once', async () => {
  const address = `unix:${join(temporaryFolder(), 'none')}`;
  const args = (policy: string): string[] => [
    'replay',
    CHAIN,
    '--db',
    temporaryFolder(),
    '--gpu-server',
    address,
    '--policy',
    policy,
    '--json',
    '--to',
    '30',
  ];
  const [needed, auto] = await Promise.all([cli(...args('gpu')), cli(...args('auto'))]);
  expect(needed).toMatchObject({ status: 5, stderr: expect.stringContaining('GPU_UNAVAILABLE') });
  expect(auto.stderr.match(/no GPU server/g)).toHaveLength(1);
  expect(summary(auto).health).toMatchObject({
    gpu: 'unhealthy',
    kernel: { failures: { 'not-opened': 1 }, transitions: { unhealthy: 1 } },
  });
});
