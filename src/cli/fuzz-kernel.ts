import { openGpuExecutor } from '../gpu/gpu-executor.js';
import { fuzzKernel, type KernelFuzzReport } from '../selftest/fuzz-kernel/run.js';

/** `warpshrew fuzz-kernel`: random modules in the kernel and on V8, every run compared. */
export async function fuzzKernelCommand(options: {
  readonly seed: number;
  readonly modules: number;
  readonly runs: number;
  readonly only?: number;
  readonly json?: boolean;
}): Promise<{ text: string; exitStatus: number }> {
  const { seed, runs, only } = options;
  let reported = 0;
  const report = await fuzzKernel({
    seed,
    runs,
    modules: only === undefined ? options.modules : 1,
    first: only ?? 0,
    openExecutor: () => openGpuExecutor({ patient: true }),
    onProgress: (modules) => {
      if (modules - reported < 64) return;
      reported = modules;
      process.stderr.write(`${modules} modules\n`);
    },
  });
  const exitStatus = report.differing === 0 ? 0 : 1;
  if (options.json) return { text: JSON.stringify({ seed, ...report }), exitStatus };
  return { text: lines(seed, runs, report).join('\n'), exitStatus };
}

function lines(seed: number, runs: number, report: KernelFuzzReport): string[] {
  const { punts, statuses, refused } = report;
  const list = (counts: Readonly<Record<string, number>>, of: number): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${((100 * count) / Math.max(1, of)).toFixed(1)} %`)
      .join(', ') || 'none';
  return [
    `seed ${seed}: ${report.modules} modules, ${report.runs} runs on ${report.adapter}, ` +
      `${report.differing} differences`,
    ...report.differences.map(
      ({ module, run, text }) =>
        `module ${module}, run ${run}: ${text}; again with fuzz-kernel --seed ${seed} --only ${module} --runs ${runs}`,
    ),
    `endings: ${list(statuses, report.runs)}`,
    `left to the CPU: ${list(punts, report.runs)}`,
    `modules without a kernel: ${list(refused, report.modules)}`,
    `compiling ${(report.compileMs / 1000).toFixed(1)} s, in all ${(report.totalMs / 1000).toFixed(1)} s`,
  ];
}
