/** The functions of `env` in the kernel: what program/env.ts names has its row here, or does not compile. */
import type { EnvName } from '../../program/env.js';
import type { PartName } from './intrinsics.js';

export interface KernelFunction {
  /** Name of the WGSL function. */
  readonly name: string;
  /**
   * Statements that each call site adds to a kernel, because shader compilers inline it there: a driver would need
   * minutes for a program with many call sites.
   */
  readonly statements: number;
  /** What the kernel must contain beside kernels/host.wgsl. */
  readonly needs: readonly PartName[];
}

/** A function of kernels/host.wgsl. */
function host(name: string): KernelFunction {
  return { name, statements: 150, needs: [] };
}

/** The kernel has no such function: a call of it is a PUNT. */
const NONE = undefined;

const KERNEL_FUNCTIONS: Readonly<Record<EnvName, KernelFunction | undefined>> = {
  abort: host('host_abort'),
  __request_storage: host('host_request_storage'),
  __load_storage: host('host_load_storage'),
  __request_context: host('host_request_context'),
  __load_context: host('host_load_context'),
  __request_transaction: NONE,
  __load_transaction: NONE,
  __request_block: NONE,
  __load_block: NONE,
  __sequence: NONE,
  __fuel: host('host_fuel'),
  __height: host('host_height'),
  __balance: NONE,
  __returndatacopy: host('host_returndatacopy'),
  // Receipts tell what contracts say: the CPU writes it down.
  __log: NONE,
  __call: NONE,
  __delegatecall: NONE,
  __staticcall: NONE,
  __is_dry_run: host('host_is_dry_run'),
  __record_get: host('host_record_get'),
  __record_put: host('host_record_put'),
  __sha256: { name: 'host_sha256', statements: 3_750, needs: ['sha256'] },
  __sha256d: { name: 'host_sha256d', statements: 3_750, needs: ['sha256'] },
  __u128_mul_div: { name: 'host_u128_mul_div', statements: 750, needs: ['mul-div'] },
  __schnorr_verify: { name: 'host_schnorr_verify', statements: 25_000, needs: ['sha256', 'secp256k1'] },
};

/** The kernel function for an import of `env`; undefined if there is none. */
export function kernelFunction(name: string): KernelFunction | undefined {
  return Object.hasOwn(KERNEL_FUNCTIONS, name) ? KERNEL_FUNCTIONS[name as EnvName] : undefined;
}

/** {@link KernelFunction.statements} by WGSL name. */
export const KERNEL_STATEMENTS: ReadonlyMap<string, number> = new Map(
  Object.values(KERNEL_FUNCTIONS).flatMap((fn) => (fn === undefined ? [] : [[fn.name, fn.statements]])),
);

/** What a program that imports `names` needs in its kernel. */
export function neededParts(names: readonly string[]): ReadonlySet<PartName> {
  return new Set(names.flatMap((name) => kernelFunction(name)?.needs ?? []));
}
