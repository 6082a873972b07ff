import { KERNEL_STATEMENTS } from '../intrinsics/kernel-functions.js';
import type { CallGraph } from './calls.js';
import type { TranslatedFunction } from './function.js';
import { Unsupported } from './unsupported.js';

/** Three times the size of the largest bundled program. */
const MAX_INLINED_STATEMENTS = 150_000;

/** Approximate number of statements that a call of one of the kernel's own functions becomes; not those of `env`. */
const CALLED: readonly (readonly [RegExp, number])[] = [
  [/^memory_/, 40],
  [/^(div|rem)_[su]64$/, 120],
  [/^(load|store)/, 8],
  [/^mul64$/, 12],
  [/^(charge|enter|stop\w*)$/, 3],
  [/64$/, 2],
];
const weights = new Map<string, number>();

function weightOf(name: string): number {
  let weight = weights.get(name);
  if (weight === undefined) {
    weight = KERNEL_STATEMENTS.get(name) ?? CALLED.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
    // The names of translated functions would fill the map.
    if (weight > 0) weights.set(name, weight);
  }
  return weight;
}

/** Size of a kernel with every call inlined, as shader compilers do. */
export interface InlinedSize {
  readonly statements: number;
  /** Loads and stores at addresses that are not constant; a load counts as 0.6. */
  readonly accesses: number;
}

/** Size of one translated function, including the kernel's own functions that it calls. */
function ownSize(lines: readonly string[]): InlinedSize {
  let statements = lines.length;
  let accesses = 0;
  for (const line of lines) {
    for (const [, name = ''] of line.matchAll(/([a-z]\w*)\(/g)) {
      statements += weightOf(name);
      if (name.startsWith('store')) accesses += 1;
      else if (name.startsWith('load')) accesses += 0.6;
    }
  }
  return { statements, accesses };
}

/**
 * Size of a kernel with every call inlined. Throws {@link Unsupported} if it is too large for any driver: compile time
 * grows faster than size.
 */
export function inlinedSize(calls: CallGraph, functions: ReadonlyMap<number, TranslatedFunction>): InlinedSize {
  const own = new Map([...functions].map(([index, { lines }]) => [index, ownSize(lines)]));
  const most = (part: keyof InlinedSize): number =>
    Math.max(0, ...calls.inlined((index) => own.get(index)?.[part] ?? 0).values());
  const statements = most('statements');
  if (statements > MAX_INLINED_STATEMENTS)
    throw new Unsupported(`more than ${MAX_INLINED_STATEMENTS} statements once inlined`);
  return { statements, accesses: most('accesses') };
}
