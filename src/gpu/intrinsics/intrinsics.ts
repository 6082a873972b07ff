import { kernelText } from './kernel-text.js';
import { schnorrData } from './secp256k1/data.js';
import { fieldWgsl } from './secp256k1/text.js';

/** Kernel function of each intrinsic of `env`, by import name. */
export const INTRINSIC_FUNCTIONS: Readonly<Record<string, string>> = {
  __sha256: 'host_sha256',
  __sha256d: 'host_sha256d',
  __u128_mul_div: 'host_u128_mul_div',
  __schnorr_verify: 'host_schnorr_verify',
};

/**
 * Statements that each call site of an intrinsic adds to a kernel, because shader compilers inline it there: a driver
 * would need minutes for a program with many call sites.
 */
export const INTRINSIC_STATEMENTS: Readonly<Record<string, number>> = {
  __sha256: 3_750,
  __sha256d: 3_750,
  __u128_mul_div: 750,
  __schnorr_verify: 25_000,
};

/** What a kernel needs beyond its program to call the intrinsics it imports. */
export interface IntrinsicParts {
  readonly wgsl: string;
  /** Words for `program_data`, from the given index on. */
  readonly data: Uint32Array;
}

/**
 * The parts for a program that imports `names`, with their data from word `at` of `program_data` on. Empty if it
 * imports no intrinsic.
 */
export function intrinsicParts(names: ReadonlySet<string>, at: number): IntrinsicParts {
  const schnorr = names.has('__schnorr_verify');
  const hash = schnorr || names.has('__sha256') || names.has('__sha256d');
  const texts: string[] = [];
  const data: number[] = [];
  let words = new Uint32Array(0);
  if (hash) {
    texts.push(`const SHA_CONSTANTS_AT = ${at}u;`, kernelText('sha256'));
    data.push(...shaConstants());
  }
  if (names.has('__u128_mul_div')) texts.push(kernelText('mul-div'));
  if (schnorr) {
    const more = schnorrData();
    texts.push(fieldWgsl(more, `${at + data.length}u`), kernelText('secp256k1'));
    words = new Uint32Array(data.length + more.words.length);
    words.set(more.words, data.length);
  } else {
    words = new Uint32Array(data.length);
  }
  words.set(data);
  return { wgsl: texts.join('\n'), data: words };
}

/** First 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4). */
function shaConstants(): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => {
    // The largest root with root³ ≤ prime · 2^96, bit by bit.
    let root = 0n;
    for (let bit = 1n << 34n; bit > 0n; bit >>= 1n) {
      const next = root | bit;
      if (next ** 3n <= BigInt(prime) << 96n) root = next;
    }
    return Number(root & 0xffff_ffffn);
  });
}
