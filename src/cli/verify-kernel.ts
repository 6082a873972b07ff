import { openSource } from '../bitcoin/sources.js';
import { openGpuLane } from '../gpu/gpu-executor.js';
import type { GpuLane } from '../gpu/pack/types.js';
import { prepareProgram } from '../program/prepare.js';
import { replay } from '../replay/replay.js';
import type { ReplaySummary } from '../replay/summary.js';
import { builtPrograms } from '../util/built-wasm.js';
import { bundledChain } from '../util/bundled-chain.js';

/** A line of JSON on stdout: what `start` hears of its verification while that runs. */
export type VerificationEvent =
  | { readonly kind: 'adapter'; readonly name: string; readonly programs: readonly string[] }
  | { readonly kind: 'compiled'; readonly program: string; readonly count: number; readonly seconds: number }
  | { readonly kind: 'block'; readonly count: number; readonly of: number }
  | { readonly kind: 'done'; readonly summary: ReplaySummary };

/**
 * `warpshrew verify-kernel --db DIR`, a command of `start`'s own: compiles the kernels of the bundled programs, then replays the
 * bundled chain through them, and tells of each step. Throws what {@link replay} and {@link openGpuLane} throw.
 */
export async function verifyKernelCommand({
  db,
}: {
  readonly db: string;
}): Promise<{ text: string; exitStatus: number }> {
  const gpu = await openGpuLane({ patient: true });
  try {
    await compile(gpu);
    const path = bundledChain();
    const { firstHeight, lastHeight } = openSource(path);
    const of = lastHeight - firstHeight + 1;
    let count = 0;
    const summary = await replay({
      path,
      dbDir: db,
      policy: 'gpu',
      gpu,
      waitForKernels: true,
      onGpuFailure: (line) => process.stderr.write(`${line}\n`),
      onBlock: () => tell({ kind: 'block', count: ++count, of }),
    });
    tell({ kind: 'done', summary });
    return { text: '', exitStatus: 0 };
  } finally {
    await gpu.close();
  }
}

/** All at once: drivers compile in threads of their own. */
async function compile(gpu: GpuLane): Promise<void> {
  const programs = Object.entries(builtPrograms());
  const started = performance.now();
  let count = 0;
  tell({ kind: 'adapter', name: gpu.adapter.description, programs: programs.map(([name]) => name) });
  const compiling = programs.map(async ([program, wasm]) => {
    await gpu.prepare(prepareProgram(wasm));
    tell({ kind: 'compiled', program, count: ++count, seconds: (performance.now() - started) / 1000 });
  });
  await Promise.all(compiling);
}

function tell(event: VerificationEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
