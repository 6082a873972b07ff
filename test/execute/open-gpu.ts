import { EnvironmentError } from '../../src/errors/errors.js';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuExecutor } from '../../src/gpu/pack/types.js';

/** The GPU that there is, if any. */
export async function openGpu(): Promise<GpuExecutor | undefined> {
  try {
    return await openGpuExecutor({ patient: true });
  } catch (error) {
    // Under the bundled driver there is always a GPU: what does not open then is a failure, not a skip.
    if (error instanceof EnvironmentError && process.env.VK_DRIVER_FILES === undefined) return undefined;
    throw error;
  }
}
