import type { CallGraph } from './calls.js';
import type { TranslatedFunction } from './function.js';
import { Unsupported } from './unsupported.js';

const MAX_INLINED_STATEMENTS = 60_000;

/**
 * Statements of a kernel if every call were inlined, as shader compilers do. Throws {@link Unsupported} if no driver should see it.
 */
export function inlinedWeight(calls: CallGraph, functions: ReadonlyMap<number, TranslatedFunction>): number {
  const sums = calls.inlined((index) => functions.get(index)?.lines.length ?? 0);
  const most = Math.max(0, ...sums.values());
  if (most > MAX_INLINED_STATEMENTS)
    throw new Unsupported(`more than ${MAX_INLINED_STATEMENTS} statements once inlined`);
  return most;
}
