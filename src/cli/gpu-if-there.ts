import { EnvironmentError } from '../errors/errors.js';
import { openTriedGpuExecutor } from '../gpu/gpu-executor.js';
import type { GpuExecutor } from '../gpu/pack/types.js';

/**
 * A GPU if there is one, for commands that do without; else says on stderr why there is none and what follows:
 * `without` completes "no GPU: ". `patient`: kernels are waited for, however long they take.
 */
export async function gpuIfThere(
  without: string,
  options: { readonly patient?: boolean },
): Promise<GpuExecutor | undefined> {
  try {
    return await openTriedGpuExecutor(options);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stderr.write(`no GPU: ${without} (${error.code}: ${error.message})\n`);
    return undefined;
  }
}
