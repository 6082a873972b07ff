import { closeSync, openSync, writeSync } from 'node:fs';
import { EnvironmentError, UsageError } from '../errors/errors.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { type DependentRule, type DryRunRule, type Policy, usesKernel } from '../lane/policy.js';
import { SILENT, statusProgress } from '../replay/progress.js';
import { replay } from '../replay/replay.js';
import { summaryTable } from '../replay/summary.js';
import { type KernelChoice, KernelSource } from '../tasks/server/kernel-source.js';
import type { Priority } from '../tasks/server/messages.js';
import { terminal } from '../util/terminal.js';
import { readModuleFile } from './files.js';
import { gpuIfThere } from './gpu-if-there.js';

export interface ReplayCommandOptions extends Omit<KernelChoice, 'patient'> {
  readonly gpuPriority?: Priority;
  readonly db: string;
  readonly policy: Policy;
  readonly dryRun?: DryRunRule;
  readonly indexer?: string;
  readonly from?: number;
  readonly to?: number;
  readonly crossCheck?: number;
  readonly laneStartBlock?: number;
  readonly dependent?: DependentRule;
  readonly index?: 'none' | 'addresses';
  readonly workers?: number;
  readonly roots?: string;
  readonly waitForKernels?: boolean;
  readonly json?: boolean;
}

/** `warpshrew replay PATH`. */
export async function replayCommand(
  path: string,
  options: ReplayCommandOptions,
): Promise<{ text: string; exitStatus: number }> {
  const { from, to } = options;
  if (from !== undefined && to !== undefined && from > to) {
    throw new UsageError('USAGE_RANGE', 'the first height is above the last one', { facts: { from, to } });
  }
  const source = new KernelSource({ ...options, patient: options.waitForKernels }, options.gpuPriority ?? 'sync');
  const gpu = await gpuFor(options, source);
  const rootsFile = options.roots === undefined ? undefined : openForWriting(options.roots);
  try {
    const summary = await replay({
      path,
      dbDir: options.db,
      policy: options.policy,
      dryRun: options.dryRun,
      indexer: options.indexer === undefined ? undefined : readModuleFile(options.indexer),
      from,
      to,
      gpu,
      reopenGpu: source.reopen,
      awaitsGpu: source.isRemote,
      crossCheck: options.crossCheck,
      laneStartHeight: options.laneStartBlock,
      dependent: options.dependent,
      addresses: options.index === 'addresses',
      workers: options.workers,
      waitForKernels: options.waitForKernels,
      progress: options.json && terminal() === undefined ? SILENT : statusProgress(`replay (${options.policy})`),
      onGpuFailure: (line) => process.stderr.write(`${line}\n`),
      onCostsLost: (why) => process.stderr.write(`${why}\n`),
      onBlock: (height, root) => {
        if (rootsFile !== undefined) writeSync(rootsFile, `${height} ${root}\n`);
      },
    });
    return { text: options.json ? JSON.stringify(summary) : summaryTable([summary]), exitStatus: 0 };
  } finally {
    if (rootsFile !== undefined) closeSync(rootsFile);
    await gpu?.close();
  }
}

/** `gpu` needs a device; `auto` takes one if there is one and says once when there is none. */
async function gpuFor(
  { policy, dryRun }: ReplayCommandOptions,
  source: KernelSource,
): Promise<GpuExecutor | undefined> {
  if (!usesKernel(policy, dryRun)) return undefined;
  if (policy === 'gpu') return source.open();
  return gpuIfThere('the CPU runs every batch', source);
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the file cannot be written', { facts: { path }, cause });
  }
}
