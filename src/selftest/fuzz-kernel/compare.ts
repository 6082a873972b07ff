import type { GpuCall, GpuCallResult } from '../../gpu/pack/types.js';
import { refuseCall } from '../../program/run-stop.js';
import { ProgramRunner } from '../../program/runner.js';
import { NO_TEXTS, type RunHost } from '../../program/types.js';
import { bytesEqual, toHex } from '../../util/bytes.js';

const EMPTY = new Uint8Array(0);

/** Runs calls of programs without storage on V8, and reports where the kernel's result differs. */
export class V8Comparison {
  readonly #runner = new ProgramRunner();

  /** undefined if the results are equal, else both as text. A PUNT is not compared. */
  difference(call: GpuCall, { status, reason, fuelLeft, result }: GpuCallResult): string | undefined {
    if (status === 'PUNT') return undefined;
    const expected = this.#runner.run(call.program, hostOf(call), call.fuel);
    const equal =
      status === expected.status &&
      reason === expected.reason &&
      fuelLeft === expected.fuelLeft &&
      bytesEqual(result, expected.result);
    if (equal) return undefined;
    return `V8 ${textOf(expected)}, the kernel ${textOf({ status, reason, fuelLeft, result })}`;
  }
}

type Ending = Pick<GpuCallResult, 'reason' | 'fuelLeft' | 'result'> & { readonly status: string };

function textOf({ status, reason, fuelLeft, result }: Ending): string {
  const bytes = result === undefined ? 'no result' : toHex(result);
  return `${status}${reason === 'none' ? '' : ` (${reason})`} with ${fuelLeft} left, ${bytes}`;
}

/** A host without storage or state, like the calls that the kernel gets. */
export function hostOf(call: GpuCall): RunHost {
  return {
    isDryRun: false,
    height: call.height,
    context: call.context,
    transaction: EMPTY,
    block: EMPTY,
    storage: () => undefined,
    sequence: () => 1n,
    balance: () => EMPTY,
    declareRead: () => undefined,
    declareWrite: () => undefined,
    texts: NO_TEXTS,
    call: refuseCall,
  };
}
