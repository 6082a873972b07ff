import { EnvironmentError } from '../errors/errors.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { KernelSource } from '../tasks/server/kernel-source.js';

/**
 * A GPU if there is one, for commands that do without; else says on stderr why there is none and what follows:
 * `without` completes "no GPU: ". Not given a source: one of this machine, whose kernels are waited for.
 */
export async function gpuIfThere(
  without: string,
  source = new KernelSource({ patient: true }, 'bench'),
): Promise<GpuExecutor | undefined> {
  try {
    return await source.open();
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stderr.write(`no GPU: ${without} (${error.code}: ${error.message})\n`);
    return undefined;
  }
}
