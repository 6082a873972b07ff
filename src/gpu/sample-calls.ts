import { createHash } from 'node:crypto';
import { MESSAGE_FUEL, type Program } from '../program/types.js';
import { concatBytes, u32Bytes, u64Bytes, u128Bytes } from '../util/bytes.js';
import type { GpuCall } from './types.js';

/** Messages for the bundled programs, as the benchmark and the differential tests need them: many, and no two alike. */

const encoder = new TextEncoder();

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

/** `count` claims of an airdrop tree over that many leaves; every 16th proof is wrong, every 17th leaf was claimed before. */
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
