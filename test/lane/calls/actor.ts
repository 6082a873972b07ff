/** Scripts for wasm/calls/actor.ts, which does what its inputs say, and what a world knows of such contracts. */
import { readFileSync } from 'node:fs';
import type { CallKind } from '../../../src/program/types.js';
import { parseId } from '../../../src/protocol/alkane-id.js';
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

const KINDS: Readonly<Record<CallKind, bigint>> = { call: 0n, delegatecall: 1n, staticcall: 2n };

const id = (text: string): bigint[] => {
  const { block, tx } = parseId(text);
  return [block, tx];
};

/** Writes the value, 0: deletes, when the frame ends. */
export const put = (key: number | bigint, value: number | bigint): Script => [1n, BigInt(key), BigInt(value)];
/** Logs the value. */
export const read = (key: number | bigint): Script => [2n, BigInt(key)];
export const transfer = (asset: string, amount: bigint): Script => [4n, ...id(asset), amount];
export const ABORT: Script = [5n];
export const TRAP: Script = [6n];
export const burn = (turns: number): Script => [7n, BigInt(turns)];
/** Logs the bytes of the last return data. */
export const RETURNED: Script = [8n];
export const balance = (who: string, what: string): Script => [9n, ...id(who), ...id(what)];
/** Logs the sequence number. */
export const SEQUENCE: Script = [10n];

export interface CallOptions {
  readonly parcel?: readonly Asset[];
  readonly checkpoint?: readonly (readonly [key: number | bigint, value: number | bigint])[];
}

/** Calls; logs the bytes of data that came back, then these. */
export function makeCall(kind: CallKind, target: string, steps: readonly Script[], options: CallOptions = {}): Script {
  const { parcel = [], checkpoint = [] } = options;
  const inputs = steps.flat();
  return [
    ...[3n, KINDS[kind], ...id(target)],
    ...[BigInt(parcel.length), ...parcel.flatMap(([asset, amount]) => [...id(asset), amount])],
    ...[BigInt(checkpoint.length), ...checkpoint.flatMap(([key, value]) => [BigInt(key), BigInt(value)])],
    ...[BigInt(inputs.length), ...inputs],
  ];
}

/** The key of an actor's storage. */
export function actorKey(key: number | bigint): Uint8Array {
  return concatBytes(Uint8Array.of(0x6b), u128Bytes(BigInt(key)));
}

/** What an actor's storage has; 0 for none. */
export function stored(world: World, contract: string, key: number | bigint): bigint {
  const value = world.storage(contract, actorKey(key));
  return value === undefined ? 0n : readU128(value, 0);
}

/** Data as the numbers that it is made of. */
export function numbers(data: string): bigint[] {
  const bytes = fromHex(data);
  return Array.from({ length: bytes.length / 16 }, (_, i) => readU128(bytes, 16 * i));
}
