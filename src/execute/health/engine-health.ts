/** How the engine's kernel is, for health and metrics. */
import type { ErrorCode } from '../../errors/errors.js';
import type { KernelFailure } from '../../gpu/device/kernel-failures.js';
import type { SplitFigures } from '../choose/balance.js';
import type { HealthState, KernelHealthReport } from './kernel-health.js';
import type { KernelLoadFigures } from './kernel-load.js';
import { MOST_BATCH } from './kernel-load.js';

export interface EngineHealth {
  /** `unhealthy`: every batch runs on the CPU until the cool-down is over (health/kernel-health.ts). */
  readonly gpu: 'none' | HealthState;
  /** Times the kernel failed as a whole; those blocks were finished on the CPU. */
  readonly gpuFailures: number;
  /** Code of the last of these failures. */
  readonly lastGpuFailure: ErrorCode | undefined;
  readonly kernel: Omit<KernelHealthReport, 'probeInMs'> &
    KernelLoadFigures & {
      /** When an unhealthy kernel is probed with the next block that wants it (ISO 8601); undefined: never. */
      readonly probeAt: string | undefined;
      /** Results that the CPU has recomputed, and dumps of disputed ones that were kept and lost. */
      readonly checkedCalls: number;
      readonly dumps: number;
      readonly lostDumps: number;
    };
  /** How `balance` divides calls of the programs that take most of the time; empty under every other policy. */
  readonly divisions: readonly SplitFigures[];
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
  kernel: {
    why: undefined,
    probeAt: undefined,
    checkedCalls: 0,
    dumps: 0,
    lostDumps: 0,
    batchLimit: MOST_BATCH,
    p99Ms: undefined,
    heldBack: 0,
    failures: { 'device-lost': 0, timeout: 0, failure: 0, mismatch: 0, 'not-opened': 0 },
    transitions: { healthy: 0, degraded: 0, unhealthy: 0, probing: 0 },
  },
  divisions: [],
  kernelFailures: 0,
  lastKernelFailure: undefined,
  costLosses: 0,
  lastCostLoss: undefined,
  programFileLosses: 0,
  lastProgramFileLoss: undefined,
  failedRehearsals: 0,
};
