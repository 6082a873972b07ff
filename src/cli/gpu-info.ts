import { openGpuExecutor } from '../gpu/gpu-executor.js';

/** `warpshrew gpu-info`: the adapter as one line of JSON. Throws GPU_UNAVAILABLE if there is none. */
export async function gpuInfoCommand(): Promise<{ text: string; exitStatus: number }> {
  const executor = await openGpuExecutor();
  try {
    return { text: JSON.stringify(executor.adapter), exitStatus: 0 };
  } finally {
    await executor.close();
  }
}
