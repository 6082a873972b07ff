import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, InternalError } from '../errors.js';
import { softwareDriverEnvironment } from '../gpu/device/software-driver.js';
import { type ReplaySummary, summaryTable } from '../replay/summary.js';
import { serveDatabase } from './serve.js';
import { Workplace } from './workplace.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const CHAIN = fileURLToPath(new URL('../../fixtures/regtest', import.meta.url));

export interface StartOptions {
  readonly host: string;
  readonly port: number;
  readonly serve: boolean;
}

/**
 * `npm start`: the bundled chain on the CPU and through the kernel, in processes of their own (contracts want a deep
 * stack, the software driver its library path before a process starts), both roots compared, then JSON-RPC over the
 * first database.
 */
export async function startCommand(options: StartOptions): Promise<{ text: string; exitStatus: number }> {
  const workplace = new Workplace('warpshrew-start-');
  try {
    return await compareAndServe(options, workplace);
  } finally {
    workplace.close();
  }
}

async function compareAndServe(
  options: StartOptions,
  workplace: Workplace,
): Promise<{ text: string; exitStatus: number }> {
  const { folder } = workplace;
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const dbDir = join(folder, 'cpu.db');
  const cpu = await replayBundled(workplace, 'cpu', dbDir, {});
  const hardware = (await runCli(workplace, ['gpu-info'], {}, 'ignore')).status === 0;
  say(hardware ? 'Found a GPU.' : 'No GPU found: the kernel runs on the bundled software driver.');
  const environment = hardware ? {} : await softwareDriverEnvironment();
  const gpu = await replayBundled(workplace, 'gpu', join(folder, 'gpu.db'), environment);
  say('');
  say(summaryTable([cpu, gpu]));
  say('');
  if (cpu.stateRoot !== gpu.stateRoot) {
    return { text: `The state roots DIFFER:\n  cpu ${cpu.stateRoot}\n  gpu ${gpu.stateRoot}`, exitStatus: EXIT.check };
  }
  const inKernel = Object.values(gpu.gpuRuns).reduce((a, b) => a + b, 0);
  say(`The state roots agree: ${cpu.stateRoot} (${inKernel} messages ran in the kernel on ${gpu.adapter}).`);
  if (options.serve) {
    const { host, port } = options;
    await serveDatabase({ db: dbDir, host, port }, workplace.nextSignal());
  }
  return { text: '', exitStatus: 0 };
}

async function replayBundled(
  workplace: Workplace,
  policy: 'cpu' | 'gpu',
  db: string,
  env: NodeJS.ProcessEnv,
): Promise<ReplaySummary> {
  process.stderr.write(`replay ${policy === 'cpu' ? 'on the CPU' : 'through the kernel'} ...\n`);
  const waiting = policy === 'gpu' ? ['--wait-for-kernels'] : [];
  const args = ['replay', CHAIN, '--db', db, '--policy', policy, ...waiting, '--json'];
  const run = await runCli(workplace, args, env, 'inherit');
  if (run.status !== 0) throw new InternalError('the replay failed', { facts: { policy, status: run.status } });
  const line = run.output.trim().split('\n').at(-1) ?? '';
  return JSON.parse(line) as ReplaySummary;
}

/** Runs this program again with more environment; its stdout comes back. */
function runCli(
  workplace: Workplace,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stderr: 'inherit' | 'ignore',
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', stderr],
    });
    workplace.owns(child);
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status: signal === null ? (status ?? 1) : 128, output }));
  });
}
