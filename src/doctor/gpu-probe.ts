/**
 * What the GPU can do, found out by running a kernel on it. In a process of its own: drivers print what they like, and
 * a broken one ends the process.
 */
import { openDevice } from '../gpu/device/device.js';
import { DawnExecutor } from '../gpu/gpu-executor.js';
import type { GpuCallResult } from '../gpu/pack/types.js';
import { prepareProgram } from '../program/prepare.js';
import { ProgramRunner } from '../program/runner.js';
import type { RunResult } from '../program/types.js';
import { runOnV8 } from '../selftest/bench/calls-on-v8.js';
import { mintCalls } from '../selftest/bench/sample-calls.js';
import { builtPrograms } from '../util/built-wasm.js';
import { bytesEqual } from '../util/bytes.js';

const CALLS = 256;

/** What {@link probeGpu} found, as it is printed by the one process and read by the other. */
export interface GpuProbe {
  readonly vendor: string;
  readonly description: string;
  readonly software: boolean;
  readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number };
  readonly compileMs: number;
  /** Calls of a bundled contract, and how long the second batch of them took, with the way there and back. */
  readonly calls: number;
  readonly runMs: number;
  /** Calls that the kernel left to the CPU, and those that ended otherwise than on V8. */
  readonly punted: number;
  readonly differences: number;
}

/** Throws EnvironmentError GPU_UNAVAILABLE, GPU_FAILED and what else a device may throw. */
export async function probeGpu(): Promise<GpuProbe> {
  const opened = await openDevice();
  const executor = new DawnExecutor(opened, { patient: true });
  try {
    const { maxBufferSize, maxStorageBufferBindingSize } = opened.device.limits;
    const program = prepareProgram(builtPrograms().mint);
    const calls = mintCalls(program, CALLS);
    const began = performance.now();
    await executor.prepare(program);
    const compileMs = performance.now() - began;
    await executor.run(calls);
    const started = performance.now();
    const results = await executor.run(calls);
    const runMs = performance.now() - started;
    const runner = new ProgramRunner();
    const ran = results.filter(({ status }) => status !== 'PUNT').length;
    const differs = (result: GpuCallResult, i: number): boolean =>
      result.status !== 'PUNT' && !isSame(result, runOnV8(runner, calls[i]));
    return {
      ...executor.adapter,
      limits: { maxBufferSize, maxStorageBufferBindingSize },
      compileMs: Math.round(compileMs),
      calls: CALLS,
      runMs: Math.round(runMs * 100) / 100,
      punted: CALLS - ran,
      differences: results.filter(differs).length,
    };
  } finally {
    await executor.close();
  }
}

function isSame(result: GpuCallResult, expected: RunResult): boolean {
  const { status, reason, fuelLeft } = expected;
  if (result.status !== status || result.reason !== reason || result.fuelLeft !== fuelLeft) return false;
  return status !== 'OK' || (result.result !== undefined && bytesEqual(result.result, expected.result));
}
