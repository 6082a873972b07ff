import type { CallGraph } from './calls.js';
import { Unsupported } from './unsupported.js';

const MAX_INLINED_STATEMENTS = 60_000;

/**
 * Statements of a kernel if every call were inlined, as shader compilers do; `statementsOf` a function alone. Throws {@link Unsupported} if no driver should see it.
 */
export function inlinedWeight(calls: CallGraph, statementsOf: (index: number) => number): number {
  const sums = calls.inlined(statementsOf);
  const most = Math.max(0, ...sums.values());
  if (most > MAX_INLINED_STATEMENTS)
    throw new Unsupported(`more than ${MAX_INLINED_STATEMENTS} statements once inlined`);
  return most;
}
