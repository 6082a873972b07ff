/**
 * The functions that a program may import from `env`: names, signatures and prices in one place (lane rules 3, 5 and
 * 6). The host functions charge by this table and the kernel gets its constants from it.
 */

/** What every host call costs, whatever it does. */
export const HOST_CALL_FUEL = 100;

export interface EnvFunction {
  /** Parameters and result, e.g. `(i32,i32)->i32`. */
  readonly signature: string;
  /** Fuel beside {@link HOST_CALL_FUEL}. */
  readonly fuel: number;
  /** Fuel for each started `unit` bytes of what the call works on: see {@link hostFuel}. */
  readonly perUnit: number;
  readonly unit: number;
}

function price(signature: string, fuel = 0, perUnit = 0, unit = 1): EnvFunction {
  return { signature, fuel, perUnit, unit };
}

export const ENV = {
  abort: price('(i32,i32,i32,i32)->()'),
  __request_storage: price('(i32)->i32', 2_000, 1),
  __load_storage: price('(i32,i32)->i32', 500, 2),
  __request_context: price('()->i32'),
  __load_context: price('(i32)->i32', 0, 2),
  __request_transaction: price('()->i32'),
  __load_transaction: price('(i32)->()', 1_000, 1, 8),
  __request_block: price('()->i32'),
  __load_block: price('(i32)->()', 1_000, 1, 8),
  __sequence: price('(i32)->()'),
  __fuel: price('(i32)->()'),
  __height: price('(i32)->()'),
  __balance: price('(i32,i32,i32)->()', 2_000),
  __returndatacopy: price('(i32)->()', 0, 2),
  __log: price('(i32)->()', 0, 1),
  __call: price('(i32,i32,i32,i64)->i32'),
  __delegatecall: price('(i32,i32,i32,i64)->i32'),
  __staticcall: price('(i32,i32,i32,i64)->i32'),
  __is_dry_run: price('()->i32'),
  __record_get: price('(i32)->()', 500, 1),
  __record_put: price('(i32)->()', 500, 1),
  __sha256: price('(i32,i32)->()', 200, 100, 64),
  __sha256d: price('(i32,i32)->()', 200, 100, 64),
  __u128_mul_div: price('(i32,i32,i32,i32)->i32', 200),
  __schnorr_verify: price('(i32,i32,i32)->i32', 150_000),
} as const satisfies Readonly<Record<string, EnvFunction>>;

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
