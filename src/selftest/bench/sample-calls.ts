import { createHash } from 'node:crypto';
import type { GpuCall } from '../../gpu/pack/types.js';
import { MESSAGE_FUEL } from '../../program/counters.js';
import type { Program } from '../../program/types.js';
import type { ProgramName } from '../../util/built-wasm.js';
import { concatBytes, u32Bytes, u64Bytes, u128Bytes } from '../../util/bytes.js';
import { ledgerTransfer, nameRegistration, nameUpdate, Signer } from '../inputs/signed-calls.js';

/** Messages for the bundled programs, as the benchmark and the differential tests need them: many, and no two alike. */

const encoder = new TextEncoder();
const CONTRACT = { block: 2n, tx: 1n };
/**
 * Signing costs ten times what making a call does: so many signatures are made, and every call of a larger number has
 * other balances.
 */
const SIGNATURES = 2_048;
const SIGNERS = 256;

function numbers(...list: (number | bigint)[]): Uint8Array {
  return concatBytes(...list.map((n) => u128Bytes(BigInt(n))));
}

/** Context of a message to 2:1: `incoming` as (block, tx, amount), then the inputs. */
function messageContext(incoming: readonly (readonly [number, number, bigint])[], inputs: Uint8Array): Uint8Array {
  return concatBytes(numbers(2, 1, 0, 0, 4, incoming.length), ...incoming.map((a) => numbers(...a)), inputs);
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * `count` claims of an airdrop tree over that many leaves; every 16th proof is wrong, every 17th leaf was claimed
 * before.
 */
export function claimCalls(program: Program, count: number): GpuCall[] {
  const depth = Math.max(1, Math.ceil(Math.log2(Math.max(2, count))));
  const amount = (i: number): bigint => BigInt(i) * 1_000n + 1n;
  const levels = [Array.from({ length: 2 ** depth }, (_, i) => sha256(u64Bytes(BigInt(i)), u128Bytes(amount(i))))];
  for (let level = 0; level < depth; level++) {
    const below = levels[level] as Uint8Array[];
    levels.push(
      Array.from({ length: below.length / 2 }, (_, i) =>
        sha256(below[i * 2] as Uint8Array, below[i * 2 + 1] as Uint8Array),
      ),
    );
  }
  const root = { key: encoder.encode('root'), value: concatBytes(levels[depth]?.[0] as Uint8Array, u32Bytes(depth)) };
  return Array.from({ length: count }, (_, i) => {
    const proof = levels.slice(0, depth).map((level, k) => level[(i >> k) ^ 1] as Uint8Array);
    const paid = amount(i) + (i % 16 === 15 ? 1n : 0n);
    const inputs = concatBytes(numbers(1, i, paid), ...proof);
    const key = concatBytes(encoder.encode('claimed/'), numbers(i));
    const claimed = { key, value: i % 17 === 16 ? Uint8Array.of(1) : undefined };
    const context = messageContext([], inputs);
    return { program, context, height: 1, fuel: MESSAGE_FUEL, reads: [root, claimed], writes: [key] };
  });
}

/** `count` swaps, each in a pool of its own. */
export function swapCalls(program: Program, count: number): GpuCall[] {
  return Array.from({ length: count }, (_, i) => {
    const key = concatBytes(encoder.encode('pool/'), numbers(i));
    const value = numbers(2, 10, 2, 11, 10n ** 20n + BigInt(i), (1n << 90n) + BigInt(i * i), 10n ** 20n, 30);
    const context = messageContext([[2, i % 2 === 0 ? 10 : 11, 1_000_003n * BigInt(i + 1)]], numbers(3, i, 1));
    return { program, context, height: 1, fuel: MESSAGE_FUEL, reads: [{ key, value }], writes: [key] };
  });
}

/**
 * `count` transfers between accounts of {@link SIGNERS} keys; every 16th signature is wrong, every 17th nonce is not
 * the account's, every 64th account has too little. Calls that share a signature differ in the balances that they
 * see.
 */
export function ledgerCalls(program: Program, count: number): GpuCall[] {
  const signers = someSigners(count);
  const account = (signer: Signer): Uint8Array => concatBytes(encoder.encode('account/'), signer.key);
  const transfers = Array.from({ length: Math.min(count, SIGNATURES) }, (_, i) => {
    const [from, to] = [i, i + 1].map((n) => signers[n % signers.length] as Signer) as [Signer, Signer];
    const nonce = BigInt(i);
    const inputs = ledgerTransfer(CONTRACT, from, to.key, BigInt(i + 1), nonce);
    if (i % 16 === 15) inputs[inputs.length - 1] = (inputs[inputs.length - 1] as bigint) ^ 1n;
    return { from: account(from), to: account(to), nonce, amount: BigInt(i + 1), context: numbers(...inputs) };
  });
  return Array.from({ length: count }, (_, i) => {
    const { from, to, nonce, amount, context } = transfers[i % transfers.length] as (typeof transfers)[number];
    const balance = i % 64 === 63 ? amount - 1n : amount + BigInt(i);
    const reads = [
      { key: from, value: concatBytes(numbers(balance), u64Bytes(nonce + (i % 17 === 16 ? 1n : 0n))) },
      { key: to, value: i % 2 === 0 ? undefined : concatBytes(numbers(i), u64Bytes(BigInt(i))) },
    ];
    return {
      program,
      context: messageContext([], context),
      height: 1,
      fuel: MESSAGE_FUEL,
      reads,
      writes: [from, to],
    };
  });
}

/**
 * `count` calls of names: three registrations, of which every 17th name is taken, for each update; every 16th
 * signature is wrong.
 */
export function namesCalls(program: Program, count: number): GpuCall[] {
  const signers = someSigners(count);
  const updates = Array.from({ length: Math.min(Math.ceil(count / 4), SIGNATURES) }, (_, i) => {
    const owner = signers[i % signers.length] as Signer;
    const name = `u-${i}`;
    const inputs = nameUpdate(CONTRACT, owner, name, BigInt(i), u64Bytes(BigInt(i)));
    if (i % 16 === 15) inputs[4] = (inputs[4] as bigint) ^ 1n;
    return { name, owner, nonce: BigInt(i), context: numbers(...inputs) };
  });
  return Array.from({ length: count }, (_, i) => {
    const update = i % 4 === 3 ? updates[(i >> 2) % updates.length] : undefined;
    const owner = update?.owner ?? (signers[i % signers.length] as Signer);
    const data = u64Bytes(BigInt(i));
    const key = encoder.encode(`name/${update?.name ?? `n-${i}`}`);
    const taken = update !== undefined || i % 17 === 16;
    const value = taken ? concatBytes(owner.key, u64Bytes(update?.nonce ?? 0n), data) : undefined;
    const inputs = update?.context ?? numbers(...nameRegistration(`n-${i}`, owner.key, data));
    const context = messageContext([], inputs);
    return { program, context, height: 1, fuel: MESSAGE_FUEL, reads: [{ key, value }], writes: [key] };
  });
}

function someSigners(count: number): Signer[] {
  return Array.from({ length: Math.min(count, SIGNERS) }, (_, i) => new Signer('sample', i));
}

/** `count` mints; each sees its own number of mints, every 32nd the cap. */
export function mintCalls(program: Program, count: number): GpuCall[] {
  const config = { key: encoder.encode('config'), value: numbers(1_000_000, 5) };
  const key = encoder.encode('minted');
  return Array.from({ length: count }, (_, i) => {
    const minted = { key, value: numbers(i % 32 === 31 ? 1_000_000 : i) };
    const context = messageContext([], numbers(77));
    return { program, context, height: 1, fuel: MESSAGE_FUEL, reads: [config, minted], writes: [key] };
  });
}

/** `count` increments of counters of their own: light calls. */
function counterCalls(program: Program, count: number): GpuCall[] {
  return Array.from({ length: count }, (_, i) => {
    const key = concatBytes(encoder.encode('ctr/'), numbers(i));
    const context = messageContext([], numbers(4, i));
    return { program, context, height: 1, fuel: MESSAGE_FUEL, reads: [{ key, value: numbers(i) }], writes: [key] };
  });
}

/** Programs that the benchmark knows calls of. */
export const SAMPLED_PROGRAMS = ['claim', 'amm', 'mint', 'ledger', 'names', 'probe'] as const satisfies ProgramName[];

/** Calls of a program, no two alike. `independent`: they touch the same keys, so each must be given keys of its own. */
export interface Sample {
  readonly calls: (program: Program, count: number) => GpuCall[];
  readonly independent: boolean;
}

export const SAMPLES: Readonly<Record<ProgramName, Sample>> = {
  claim: { calls: claimCalls, independent: false },
  amm: { calls: swapCalls, independent: false },
  mint: { calls: mintCalls, independent: true },
  ledger: { calls: ledgerCalls, independent: true },
  names: { calls: namesCalls, independent: true },
  probe: { calls: counterCalls, independent: false },
};
