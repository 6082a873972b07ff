import type { GpuCall } from '../../gpu/pack/types.js';
import { refuseCall } from '../../program/run-stop.js';
import type { ProgramRunner } from '../../program/runner.js';
import { NO_TEXTS, type RunHost, type RunResult } from '../../program/types.js';
import { EMPTY_BYTES, toBinaryString } from '../../util/bytes.js';

/** A host that gives a call the values that it declares. */
export function hostOf(call: GpuCall, isDryRun: boolean): RunHost {
  const values = new Map(call.reads.map(({ key, value }) => [toBinaryString(key), value]));
  return {
    isDryRun,
    height: call.height,
    context: call.context,
    transaction: EMPTY_BYTES,
    block: EMPTY_BYTES,
    storage: (key) => values.get(toBinaryString(key)),
    sequence: () => 1n,
    balance: () => EMPTY_BYTES,
    declareRead: () => {},
    declareWrite: () => {},
    texts: NO_TEXTS,
    call: refuseCall,
  };
}

/** Runs a call as the sequential executor runs its program. */
export function runOnV8(runner: ProgramRunner, call: GpuCall): RunResult {
  return runner.run(call.program, hostOf(call, false), call.fuel);
}
