import type { InlinedSize } from '../translate/estimate.js';

/** What compiling a kernel may cost. */
export interface KernelLimits {
  /** Statements with every call inlined: what compile time depends on (see translate/estimate.ts). */
  readonly statements: number;
  /** Cost, in statements, of every pair of memory accesses in a kernel; 0 where the driver does not compare them. */
  readonly perAccessPair: number;
  /** Milliseconds that the driver may take in the background; after that the program has no kernel. */
  readonly compileMs: number;
  /** Compilations at a time, and how many more may wait; further programs are tried again in a later block. */
  readonly compiling: number;
  readonly waiting: number;
  /** Number of the smallest memory window that is compiled; see WINDOWS. */
  readonly firstWindow: number;
}

/**
 * By kind of driver. The largest bundled program has some 45,000 statements. SwiftShader compiles on the CPU, about one
 * statement a millisecond, and compares every access to an invocation's memory with every other: it needs 33 s for 527
 * stores (4,743 statements), 6.6 s for 260, 1.5 s for 127.
 */
export const KERNEL_LIMITS: { readonly [K in 'software' | 'hardware']: KernelLimits } = {
  software: { statements: 50_000, perAccessPair: 1 / 7, compileMs: 60_000, compiling: 1, waiting: 8, firstWindow: 0 },
  hardware: { statements: 150_000, perAccessPair: 0, compileMs: 60_000, compiling: 4, waiting: 64, firstWindow: 0 },
};

/** For tests and measurements, which wait: only what no driver can compile has no kernel. */
export const PATIENT_LIMITS: KernelLimits = {
  ...KERNEL_LIMITS.hardware,
  compileMs: Number.POSITIVE_INFINITY,
  compiling: 16,
  waiting: Number.POSITIVE_INFINITY,
};

/** Why a kernel of this size is not compiled; undefined if it is. */
export function tooLarge({ statements, accesses }: InlinedSize, limits: KernelLimits): string | undefined {
  if (statements + limits.perAccessPair * accesses ** 2 <= limits.statements) return undefined;
  const more = limits.perAccessPair === 0 ? '' : ` with ${Math.ceil(accesses)} memory accesses`;
  return `more than ${limits.statements} statements once inlined (${statements}${more})`;
}

/** Number of calls from which compiling a program's kernel pays. */
export const FEWEST_CALLS = 2;
