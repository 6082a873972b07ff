import { probeGpu } from '../doctor/gpu-probe.js';
import type { CommandEnd } from './run-service.js';

/** `warpshrew probe-gpu`, a command of the doctor's own: what it found as one line of JSON. */
export async function probeGpuCommand(): Promise<CommandEnd> {
  return { text: JSON.stringify(await probeGpu()), exitStatus: 0 };
}
