import type { InlinedSize } from '../translate/estimate.js';

/** What a kernel may cost to be made, by the kind of driver. */
export interface KernelLimits {
  /** Statements with every call inlined: what drivers take time for (see translate/estimate.ts). */
  readonly statements: number;
  /** Statements that two memory accesses cost for being in one kernel; 0 where they do not look at each other. */
  readonly perAccessPair: number;
  /** Milliseconds that the driver may take in the background; then the program has no kernel. */
  readonly compileMs: number;
  /** Compilations at a time, and how many may wait beside those; further programs are asked for again in a later block. */
  readonly compiling: number;
  readonly waiting: number;
}

/**
 * By kind of driver. The largest bundled program has some 45,000 statements. SwiftShader compiles on the CPU, about a statement a
 * millisecond, and compares every access of an invocation's memory with every other: 527 stores (4,743 statements) take it 33 s,
 * 260 take 6.6 s, 127 take 1.5 s.
 */
export const KERNEL_LIMITS: { readonly [K in 'software' | 'hardware']: KernelLimits } = {
  software: { statements: 50_000, perAccessPair: 1 / 7, compileMs: 60_000, compiling: 1, waiting: 8 },
  hardware: { statements: 150_000, perAccessPair: 0, compileMs: 60_000, compiling: 4, waiting: 64 },
};

/** For tests and measurements, which wait: what no driver at all should see is refused, nothing else. */
export const PATIENT_LIMITS: KernelLimits = {
  ...KERNEL_LIMITS.hardware,
  compileMs: Number.POSITIVE_INFINITY,
  compiling: 16,
  waiting: Number.POSITIVE_INFINITY,
};

/** Why a kernel of this size is not made, or undefined. */
export function tooLarge({ statements, accesses }: InlinedSize, limits: KernelLimits): string | undefined {
  if (statements + limits.perAccessPair * accesses ** 2 <= limits.statements) return undefined;
  const more = limits.perAccessPair === 0 ? '' : ` with ${Math.ceil(accesses)} memory accesses`;
  return `more than ${limits.statements} statements once inlined (${statements}${more})`;
}

/** Calls of a program from which on its kernel is worth making. */
export const FEWEST_CALLS = 2;
