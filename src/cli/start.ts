import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, InternalError } from '../errors.js';
import { softwareDriverEnvironment } from '../gpu/software-driver.js';
import { terminalProgress } from '../replay/progress.js';
import { replay } from '../replay/replay.js';
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
 * `npm start`: the bundled chain on the CPU, once more through the kernel in a process of its own (the software driver's
 * library path must be set before a process starts), both roots compared, then JSON-RPC over the first database.
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
  const cpu = await replay({
    path: CHAIN,
    dbDir,
    policy: 'cpu',
    progress: terminalProgress('replay on the CPU      '),
  });
  const hardware = (await runCli(workplace, ['gpu-info'], {}, 'ignore')).status === 0;
  say(hardware ? 'Found a GPU.' : 'No GPU found: the kernel runs on the bundled software driver.');
  const gpu = await replayThroughKernel(workplace, hardware ? {} : await softwareDriverEnvironment());
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

async function replayThroughKernel(workplace: Workplace, env: NodeJS.ProcessEnv): Promise<ReplaySummary> {
  const db = join(workplace.folder, 'gpu.db');
  process.stderr.write('replay through the kernel ...\n');
  const run = await runCli(workplace, ['replay', CHAIN, '--db', db, '--policy', 'gpu', '--json'], env, 'inherit');
  if (run.status !== 0)
    throw new InternalError('the replay through the kernel failed', { facts: { status: run.status } });
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
