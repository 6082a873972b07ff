/** What a world knows of actors (wasm/calls/actor.ts), and the short names of what they do. */

import { callsProgram } from '../../../src/util/built-wasm.js';
import { concatBytes, fromHex, readU128, u128Bytes } from '../../../src/util/bytes.js';
import type { World } from '../world.js';

export {
  ABORT,
  type Asset,
  balance,
  burn,
  makeCall,
  put,
  RETURNED,
  read,
  type Script,
  SEQUENCE,
  TRAP,
  transfer,
} from '../../../src/selftest/inputs/actor-steps.js';
export { callsProgram };

export const ACTOR = callsProgram('actor');

/** The key of an actor's storage. */
export function actorKey(key: number): Uint8Array {
  return concatBytes(Uint8Array.of(0x6b), u128Bytes(BigInt(key)));
}

/** What an actor's storage has; 0 for none. */
export function stored(world: World, contract: string, key: number): bigint {
  const value = world.storage(contract, actorKey(key));
  return value === undefined ? 0n : readU128(value, 0);
}

/** Data as the numbers that it is made of. */
export function numbers(data: string): bigint[] {
  const bytes = fromHex(data);
  return Array.from({ length: bytes.length / 16 }, (_, i) => readU128(bytes, 16 * i));
}
