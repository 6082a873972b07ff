import { openGpuExecutor } from '../gpu/gpu-executor.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { StatisticsSum } from '../lane/statistics.js';
import { runDifferential } from '../selftest/fuzz/fuzz.js';
import type { FuzzProgram } from '../selftest/fuzz/fuzz-programs.js';
import { gpuIfThere } from './gpu-if-there.js';

/**
 * `warpshrew fuzz`: random lane blocks, sequential against cpu, gpu and balance, states and receipts compared to the
 * bit, invariants checked.
 */
export async function fuzzCommand(options: {
  readonly seed: number;
  readonly blocks: number;
  /** false: without one; true: with one, or GPU_UNAVAILABLE is thrown; not given: with one if there is one. */
  readonly gpu?: boolean;
  /** All if not given. */
  readonly programs?: readonly FuzzProgram[];
}): Promise<{ text: string; exitStatus: number }> {
  const gpu = await gpuFor(options.gpu);
  const started = performance.now();
  try {
    const result = await runDifferential({
      seed: String(options.seed),
      blocks: options.blocks,
      policies: gpu === undefined ? ['cpu'] : ['cpu', 'gpu', 'balance'],
      gpu,
      programs: options.programs,
      extremes: true,
      onBlock: (block) => {
        if (block % 1000 === 999) process.stderr.write(`${block + 1} blocks without a difference\n`);
      },
    });
    const kernel = new StatisticsSum();
    if (result.statistics.gpu) kernel.add(result.statistics.gpu);
    const runs = Object.values(kernel.gpuRuns).reduce((a, b) => a + b, 0);
    const lines = [
      `seed ${options.seed}: ${result.blocks} blocks, ${result.laneTxs} lane transactions, 0 differences, ` +
        'no invariant broken',
      `digest of all states ${result.digest}`,
      `in the kernel ${runs} messages on ${gpu?.adapter.description ?? 'no GPU'}, ` +
        `punted ${kernel.punted}, repaired ${kernel.repaired}`,
      `${((performance.now() - started) / 1000).toFixed(1)} s`,
    ];
    return { text: lines.join('\n'), exitStatus: 0 };
  } finally {
    await gpu?.close();
  }
}

async function gpuFor(wanted: boolean | undefined): Promise<GpuExecutor | undefined> {
  if (wanted === undefined) return gpuIfThere('sequential and cpu are compared, the kernel is not');
  return wanted ? openGpuExecutor({ patient: true }) : undefined;
}
