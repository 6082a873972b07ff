import { openSource } from '../bitcoin/sources.js';
import { openGpuExecutor } from '../gpu/gpu-executor.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { prepareProgram } from '../program/prepare.js';
import { replay } from '../replay/replay.js';
import type { ReplaySummary } from '../replay/summary.js';
import { builtPrograms, type ProgramName } from '../util/built-wasm.js';
import { bundledChain } from '../util/bundled-chain.js';
import { PartialExecutor } from './partial-executor.js';

/** A line of JSON on stdout: what `start` hears of its verification while that runs. */
export type VerificationEvent =
  | { readonly kind: 'adapter'; readonly name: string }
  /** `seconds`: since the compiling began. */
  | { readonly kind: 'compiled'; readonly program: string; readonly seconds: number }
  | { readonly kind: 'block'; readonly count: number; readonly of: number }
  | { readonly kind: 'done'; readonly summary: ReplaySummary };

export interface VerifyKernelOptions {
  readonly db: string;
  /** Bundled programs that run in the kernel; the CPU runs the others. */
  readonly programs: readonly ProgramName[];
  /** Programs that are not bundled run in the kernel, too. */
  readonly others?: boolean;
}

/**
 * The window that holds what every call of the bundled chain stores. With a smaller one, amm's kernel would have to be
 * compiled a second time, half a minute on the software driver; a larger one costs next to nothing there.
 */
const FIRST_WINDOW = 1;

/**
 * `warpshrew verify-kernel --db DIR --programs LIST [--others]`, a command of `start`'s own: compiles the kernels of
 * bundled programs, then replays the bundled chain through them, and tells of each step. Throws what {@link replay}
 * and {@link openGpuExecutor} throw.
 */
export async function verifyKernelCommand(options: VerifyKernelOptions): Promise<{ text: string; exitStatus: number }> {
  const prepared = Object.entries(builtPrograms()).map(([name, wasm]) => ({ name, program: prepareProgram(wasm) }));
  const isWanted = ({ name }: { name: string }): boolean => options.programs.some((wanted) => wanted === name);
  const wanted = new Map(prepared.map((entry) => [entry.program.hash, isWanted(entry)]));
  const inKernel = (hash: string): boolean => wanted.get(hash) ?? options.others === true;
  const opened = await openGpuExecutor({ patient: true, kernels: { firstWindow: FIRST_WINDOW } });
  const gpu = new PartialExecutor(opened, inKernel);
  try {
    tell({ kind: 'adapter', name: gpu.adapter.description });
    const started = performance.now();
    const compiling = prepared.filter(isWanted).map(async ({ name, program }) => {
      await gpu.prepare(program);
      tell({ kind: 'compiled', program: name, seconds: (performance.now() - started) / 1000 });
    });
    await Promise.all(compiling);
    tell({ kind: 'done', summary: await replayThrough(gpu, options.db) });
    return { text: '', exitStatus: 0 };
  } finally {
    await gpu.close();
  }
}

function replayThrough(gpu: GpuExecutor, dbDir: string): Promise<ReplaySummary> {
  const path = bundledChain();
  const { firstHeight, lastHeight } = openSource(path);
  const of = lastHeight - firstHeight + 1;
  let count = 0;
  return replay({
    path,
    dbDir,
    policy: 'gpu',
    gpu,
    waitForKernels: true,
    onGpuFailure: (line) => process.stderr.write(`${line}\n`),
    onBlock: () => tell({ kind: 'block', count: ++count, of }),
  });
}

function tell(event: VerificationEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
