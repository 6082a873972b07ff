/** How host functions end a run. */
import type { RevertReason } from './types.js';

/**
 * Thrown by a host function to end the run at once; no program can catch it. No Error, for a stack trace costs more
 * than most runs.
 */
export class RunStop {
  constructor(readonly reason: RevertReason | 'out-of-fuel') {}
}

/** What a host without other contracts makes of an inner call. */
export function refuseCall(): never {
  throw new RunStop('inner-call');
}
