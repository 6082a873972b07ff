import { tryAdapter } from '../gpu/device/trial.js';
import { openGpuExecutor } from '../gpu/gpu-executor.js';

/**
 * `warpshrew gpu-info`: the adapter as one line of JSON, and nothing of what drivers print: a process of its own asks
 * for it, which runs this with `here`. Throws GPU_UNAVAILABLE if there is none.
 */
export async function gpuInfoCommand(here: boolean): Promise<{ text: string; exitStatus: number }> {
  const text = here ? undefined : await tryAdapter();
  if (text !== undefined) return { text, exitStatus: 0 };
  const executor = await openGpuExecutor();
  try {
    return { text: JSON.stringify(executor.adapter), exitStatus: 0 };
  } finally {
    await executor.close();
  }
}
