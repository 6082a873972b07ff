/** Short names for what an actor (wasm/calls/actor.ts) does, and what a world knows of such contracts. */
import { readFileSync } from 'node:fs';
import type { CallKind } from '../../../src/program/types.js';
import { parseId } from '../../../src/protocol/alkane-id.js';
import { actorInputs } from '../../../src/selftest/inputs/actor-script.js';
import { concatBytes, fromHex, readU128, u128Bytes } from '../../../src/util/bytes.js';
import type { World } from '../world.js';

export type CallsProgram = 'actor' | 'bank' | 'burner' | 'factory' | 'pool' | 'proxy' | 'recursion' | 'thief';

/** A contract of wasm/calls/ as it was built. */
export function callsProgram(name: CallsProgram): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../dist/wasm/calls/${name}.wasm`, import.meta.url)));
}

export const ACTOR = callsProgram('actor');

/** Inputs of an actor. */
export type Script = readonly bigint[];
export type Asset = readonly [id: string, amount: bigint];

const assetOf = ([id, amount]: Asset) => ({ id: parseId(id), amount });

/** Writes the value, 0: deletes, when the frame ends. */
export const put = (key: number, value: number): Script =>
  actorInputs([{ do: 'put', entry: [BigInt(key), BigInt(value)] }]);
/** Logs the value. */
export const read = (key: number): Script => actorInputs([{ do: 'read', key: BigInt(key) }]);
export const transfer = (id: string, amount: bigint): Script =>
  actorInputs([{ do: 'transfer', asset: assetOf([id, amount]) }]);
export const ABORT: Script = actorInputs([{ do: 'abort' }]);
export const TRAP: Script = actorInputs([{ do: 'trap' }]);
export const burn = (turns: number): Script => actorInputs([{ do: 'burn', turns: BigInt(turns) }]);
/** Logs the bytes of the last return data. */
export const RETURNED: Script = actorInputs([{ do: 'returned' }]);
export const balance = (who: string, what: string): Script =>
  actorInputs([{ do: 'balance', who: parseId(who), what: parseId(what) }]);
/** Logs the sequence number. */
export const SEQUENCE: Script = actorInputs([{ do: 'sequence' }]);

export interface CallOptions {
  readonly parcel?: readonly Asset[];
  readonly checkpoint?: readonly (readonly [key: number, value: number])[];
}

/** Calls; logs the bytes of data that came back, then these. */
export function makeCall(kind: CallKind, target: string, steps: readonly Script[], options: CallOptions = {}): Script {
  const { parcel = [], checkpoint = [] } = options;
  const call = {
    ...({ do: 'call', kind, target: parseId(target), steps: [] } as const),
    parcel: parcel.map(assetOf),
    checkpoint: checkpoint.map(([key, value]) => [BigInt(key), BigInt(value)] as const),
  };
  const inputs = steps.flat();
  return [...actorInputs([call]).slice(0, -1), BigInt(inputs.length), ...inputs];
}

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
