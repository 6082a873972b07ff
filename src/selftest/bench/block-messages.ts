/** The messages of a benchmark block, by workload, and the contract's state that they find. */

import type { GpuCall } from '../../gpu/pack/types.js';
import type { Program } from '../../program/types.js';
import type { SheetEntry } from '../../protocol/sheet.js';
import type { AlkaneId } from '../../protocol/types.js';
import type { ProgramName } from '../../util/built-wasm.js';
import { concatBytes, readU128, toBinaryString, u64Bytes, u128Bytes } from '../../util/bytes.js';
import { seededBytes } from '../inputs/prng.js';
import { ledgerTransfer, nameRegistration, nameUpdate, Signer } from '../inputs/signed-calls.js';
import { claimCalls, mintCalls, swapCalls } from './sample-calls.js';

/** The contract that every message of a workload calls. */
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

export interface Workload {
  readonly program: ProgramName;
  readonly make: (program: Program, count: number) => WorkloadMessages;
}

const encoder = new TextEncoder();
/** Keys that sign the updates of `names`: each signs for many names. */
const NAME_SIGNERS = 256;
/** Of `counter-hot`: every how manieth message goes to a hot key, and how many of these there are. */
const HOT_EVERY = 8;
const HOT_KEYS = 16;

/** Spreads messages over keys of their own, or every {@link HOT_EVERY}th over {@link HOT_KEYS} that they share. */
type KeyOf = (i: number) => number;
const own: KeyOf = (i) => i;
const someHot: KeyOf = (i) => (i % HOT_EVERY === 0 ? (i / HOT_EVERY) % HOT_KEYS : i + HOT_KEYS);

/**
 * Calls as the kernel's benchmark makes them. The first one decides about a key that all share, such as the counter
 * of `mint`.
 */
function fromCalls(makeCalls: (program: Program, count: number) => readonly GpuCall[]): Workload['make'] {
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

/** Increments: light calls, each of one key. Those of keys that no other call names are reused from their dry runs. */
function increments(keyOf: KeyOf): Workload['make'] {
  return (_, count) => ({
    messages: Array.from({ length: count }, (_, i) => ({ inputs: [4n, BigInt(keyOf(i))], incoming: [] })),
    storage: new Map(),
  });
}

/** Transfers between accounts that no other message names; every 16th signature is wrong. */
function transfers(_: Program, count: number): WorkloadMessages {
  const storage = new Map<string, Uint8Array>();
  const messages = Array.from({ length: count }, (_, i) => {
    const from = new Signer('ledger', i);
    const inputs = ledgerTransfer(CONTRACT, from, seededBytes('ledger', 'receiver', i), BigInt(i + 1), 0n);
    if (i % 16 === 15) inputs[inputs.length - 1] ^= 1n;
    const account = concatBytes(u128Bytes(BigInt(2 * i + 1)), u64Bytes(0n));
    storage.set(toBinaryString(concatBytes(encoder.encode('account/'), from.key)), account);
    return { inputs, incoming: [] };
  });
  return { messages, storage };
}

/** Three registrations to each signed update, all of different names; every 16th signature is wrong. */
function registrations(_: Program, count: number): WorkloadMessages {
  const storage = new Map<string, Uint8Array>();
  const signers = Array.from({ length: NAME_SIGNERS }, (_, i) => new Signer('names', i));
  const messages = Array.from({ length: count }, (_, i) => {
    const owner = signers[i % NAME_SIGNERS];
    const data = u64Bytes(BigInt(i));
    if (i % 4 !== 3) return { inputs: nameRegistration(`n-${i}`, owner.key, data), incoming: [] };
    const inputs = nameUpdate(CONTRACT, owner, `u-${i}`, 0n, data);
    if ((i >> 2) % 16 === 15) inputs[4] ^= 1n;
    storage.set(toBinaryString(encoder.encode(`name/u-${i}`)), concatBytes(owner.key, u64Bytes(0n)));
    return { inputs, incoming: [] };
  });
  return { messages, storage };
}

export const WORKLOADS = {
  claim: { program: 'claim', make: fromCalls(claimCalls) },
  amm: { program: 'amm', make: fromCalls(swapCalls) },
  mint: { program: 'mint', make: fromCalls(mintCalls) },
  ledger: { program: 'ledger', make: transfers },
  names: { program: 'names', make: registrations },
  counter: { program: 'probe', make: increments(own) },
  'counter-hot': { program: 'probe', make: increments(someHot) },
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof WORKLOADS;

export function isWorkload(name: string): name is WorkloadName {
  return Object.hasOwn(WORKLOADS, name);
}

export const WORKLOAD_NAMES: readonly WorkloadName[] = Object.keys(WORKLOADS).filter(isWorkload);
