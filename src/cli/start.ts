import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, InternalError } from '../errors.js';
import { softwareDriverEnvironment } from '../gpu/software-driver.js';
import { type ReplaySummary, summaryTable } from '../replay/summary.js';
import { serveDatabase } from './serve.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const CHAIN = fileURLToPath(new URL('../../fixtures/regtest', import.meta.url));

export interface StartOptions {
  readonly host: string;
  readonly port: number;
  readonly serve: boolean;
}

/**
 * `npm start`: the bundled chain on the CPU and through the kernel, in processes of their own (contracts want a deep stack, the
 * software driver its library path before a process starts), both roots compared, then JSON-RPC over the first database.
 */
export async function startCommand(options: StartOptions): Promise<{ text: string; exitStatus: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-start-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const dbDir = join(folder, 'cpu.db');
  const cpu = await replayBundled('cpu', dbDir, {});
  const hardware = (await runCli(['gpu-info'], {}, 'ignore')).status === 0;
  say(hardware ? 'Found a GPU.' : 'No GPU found: the kernel runs on the bundled software driver.');
  const gpu = await replayBundled('gpu', join(folder, 'gpu.db'), hardware ? {} : await softwareDriverEnvironment());
  say('');
  say(summaryTable([cpu, gpu]));
  say('');
  if (cpu.stateRoot !== gpu.stateRoot) {
    return { text: `The state roots DIFFER:\n  cpu ${cpu.stateRoot}\n  gpu ${gpu.stateRoot}`, exitStatus: EXIT.check };
  }
  const inKernel = Object.values(gpu.gpuRuns).reduce((a, b) => a + b, 0);
  say(`The state roots agree: ${cpu.stateRoot} (${inKernel} messages ran in the kernel on ${gpu.adapter}).`);
  if (options.serve) await serveDatabase({ db: dbDir, host: options.host, port: options.port });
  return { text: '', exitStatus: 0 };
}

async function replayBundled(policy: 'cpu' | 'gpu', db: string, env: NodeJS.ProcessEnv): Promise<ReplaySummary> {
  process.stderr.write(`replay ${policy === 'cpu' ? 'on the CPU' : 'through the kernel'} ...\n`);
  const run = await runCli(['replay', CHAIN, '--db', db, '--policy', policy, '--json'], env, 'inherit');
  if (run.status !== 0) throw new InternalError('the replay failed', { facts: { policy, status: run.status } });
  const line = run.output.trim().split('\n').at(-1) ?? '';
  return JSON.parse(line) as ReplaySummary;
}

/** Runs this program again with more environment; its stdout comes back. */
function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stderr: 'inherit' | 'ignore',
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', stderr],
    });
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status: signal === null ? (status ?? 1) : 128, output }));
  });
}
