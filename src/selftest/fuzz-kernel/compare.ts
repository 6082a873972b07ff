import type { GpuCall, GpuCallResult } from '../../gpu/pack/types.js';
import { refuseCall } from '../../program/run-stop.js';
import { NO_TEXTS, type RunHost } from '../../program/types.js';
import { BothTiers, endsAlike, textOf } from '../tiers.js';

const EMPTY = new Uint8Array(0);

/** Runs calls of programs without storage on V8 and in the interpreter, and reports where results differ. */
export class V8Comparison {
  readonly #tiers = new BothTiers();

  /** undefined if the results are equal, else both as text. A PUNT of the kernel is not compared. */
  difference(call: GpuCall, kernel: GpuCallResult): string | undefined {
    const { result, difference } = this.#tiers.run(call.program, () => hostOf(call), call.fuel);
    if (difference !== undefined) return difference;
    if (kernel.status === 'PUNT' || endsAlike(result, kernel)) return undefined;
    return `V8 ${textOf(result)}, the kernel ${textOf(kernel)}`;
  }
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
