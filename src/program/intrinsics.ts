/** Lane rules 6: what is native code on the CPU and hand-written WGSL in the kernel, with one meaning. */
import { sha256 } from '../store/sha256.js';
import { readU128, U128_MAX, u128Bytes } from '../util/bytes.js';
import { schnorrVerify } from './schnorr.js';

/** What an intrinsic may do with the run that calls it; every function ends the run where the rules say so. */
export interface IntrinsicHost {
  /** A copy of the buffer at `pointer`. */
  input(pointer: number): Uint8Array;
  /** A copy of the buffer at `pointer`, which must have exactly `length` bytes. */
  inputOf(pointer: number, length: number): Uint8Array;
  charge(amount: number): void;
  checkOutput(pointer: number, length: number): void;
  /** Writes length word and data where {@link IntrinsicHost.checkOutput} has said yes. */
  output(pointer: number, data: Uint8Array): void;
}

const HASH_BYTES = 32;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const U128_BYTES = 16;

const HASH_FUEL = 60;
const HASH_FUEL_PER_BLOCK = 60;
const HASH_BLOCK_BYTES = 64;
const MUL_DIV_FUEL = 60;
const SCHNORR_FUEL = 100_000;

/**
 * The intrinsics of `env`. Each reads its inputs in the order of its parameters (pointer, then length of each), charges, checks where it
 * writes, whether it will write or not, then works on its copies: so an output may overlap the inputs.
 */
export function intrinsicImports(host: IntrinsicHost): Record<string, (...args: never[]) => number | undefined> {
  const hash = (digest: (data: Uint8Array) => Uint8Array) => (pointer: number, out: number) => {
    const data = host.input(pointer);
    host.charge(HASH_FUEL + HASH_FUEL_PER_BLOCK * Math.ceil(data.length / HASH_BLOCK_BYTES));
    host.checkOutput(out, HASH_BYTES);
    host.output(out, digest(data));
    return undefined;
  };
  return {
    __sha256: hash(sha256),
    __sha256d: hash((data) => sha256(sha256(data))),
    __u128_mul_div: (a: number, b: number, c: number, out: number) => {
      const numbers = [a, b, c].map((pointer) => readU128(host.inputOf(pointer, U128_BYTES), 0));
      host.charge(MUL_DIV_FUEL);
      host.checkOutput(out, U128_BYTES);
      const quotient = mulDiv(numbers[0], numbers[1], numbers[2]);
      if (quotient === undefined) return 0;
      host.output(out, u128Bytes(quotient));
      return 1;
    },
    __schnorr_verify: (message: number, key: number, signature: number) => {
      const hashed = host.inputOf(message, HASH_BYTES);
      const keyBytes = host.inputOf(key, KEY_BYTES);
      const signatureBytes = host.inputOf(signature, SIGNATURE_BYTES);
      host.charge(SCHNORR_FUEL);
      return schnorrVerify(hashed, keyBytes, signatureBytes) ? 1 : 0;
    },
  };
}

/** ⌊a · b / c⌋, or undefined if c is 0 or the quotient exceeds 128 bits. */
function mulDiv(a: bigint, b: bigint, c: bigint): bigint | undefined {
  if (c === 0n) return undefined;
  const quotient = (a * b) / c;
  return quotient > U128_MAX ? undefined : quotient;
}
