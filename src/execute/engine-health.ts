/** How the engine's kernel is, for health and metrics. */
import type { ErrorCode } from '../errors/errors.js';
import type { KernelFailure } from '../gpu/device/kernel-failures.js';

export interface EngineHealth {
  /** `lost`: the device went away or hung, and every batch runs on the CPU from then on. */
  readonly gpu: 'none' | 'in use' | 'lost';
  /** Times the kernel failed as a whole; those blocks were finished on the CPU. */
  readonly gpuFailures: number;
  /** Code of the last of these failures. */
  readonly lastGpuFailure: ErrorCode | undefined;
  /** Programs that lost their kernels to a failure of translation, driver or packing, and the last of them. */
  readonly kernelFailures: number;
  readonly lastKernelFailure: KernelFailure | undefined;
  /** Records of what `auto` had learned that were dropped or could not be kept, and why the last one was. */
  readonly costLosses: number;
  readonly lastCostLoss: string | undefined;
  /** Threads that have no file for programs any more (docs/operations.md), and why the last one has none. */
  readonly programFileLosses: number;
  readonly lastProgramFileLoss: string | undefined;
  /** Times a worker thread gave up a rehearsal because what it ran has thrown. */
  readonly failedRehearsals: number;
}

/** Of an engine that has no kernel, or has run nothing yet. */
export const NO_GPU: EngineHealth = {
  gpu: 'none',
  gpuFailures: 0,
  lastGpuFailure: undefined,
  kernelFailures: 0,
  lastKernelFailure: undefined,
  costLosses: 0,
  lastCostLoss: undefined,
  programFileLosses: 0,
  lastProgramFileLoss: undefined,
  failedRehearsals: 0,
};
