import { basename, dirname, join } from 'node:path';
import { softwareDriverEnvironment } from '../gpu/device/software-driver.js';
import type { ReplaySummary } from '../replay/summary.js';
import { runCli } from './child.js';
import { progressLine } from './progress-line.js';
import { recall, remember, type Verification, verificationKey } from './remembered.js';
import type { VerificationEvent } from './verify-kernel.js';
import type { Workplace } from './workplace.js';

/** What came of asking the kernel for the bundled chain's state. */
export type Outcome =
  | { readonly kind: 'agrees'; readonly summary: ReplaySummary; readonly verification: Verification }
  | { readonly kind: 'remembered'; readonly verification: Verification }
  | { readonly kind: 'differs'; readonly summary: ReplaySummary }
  /** The child has said why on stderr. `status`: undefined if a signal ended it. */
  | { readonly kind: 'failed'; readonly status: number | undefined };

/**
 * Replays the bundled chain through the kernel, on a GPU or else the bundled software driver, in a process of its own, and tells
 * on stderr how far it is; or finds that an earlier start did, with the same build and the same result as `cpu`.
 */
export async function verify(workplace: Workplace, cpu: ReplaySummary): Promise<Outcome> {
  const { environment, adapter } = await findDriver(workplace);
  const key = verificationKey(adapter);
  const before = recall(key);
  if (before !== undefined && before.stateRoot === cpu.stateRoot) return { kind: 'remembered', verification: before };
  const progress = new VerificationProgress();
  const args = ['verify-kernel', '--db', join(workplace.folder, 'gpu.db')];
  const onLine = (line: string): void => progress.hear(JSON.parse(line) as VerificationEvent);
  const status = await runCli(workplace, args, { environment, stderr: 'inherit', onLine });
  const { summary } = progress;
  if (status !== 0 || summary === undefined) return { kind: 'failed', status };
  if (summary.stateRoot === undefined || summary.stateRoot !== cpu.stateRoot) return { kind: 'differs', summary };
  const inKernel = Object.values(summary.gpuRuns).reduce((a, b) => a + b, 0);
  const verification = { stateRoot: summary.stateRoot, inKernel, adapter: summary.adapter ?? 'no GPU' };
  keep(key, verification);
  return { kind: 'agrees', summary, verification };
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

/** Says what the child is at: a line per program, then how many blocks. */
class VerificationProgress {
  summary: ReplaySummary | undefined;
  private programs = 0;
  private readonly line = progressLine();

  hear(event: VerificationEvent): void {
    switch (event.kind) {
      case 'adapter':
        this.programs = event.programs.length;
        this.say(`verify: compiling the kernels of ${event.programs.join(', ')} on ${event.name} ...`);
        break;
      case 'compiled':
        this.say(
          `verify: kernel ${event.count} of ${this.programs} compiled: ${event.program}, ${event.seconds.toFixed(1)} s`,
        );
        break;
      case 'block':
        if (event.count === event.of) this.say(`verify: ${event.count} of ${event.of} blocks`);
        else this.line.show(() => `verify: ${event.count} of ${event.of} blocks`);
        break;
      case 'done':
        this.summary = event.summary;
    }
  }

  private say(text: string): void {
    this.line.clear();
    process.stderr.write(`${text}\n`);
  }
}
