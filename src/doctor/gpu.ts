/** The GPU, if the settings use one: a process of its own runs a kernel on it (gpu-probe.ts). */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { usesKernel } from '../lane/policy.js';
import type { Settings } from '../service/options.js';
import { shipped } from '../util/shipped.js';
import { type Finding, Findings } from './finding.js';
import type { GpuProbe } from './gpu-probe.js';
import { missing, vulkanSystem } from './vulkan.js';

/** Of the hidden command that probes. */
const PROBE_COMMAND = 'probe-gpu';
/** A software driver compiles for some seconds; a driver that hangs never ends. */
const PATIENCE_MS = 120_000;
const MOST_OUTPUT = 1 << 16;
const MIB = 2 ** 20;

/** How a process that probes ended. */
export interface ProbeEnd {
  /** Undefined after a signal. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  /** What drivers printed, and errors of the program's own. */
  readonly stderr: string;
}

export interface GpuOptions {
  readonly settings: Pick<Settings, 'gpu' | 'policy' | 'dryRun'>;
  readonly environment: NodeJS.ProcessEnv;
  /** Hears each line that drivers printed. */
  readonly onNoise: (line: string) => void;
  readonly probe?: () => Promise<ProbeEnd>;
}

export async function examineGpu({ settings, environment, onNoise, probe }: GpuOptions): Promise<readonly Finding[]> {
  const findings = new Findings('gpu');
  const { gpu, policy, dryRun } = settings;
  if (!gpu || !usesKernel(policy, dryRun)) {
    const off = `${gpu ? '' : ', --no-gpu'}${dryRun === 'off' ? ', --dry-run off' : ''}`;
    findings.skipped('kernel', `the settings use no GPU (--policy ${policy}${off})`);
    return findings.list;
  }
  const end = await (probe ?? (() => runProbe(environment)))();
  const [own, noise] = parted(end.stderr);
  for (const line of noise) onNoise(line);
  const found = end.status === 0 ? readProbe(end.stdout) : undefined;
  if (found !== undefined) tellProbe(findings, found);
  else {
    const { found: why, todo } = explained(end, own, environment);
    if (policy === 'gpu') findings.failure('adapter', why, todo);
    else findings.warning('adapter', `${why}; the CPU does all the work`, todo);
  }
  return findings.list;
}

function tellProbe(findings: Findings, found: GpuProbe): void {
  const { description, vendor, software, limits, calls, compileMs, runMs, punted, differences } = found;
  const size = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  const bounds = `buffers of ${size(limits.maxBufferSize)}, bindings of ${size(limits.maxStorageBufferBindingSize)}`;
  const name = `${description || vendor}, ${bounds}`;
  if (software) {
    const todo = 'Kernels run on the CPU with it, slower than workers: install the driver of the GPU, if there is one.';
    findings.warning('adapter', `${name}: a software driver`, todo);
  } else findings.ok('adapter', name);
  const ran = `compiled in ${compileMs} ms, ${calls} calls in ${runMs} ms`;
  const todo = 'Index with --no-gpu, update the driver, and report it with the name of the adapter.';
  if (differences > 0) findings.failure('kernel', `${ran}: ${differences} ended otherwise than on the CPU`, todo);
  else if (punted > 0) findings.failure('kernel', `${ran}: it left ${punted} to the CPU`, todo);
  else findings.ok('kernel', `${ran}, each as on the CPU`);
}

/** Why the probe did not end well, and what to do. */
function explained(
  end: ProbeEnd,
  own: string,
  environment: NodeJS.ProcessEnv,
): { readonly found: string; readonly todo: string } {
  const todo = 'Update the driver, or index with --no-gpu; `warpshrew doctor --log-level debug` shows what it printed.';
  if (end.timedOut) return { found: `the driver did not answer within ${PATIENCE_MS / 1_000} s`, todo };
  if (end.signal !== undefined) return { found: `the driver ended the process with ${end.signal}`, todo };
  const found = own.split('\n')[0] || `the probe ended with ${end.status}`;
  if (!own.startsWith('GPU_UNAVAILABLE')) return { found, todo };
  if (process.platform === 'linux') return missing(vulkanSystem(environment));
  return { found, todo: 'Install the driver of the GPU, or index with --no-gpu.' };
}

/** The error that the program explained, and the lines of others. */
function parted(stderr: string): readonly [own: string, noise: readonly string[]] {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const first = lines.findIndex((line) => /^(GPU|ENV|INTERNAL|STORE)[A-Z_]*: /.test(line));
  if (first < 0) return ['', lines];
  const isOwn = (line: string, i: number): boolean => i === first || (i > first && line.startsWith('  '));
  return [lines.filter(isOwn).join('\n'), lines.filter((line, i) => !isOwn(line, i))];
}

/** The last line that is a probe: a driver may print to standard output, too. */
function readProbe(stdout: string): GpuProbe | undefined {
  const line = stdout.split('\n').findLast((text) => text.startsWith('{"vendor":'));
  return line === undefined ? undefined : (JSON.parse(line) as GpuProbe);
}

function runProbe(environment: NodeJS.ProcessEnv): Promise<ProbeEnd> {
  const child = spawn(process.execPath, [fileURLToPath(shipped('cli.js')), PROBE_COMMAND], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      if (texts[stream].length < MOST_OUTPUT) texts[stream] += text;
    });
  }
  return new Promise((resolve) => {
    const end = (status: number | null, signal: string | null): void => {
      clearTimeout(timer);
      resolve({ status: status ?? undefined, signal: signal ?? undefined, timedOut, ...texts });
    };
    child.once('error', (error) => {
      texts.stderr += error.message;
      end(1, null);
    });
    child.once('close', end);
  });
}
