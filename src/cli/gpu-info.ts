import { openGpuLane } from '../gpu/gpu-executor.js';

/** `warpshrew gpu-info`: the adapter as one line of JSON. Throws GPU_UNAVAILABLE if there is none. */
export async function gpuInfoCommand(): Promise<{ text: string; exitStatus: number }> {
  const lane = await openGpuLane();
  try {
    return { text: JSON.stringify(lane.adapter), exitStatus: 0 };
  } finally {
    await lane.close();
  }
}
