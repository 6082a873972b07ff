/** Benchmark blocks of one message per transaction, all to one contract, and the contract's state that they find. */

import type { GpuCall } from '../../gpu/pack/types.js';
import type { Program } from '../../program/types.js';
import type { SheetEntry } from '../../protocol/sheet.js';
import type { AlkaneId } from '../../protocol/types.js';
import { concatBytes, readU128, toBinaryString, u64Bytes, u128Bytes } from '../../util/bytes.js';
import { seededBytes } from '../inputs/prng.js';
import { ledgerTransfer, nameRegistration, nameUpdate, Signer } from '../inputs/signed-calls.js';
import { claimCalls, mintCalls, swapCalls } from './sample-calls.js';

/** The contract that every message of these blocks calls. */
export const CONTRACT: AlkaneId = { block: 2n, tx: 1n };

/** One transaction's message: inputs from the opcode on, and the assets that its input carries. */
export interface WorkloadMessage {
  readonly inputs: readonly bigint[];
  readonly incoming: readonly SheetEntry[];
}

export interface WorkloadMessages {
  readonly messages: readonly WorkloadMessage[];
  /** The contract's own state by key (binary string). */
  readonly storage: ReadonlyMap<string, Uint8Array>;
}

/** `count` messages to `contract`, {@link CONTRACT} if not given, whose program is `program`. */
export type MakeMessages = (program: Program, count: number, contract?: AlkaneId) => WorkloadMessages;

const encoder = new TextEncoder();
/** Keys that sign the updates of `names`: each signs for many names. */
const NAME_SIGNERS = 256;
/** How many keys the hot messages of `counter-hot` share. */
const HOT_KEYS = 16;

/** Which counter message i changes: one of its own, or one of those that all hot messages share. */
type KeyOf = (i: number) => number;
/** No two alike. */
export const own: KeyOf = (i) => i + HOT_KEYS;
/** All of them the same one. */
export const one: KeyOf = () => 0;
/** Every eighth message goes to one of 16 keys. */
export const someHot: KeyOf = (i) => (i % 8 === 0 ? (i / 8) % HOT_KEYS : own(i));
/** So many per cent of the messages, evenly spread, go to one key. */
export const partlyHot =
  (percent: number): KeyOf =>
  (i) =>
    Math.floor(((i + 1) * percent) / 100) > Math.floor((i * percent) / 100) ? 0 : own(i);

/**
 * Calls as the kernel's benchmark makes them. The first one decides about a key that all share, such as the counter
 * of `mint`.
 */
function fromCalls(makeCalls: (program: Program, count: number) => readonly GpuCall[]): MakeMessages {
  return (program, count) => {
    const storage = new Map<string, Uint8Array>();
    const messages = makeCalls(program, count).map(({ context, reads }) => {
      for (const { key, value } of reads) {
        const name = toBinaryString(key);
        if (value !== undefined && !storage.has(name)) storage.set(name, value);
      }
      return readContext(context);
    });
    return { messages, storage };
  };
}

/** The incoming assets and the inputs of an encoded context. */
function readContext(context: Uint8Array): WorkloadMessage {
  const numbers = Array.from({ length: context.length / 16 }, (_, i) => readU128(context, i * 16));
  const inputsAt = 6 + 3 * Number(numbers[5]);
  const incoming: SheetEntry[] = [];
  for (let at = 6; at < inputsAt; at += 3) {
    incoming.push({ id: { block: numbers[at], tx: numbers[at + 1] }, amount: numbers[at + 2] });
  }
  return { inputs: numbers.slice(inputsAt), incoming };
}

/**
 * Increments of counters: light calls, each of one key. Those of keys that no other call names are reused from their
 * dry runs. `more`: further inputs of every message.
 */
export function increments(keyOf: KeyOf, ...more: readonly bigint[]): MakeMessages {
  return (_, count) => ({
    messages: Array.from({ length: count }, (_, i) => ({ inputs: [4n, BigInt(keyOf(i)), ...more], incoming: [] })),
    storage: new Map(),
  });
}

/** Swaps, all in one pool: each needs the reserves that the one before has left. */
export function swapsInOnePool(program: Program, count: number): WorkloadMessages {
  const { messages, storage } = swaps(program, count);
  const [pool] = [...storage.keys()];
  const first = storage.get(pool);
  return {
    messages: messages.map(({ inputs: [opcode, _, ...rest], incoming }) => ({
      inputs: [opcode, 0n, ...rest],
      incoming,
    })),
    storage: new Map(first === undefined ? [] : [[pool, first]]),
  };
}

/** Transfers between accounts that no other message names; every 16th signature is wrong. */
export function transfers(_: Program, count: number, contract = CONTRACT): WorkloadMessages {
  const storage = new Map<string, Uint8Array>();
  const messages = Array.from({ length: count }, (_, i) => {
    const from = new Signer('ledger', i);
    const inputs = ledgerTransfer(contract, from, seededBytes('ledger', 'receiver', i), BigInt(i + 1), 0n);
    if (i % 16 === 15) inputs[inputs.length - 1] ^= 1n;
    const account = concatBytes(u128Bytes(BigInt(2 * i + 1)), u64Bytes(0n));
    storage.set(toBinaryString(concatBytes(encoder.encode('account/'), from.key)), account);
    return { inputs, incoming: [] };
  });
  return { messages, storage };
}

/** Three registrations to each signed update, all of different names; every 16th signature is wrong. */
export function registrations(_: Program, count: number, contract = CONTRACT): WorkloadMessages {
  const storage = new Map<string, Uint8Array>();
  const signers = Array.from({ length: NAME_SIGNERS }, (_, i) => new Signer('names', i));
  const messages = Array.from({ length: count }, (_, i) => {
    const owner = signers[i % NAME_SIGNERS];
    const data = u64Bytes(BigInt(i));
    if (i % 4 !== 3) return { inputs: nameRegistration(`n-${i}`, owner.key, data), incoming: [] };
    const inputs = nameUpdate(contract, owner, `u-${i}`, 0n, data);
    if ((i >> 2) % 16 === 15) inputs[4] ^= 1n;
    storage.set(toBinaryString(encoder.encode(`name/u-${i}`)), concatBytes(owner.key, u64Bytes(0n)));
    return { inputs, incoming: [] };
  });
  return { messages, storage };
}

export const claims = fromCalls(claimCalls);
export const swaps = fromCalls(swapCalls);
export const mints = fromCalls(mintCalls);
