import { isXOnlyPoint, verifySchnorr } from 'tiny-secp256k1';
import { InternalError } from '../errors/errors.js';
import { fromHex } from '../util/bytes.js';

/** Order of the group of secp256k1, big-endian. */
const ORDER = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const HALF_BYTES = 32;

/**
 * Whether `signature` (64 bytes) is a BIP340 signature of `message` (32 bytes) under the x-only `key` (32 bytes), by
 * libsecp256k1. Never throws, whatever a program passes in: a key that is not on the curve, r ≥ p and s ≥ n are false.
 * Throws {@link InternalError} if the library fails.
 */
export function schnorrVerify(message: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean {
  // The library throws for values out of range. It wants r below n, BIP340 below p; but a valid signature with an r in
  // between cannot be found: only one point in 2^128 has such an x.
  if (!belowOrder(signature, 0) || !belowOrder(signature, HALF_BYTES)) return false;
  try {
    // The key is not left to verifySchnorr: one that is not on the curve makes it throw through its own WebAssembly
    // frames, which loses a piece of its stack each time, until after some thousands of them every call fails.
    return isXOnlyPoint(key) && verifySchnorr(message, key, signature);
  } catch (cause) {
    // Never to be taken for a trap of the program that called.
    throw new InternalError('this machine could not verify a signature', { cause });
  }
}

function belowOrder(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < HALF_BYTES; i++) {
    const difference = bytes[at + i] - ORDER[i];
    if (difference !== 0) return difference < 0;
  }
  return false;
}
