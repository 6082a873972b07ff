/** One colour's messages through the kernel. */

import type { GpuCall, GpuCallResult, GpuLane } from '../gpu/types.js';
import type { MessageCall } from '../lane/message.js';
import type { LaneOutcome } from '../lane/types.js';
import { fromBinaryString } from '../util/bytes.js';
import type { FirstCall } from './block-tasks.js';
import { type CpuRunner, driveOnCpu, type LaneRun } from './drive.js';

/** A transaction offered to the kernel: not yet begun, with what its dry run found. */
export interface GpuCandidate {
  readonly position: number;
  readonly run: LaneRun;
  readonly firstCall: FirstCall;
}

export interface GpuBatchResult {
  /** Final by what they saw; `ranOnGpu` is false where no contract had to run. */
  readonly done: readonly { readonly position: number; readonly outcome: LaneOutcome; readonly ranOnGpu: boolean }[];
  /** To be run on the CPU: the kernel declined, or stopped at an undeclared key. */
  readonly declined: readonly number[];
  readonly punted: number;
  readonly accessViolations: number;
  /** Messages with a final status per program hash. */
  readonly gpuRuns: Readonly<Record<string, number>>;
  /** Why the kernel failed as a whole, if it did. */
  readonly failure: unknown;
}

interface Waiting extends GpuCandidate {
  readonly call: MessageCall;
  readonly packed: GpuCall;
}

/**
 * Drives every candidate to its first contract call, runs these calls in one batch and resumes the transactions with
 * what the kernel said. Further messages of a transaction run on `runner`. The declared sets come from the dry run,
 * the values from what the transaction sees now.
 */
export async function runGpuBatch(
  candidates: readonly GpuCandidate[],
  gpu: GpuLane,
  runner: CpuRunner,
): Promise<GpuBatchResult> {
  const done: { position: number; outcome: LaneOutcome; ranOnGpu: boolean }[] = [];
  const declined: number[] = [];
  const gpuRuns: Record<string, number> = {};
  const waiting: Waiting[] = [];
  let punted = 0;
  let accessViolations = 0;

  for (const candidate of candidates) {
    const step = candidate.run.next();
    if (step.done) done.push({ position: candidate.position, outcome: step.value, ranOnGpu: false });
    else if (!gpu.supports(step.value.program).ok) {
      declined.push(candidate.position);
      punted++;
    } else waiting.push({ ...candidate, call: step.value, packed: pack(step.value, candidate.firstCall) });
  }

  let results: readonly GpuCallResult[] = [];
  let failure: unknown;
  try {
    if (waiting.length > 0) results = await gpu.run(waiting.map(({ packed }) => packed));
  } catch (error) {
    failure = error ?? new Error('the kernel failed without a reason');
  }
  waiting.forEach(({ position, run, call, packed }, i) => {
    const result = results[i];
    if (result === undefined || result.status === 'PUNT' || result.status === 'ACCESS_VIOLATION') {
      if (result?.status === 'PUNT') punted++;
      if (result?.status === 'ACCESS_VIOLATION') accessViolations++;
      declined.push(position);
      return;
    }
    gpuRuns[call.program.hash] = (gpuRuns[call.program.hash] ?? 0) + 1;
    done.push({ position, outcome: resume(run, call, packed, result, runner), ranOnGpu: true });
  });
  return { done, declined, punted, accessViolations, gpuRuns, failure };
}

function pack(call: MessageCall, { reads, writes }: FirstCall): GpuCall {
  return {
    program: call.program,
    context: call.context,
    height: call.height,
    fuel: call.fuel,
    reads: reads.map((key) => {
      const bytes = fromBinaryString(key);
      return { key: bytes, value: call.peekStorage(bytes) };
    }),
    writes: writes.map(fromBinaryString),
  };
}

/** Gives the kernel's result to the transaction, with the reads that the kernel really made. */
function resume(
  run: LaneRun,
  call: MessageCall,
  packed: GpuCall,
  result: GpuCallResult,
  runner: CpuRunner,
): LaneOutcome {
  const host = call.host(false);
  packed.reads.forEach(({ key }, i) => {
    if (result.touched[i]) host.storage(key);
  });
  const step = run.next({
    status: result.status as 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL',
    reason: result.reason,
    fuelLeft: result.fuelLeft,
    result: result.result,
    askedDryRun: false,
  });
  return driveOnCpu(run, runner, step);
}
