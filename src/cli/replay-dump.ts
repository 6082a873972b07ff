import { decodeDump, MOST_DUMP_BYTES } from '../execute/health/call-dump.js';
import { type CallEnd, endOnCpu, endsEqual, textOf } from '../execute/health/cross-check.js';
import type { GpuCall, GpuExecutor } from '../gpu/pack/types.js';
import { ProgramRunner } from '../program/runner.js';
import { readInputFile } from './files.js';
import { gpuIfThere } from './gpu-if-there.js';

/**
 * `warpshrew replay-dump FILE`: exit status 0 if all sides that ran here agree, 1 if not. Throws InputError
 * `DUMP_DAMAGED`, and what {@link readInputFile} throws.
 */
export async function replayDumpCommand(
  path: string,
  { gpu: wantsGpu }: { readonly gpu: boolean },
): Promise<{ text: string; exitStatus: number }> {
  const { call, txid, adapter, kernel, cpu } = decodeDump(readInputFile(path, MOST_DUMP_BYTES));
  const here = endOnCpu(new ProgramRunner(), call);
  const lines = [
    `transaction ${txid} of block ${call.height}, program ${call.program.hash}`,
    `kernel then (${adapter}): ${textOf(kernel)}`,
    `CPU then: ${textOf(cpu)}`,
    `CPU now: ${textOf(here)}${endsEqual(here, cpu) ? '' : ', not as then'}`,
  ];
  let agrees = endsEqual(here, cpu);
  const gpu = wantsGpu ? await gpuIfThere('only the CPU runs the call') : undefined;
  if (gpu !== undefined) {
    const again = await inKernel(gpu, call).finally(() => gpu.close());
    const isGivenUp = again.status === 'PUNT';
    agrees &&= isGivenUp || endsEqual(again, here);
    lines.push(`kernel now (${gpu.adapter.description}): ${isGivenUp ? 'gives the call up' : textOf(again)}`);
  }
  lines.push(agrees ? 'all that ran here agree' : 'they disagree');
  return { text: lines.join('\n'), exitStatus: agrees ? 0 : 1 };
}

async function inKernel(gpu: GpuExecutor, call: GpuCall): Promise<CallEnd> {
  const [end] = await gpu.run([call]);
  return end;
}
