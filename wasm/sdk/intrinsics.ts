// What the host computes natively (docs/lane-rules.md, "Intrinsics"). Arguments are buffers with their length words.
import * as u128 from './u128';

/** SHA-256 of the buffer `data` into the buffer `out` of 32 bytes. */
@external('env', '__sha256')
export declare function sha256(data: usize, out: usize): void;
/** SHA-256 of SHA-256. */
@external('env', '__sha256d')
export declare function sha256d(data: usize, out: usize): void;
@external('env', '__u128_mul_div')
declare function hostMulDiv(a: usize, b: usize, c: usize, out: usize): i32;
@external('env', '__schnorr_verify')
declare function hostSchnorrVerify(message: usize, key: usize, signature: usize): i32;

/** Three operands and the result: a length word and a number each. */
const NUMBERS: usize = memory.data<u32>([16, 0, 0, 0, 0, 16, 0, 0, 0, 0, 16, 0, 0, 0, 0, 16, 0, 0, 0, 0], 8) + 4;
const STEP: usize = 20;

/**
 * out = ⌊a · b / c⌋ of plain numbers (addresses without length words). False, and out untouched, if c is 0 or it
 * exceeds 128 bits.
 */
export function mulDiv(out: usize, a: usize, b: usize, c: usize): bool {
  u128.copy(NUMBERS, a);
  u128.copy(NUMBERS + STEP, b);
  u128.copy(NUMBERS + 2 * STEP, c);
  if (hostMulDiv(NUMBERS, NUMBERS + STEP, NUMBERS + 2 * STEP, NUMBERS + 3 * STEP) == 0) return false;
  u128.copy(out, NUMBERS + 3 * STEP);
  return true;
}

/** Whether the buffer `signature` (64 bytes) is a BIP340 signature of `message` (32) under the x-only `key` (32). */
export function schnorrVerify(message: usize, key: usize, signature: usize): bool {
  return hostSchnorrVerify(message, key, signature) != 0;
}
