import type { GpuTimings } from './types.js';

/** Those of an executor that has run nothing. */
export function noTimings(): GpuTimings {
  return {
    packMs: 0,
    uploadMs: 0,
    kernelMs: 0,
    readbackMs: 0,
    deviceMs: 0,
    dispatches: 0,
    bytesUp: 0,
    bytesDown: 0,
  };
}
