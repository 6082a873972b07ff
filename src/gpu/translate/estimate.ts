import { INTRINSIC_FUNCTIONS, INTRINSIC_STATEMENTS } from '../intrinsics.js';
import type { CallGraph } from './calls.js';
import type { TranslatedFunction } from './function.js';
import { Unsupported } from './unsupported.js';

/** Three times the largest bundled program. */
const MAX_INLINED_STATEMENTS = 150_000;

/** Statements of what the kernel's own functions become where they are called, about. */
const CALLED: readonly (readonly [RegExp, number])[] = [
  [/^host_/, 150],
  [/^memory_/, 40],
  [/^(div|rem)_[su]64$/, 120],
  [/^(load|store)/, 8],
  [/^mul64$/, 12],
  [/^(charge|enter|stop\w*)$/, 3],
  [/64$/, 2],
];
const intrinsicWeights = new Map(
  Object.entries(INTRINSIC_FUNCTIONS).map(([name, kernel]) => [kernel, INTRINSIC_STATEMENTS[name] ?? 0]),
);
const weights = new Map<string, number>();

function weightOf(name: string): number {
  let weight = weights.get(name);
  if (weight === undefined) {
    weight = intrinsicWeights.get(name) ?? CALLED.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
    // Names of translated functions are numbered: those are not kept.
    if (weight > 0) weights.set(name, weight);
  }
  return weight;
}

/** Statements of one translated function, the kernel's own functions that it calls included. */
function ownStatements(lines: readonly string[]): number {
  let sum = lines.length;
  for (const line of lines) for (const [, name] of line.matchAll(/([a-z]\w*)\(/g)) sum += weightOf(name ?? '');
  return sum;
}

/**
 * Statements of a kernel if every call were inlined, as shader compilers do. Throws {@link Unsupported} if no driver should see it:
 * their time grows faster than the size.
 */
export function inlinedWeight(calls: CallGraph, functions: ReadonlyMap<number, TranslatedFunction>): number {
  const sums = calls.inlined((index) => ownStatements(functions.get(index)?.lines ?? []));
  const most = Math.max(0, ...sums.values());
  if (most > MAX_INLINED_STATEMENTS)
    throw new Unsupported(`more than ${MAX_INLINED_STATEMENTS} statements once inlined`);
  return most;
}
