import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { softwareDriverEnvironment } from '../gpu/device/software-driver.js';
import type { ReplaySummary } from '../replay/summary.js';
import { builtPrograms, PROGRAM_NAMES, type ProgramName } from '../util/built-wasm.js';
import { statusLine } from '../util/status-line.js';
import { runCli } from './child.js';
import { recall, remember, type Verification, verificationKey } from './remembered.js';
import type { VerificationEvent } from './verify-kernel.js';
import type { Workplace } from './workplace.js';

/** The replays through the kernel. */
export interface KernelRuns {
  readonly summaries: readonly ReplaySummary[];
  /** Programs that ran in the kernel of one of them; the CPU ran the others there. */
  readonly parts: readonly (readonly string[])[];
}

/** What came of asking the kernel for the bundled chain's state. */
export type Outcome =
  | ({ readonly kind: 'agrees'; readonly verification: Verification } & KernelRuns)
  | { readonly kind: 'remembered'; readonly verification: Verification }
  | ({ readonly kind: 'differs' } & KernelRuns)
  /** A child has said why on stderr. `status`: its exit status, undefined if a signal ended it. */
  | { readonly kind: 'failed'; readonly status: number | undefined };

/** Processes that compile at most: each replays the whole chain. */
const MAX_PARTS = 4;

/**
 * Replays the bundled chain through the kernel, on a GPU or else the bundled software driver, in processes of its
 * own, and tells on stderr how far it is; or finds that an earlier start did, with the same build and the same result
 * as `cpu`. The software driver compiles on one core at a time: there the programs are shared out between several
 * processes, each of which runs the others' programs on the CPU.
 */
export async function verify(workplace: Workplace, cpu: ReplaySummary): Promise<Outcome> {
  const { environment, adapter } = await findDriver(workplace);
  const key = verificationKey(adapter);
  const before = recall(key);
  if (before !== undefined && before.stateRoot === cpu.stateRoot) return { kind: 'remembered', verification: before };
  const isSoftware = environment.VK_DRIVER_FILES !== undefined;
  const parts = shareOut(isSoftware ? Math.min(availableParallelism(), MAX_PARTS) : 1);
  const progress = new VerificationProgress(parts.length);
  const runs = parts.map((programs, part) => {
    const args = ['verify-kernel', '--db', join(workplace.folder, `gpu-${part}.db`), '--programs', programs.join()];
    // The chain's one other program is probe with zeros after it: its kernel is probe's.
    if (programs.includes('probe')) args.push('--others');
    const onLine = (line: string): void => progress.hear(part, JSON.parse(line) as VerificationEvent);
    return runCli(workplace, args, { environment, stderr: 'inherit', onLine });
  });
  const statuses = await Promise.all(runs);
  const outcome = outcomeOf(statuses, { summaries: progress.summaries, parts }, cpu);
  if (outcome.kind === 'agrees') keep(key, outcome.verification);
  return outcome;
}

/** The bundled programs in `count` parts of about the same size, the largest programs first. */
function shareOut(count: number): ProgramName[][] {
  const parts = Array.from({ length: count }, () => ({ bytes: 0, programs: [] as ProgramName[] }));
  const programs = builtPrograms();
  for (const name of [...PROGRAM_NAMES].sort((a, b) => programs[b].length - programs[a].length)) {
    const lightest = parts.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    lightest.bytes += programs[name].length;
    lightest.programs.push(name);
  }
  return parts.map((part) => part.programs);
}

function outcomeOf(statuses: readonly (number | undefined)[], runs: KernelRuns, cpu: ReplaySummary): Outcome {
  const { summaries } = runs;
  if (summaries.some(({ stateRoot }) => stateRoot !== cpu.stateRoot)) return { kind: 'differs', ...runs };
  const failed = statuses.findIndex((status) => status !== 0);
  if (failed >= 0) return { kind: 'failed', status: statuses[failed] };
  const { stateRoot } = cpu;
  if (stateRoot === undefined || summaries.length !== statuses.length) return { kind: 'failed', status: undefined };
  const inKernel = summaries.flatMap(({ gpuRuns }) => Object.values(gpuRuns)).reduce((a, b) => a + b, 0);
  const adapter = summaries[0].adapter ?? 'no GPU';
  return { kind: 'agrees', ...runs, verification: { stateRoot, inKernel, adapter } };
}

/** Whatever keeps the file from being written, the next start only verifies again. */
function keep(key: string, verification: Verification): void {
  try {
    remember(key, verification);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`the verification is not remembered for the next start: ${reason}\n`);
  }
}

/** What a child finds a GPU with, and what that GPU is. */
export async function findDriver(
  workplace: Workplace,
): Promise<{ environment: Record<string, string>; adapter: string }> {
  let info = '';
  const onLine = (line: string): void => {
    info += line;
  };
  const hardware = (await runCli(workplace, ['gpu-info'], { stderr: 'ignore', onLine })) === 0;
  const environment = hardware ? {} : softwareDriverEnvironment();
  const manifest = environment.VK_DRIVER_FILES ?? process.env.VK_DRIVER_FILES ?? '';
  process.stderr.write(hardware ? 'Found a GPU.\n' : 'No GPU found: the kernel runs on the bundled software driver.\n');
  return { environment, adapter: `${info} ${basename(dirname(manifest))}` };
}

/** Says what the children are at: a line per program, then how many blocks every one of them has behind it. */
class VerificationProgress {
  readonly summaries: ReplaySummary[] = [];
  private compiled = 0;
  private isOnAdapter = false;
  private readonly blocks: number[];
  private readonly line = statusLine();

  constructor(parts: number) {
    this.blocks = Array.from({ length: parts }, () => 0);
  }

  hear(part: number, event: VerificationEvent): void {
    const count = PROGRAM_NAMES.length;
    switch (event.kind) {
      case 'adapter':
        if (!this.isOnAdapter) this.say(`compiling the kernels of ${PROGRAM_NAMES.join(', ')} on ${event.name} ...`);
        this.isOnAdapter = true;
        break;
      case 'compiled':
        this.compiled++;
        this.say(`kernel ${this.compiled} of ${count} compiled: ${event.program}, after ${event.seconds.toFixed(1)} s`);
        break;
      case 'block':
        this.blocks[part] = event.count;
        this.showBlocks(Math.min(...this.blocks), event.of);
        break;
      case 'done':
        this.summaries.push(event.summary);
    }
  }

  private showBlocks(count: number, of: number): void {
    if (count === of) this.say(`${count} of ${of} blocks`);
    else if (count > 0) this.line.show(() => `verify: ${count} of ${of} blocks`);
  }

  private say(text: string): void {
    this.line.clear();
    process.stderr.write(`verify: ${text}\n`);
  }
}
