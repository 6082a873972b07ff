/** The GPU, if the settings use one: a process of its own runs a kernel on it (gpu-probe.ts). */
import { parted, runApart, type TrialEnd } from '../gpu/device/trial.js';
import { usesKernel } from '../lane/policy.js';
import type { Settings } from '../service/options.js';
import { type Finding, Findings } from './finding.js';
import type { GpuProbe } from './gpu-probe.js';
import { missing, vulkanSystem } from './vulkan.js';

/** Of the hidden command that probes. */
const PROBE_COMMAND = ['probe-gpu'];
/** A software driver compiles for some seconds; a driver that hangs never ends. */
const PATIENCE_MS = 120_000;
const MIB = 2 ** 20;

export interface GpuOptions {
  readonly settings: Pick<Settings, 'gpu' | 'policy' | 'dryRun'>;
  readonly environment: NodeJS.ProcessEnv;
  /** Hears each line that drivers printed. */
  readonly onNoise: (line: string) => void;
  readonly probe?: () => Promise<TrialEnd>;
}

export async function examineGpu({ settings, environment, onNoise, probe }: GpuOptions): Promise<readonly Finding[]> {
  const findings = new Findings('gpu');
  const { gpu, policy, dryRun } = settings;
  if (!gpu || !usesKernel(policy, dryRun)) {
    const off = `${gpu ? '' : ', --no-gpu'}${dryRun === 'off' ? ', --dry-run off' : ''}`;
    findings.skipped('kernel', `the settings use no GPU (--policy ${policy}${off})`);
    return findings.list;
  }
  const end = await (probe ?? (() => runApart(PROBE_COMMAND, environment, PATIENCE_MS)))();
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
  end: TrialEnd,
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

/** The last line that is a probe: a driver may print to standard output, too. */
function readProbe(stdout: string): GpuProbe | undefined {
  const line = stdout.split('\n').findLast((text) => text.startsWith('{"vendor":'));
  return line === undefined ? undefined : (JSON.parse(line) as GpuProbe);
}
