/**
 * The functions that a program may import from `env`: names, signatures and prices in one place (lane rules 3, 5 and
 * 6). The check of imports, the host functions, the kernel's constants and the tables of docs/lane-rules.md come from
 * it. What each function does is complete by its type: on the CPU in host-functions.ts and intrinsics.ts, in the kernel
 * in gpu/intrinsics/kernel-functions.ts.
 */

/** What every host call costs, whatever it does. */
export const HOST_CALL_FUEL = 100;

interface Price {
  /** Fuel beside {@link HOST_CALL_FUEL}. */
  readonly fuel: number;
  /** Fuel for each started `unit` bytes of what the call works on: see {@link hostFuel}. */
  readonly perUnit: number;
  readonly unit: number;
  /** What those bytes are, in words; empty where there is no doubt. */
  readonly of: string;
}

export interface EnvFunction extends Price {
  /** Parameters and result, e.g. `(i32,i32)->i32`. */
  readonly signature: string;
  /** Parameters and result in words, for the documentation. */
  readonly about: string;
}

function fn(signature: string, about: string, price: Partial<Price> = {}): EnvFunction {
  return { signature, about, fuel: 0, perUnit: 0, unit: 1, of: '', ...price };
}

const STORED = 'key and value';
const HASHED = { fuel: 200, perUnit: 100, unit: 64, of: '`in`' };
/** A transaction or a block. */
const LOADED = { fuel: 1_000, perUnit: 1, unit: 8 };
const DECLARED = { fuel: 500, perUnit: 1 };
const CALL = '(cellpack, parcel, checkpoint, ignored): bytes of return data; see 9';

/** Lane rules 5.4. */
export const HOST_FUNCTIONS = {
  abort: fn('(i32,i32,i32,i32)->()', 'reads nothing, pays, ends the run'),
  __request_storage: fn('(i32)->i32', '(key): length of the value', { fuel: 2_000, perUnit: 1, of: STORED }),
  __load_storage: fn('(i32,i32)->i32', '(key, out): out', { fuel: 500, perUnit: 2, of: STORED }),
  __request_context: fn('()->i32', 'length of the context'),
  __load_context: fn('(i32)->i32', '(out): out', { perUnit: 2 }),
  __request_transaction: fn('()->i32', 'length of the transaction'),
  __load_transaction: fn('(i32)->()', '(out), with witnesses', LOADED),
  __request_block: fn('()->i32', 'length of the block'),
  __load_block: fn('(i32)->()', '(out), with witnesses', LOADED),
  __sequence: fn('(i32)->()', '(out): u128'),
  __fuel: fn('(i32)->()', '(out): u64, what is left after its own charge'),
  __height: fn('(i32)->()', '(out): u64'),
  __balance: fn('(i32,i32,i32)->()', '(who, what, out): u128, or 0 bytes for none', { fuel: 2_000 }),
  __returndatacopy: fn('(i32)->()', '(out): return data of the last call of this frame', { perUnit: 2 }),
  __log: fn('(i32)->()', '(text), any bytes', { perUnit: 1 }),
  __call: fn('(i32,i32,i32,i64)->i32', CALL, { fuel: 5_000 }),
  __delegatecall: fn('(i32,i32,i32,i64)->i32', CALL, { fuel: 5_000 }),
  __staticcall: fn('(i32,i32,i32,i64)->i32', CALL, { fuel: 5_000 }),
  __is_dry_run: fn('()->i32', '0 but in a dry run'),
  __record_get: fn('(i32)->()', '(key)', DECLARED),
  __record_put: fn('(i32)->()', '(key)', DECLARED),
} as const satisfies Readonly<Record<string, EnvFunction>>;

/** Lane rules 6.1. */
export const INTRINSICS = {
  __sha256: fn('(i32,i32)->()', '(in, out): 32 bytes', HASHED),
  __sha256d: fn('(i32,i32)->()', '(in, out): 32 bytes, SHA-256 of SHA-256', HASHED),
  __u128_mul_div: fn('(i32,i32,i32,i32)->i32', '(a, b, c, out): see 6.4', { fuel: 200 }),
  __schnorr_verify: fn('(i32,i32,i32)->i32', '(message, key, signature): see 6.5', { fuel: 150_000 }),
} as const satisfies Readonly<Record<string, EnvFunction>>;

export const ENV = { ...HOST_FUNCTIONS, ...INTRINSICS } as const;

export type IntrinsicName = keyof typeof INTRINSICS;
export type EnvName = keyof typeof ENV;
export const ENV_NAMES = Object.keys(ENV) as readonly EnvName[];

/**
 * Fuel of a call of `name`, its {@link HOST_CALL_FUEL} included. `bytes`: what it reads or writes where that counts
 * (key and value of a storage call, the data otherwise).
 */
export function hostFuel(name: EnvName, bytes = 0): number {
  const { fuel, perUnit, unit }: EnvFunction = ENV[name];
  return HOST_CALL_FUEL + fuel + perUnit * Math.ceil(bytes / unit);
}

/** Names a program may import from `env` with their signatures (lane rules 3). */
export const ENV_IMPORTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ENV).map(([name, { signature }]) => [name, signature]),
);
