/** Amounts where they lie: u128, little-endian, 16 bytes. */
import { readU32, writeU32 } from '../../util/bytes.js';

export const AMOUNT_BYTES = 16;

export function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < AMOUNT_BYTES; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

/** Below 0, 0 or above, as the first number is less than, equal to or greater than the second. */
export function compareAmounts(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  for (let i = AMOUNT_BYTES - 1; i >= 0; i--) {
    const difference = a[atA + i] - b[atB + i];
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Writes the sum to `out`, which may be one of the two; false if it passes u128. */
export function addAmounts(
  a: Uint8Array,
  atA: number,
  b: Uint8Array,
  atB: number,
  out: Uint8Array,
  atOut: number,
): boolean {
  let carry = 0;
  for (let i = 0; i < AMOUNT_BYTES; i += 4) {
    const sum = readU32(a, atA + i) + readU32(b, atB + i) + carry;
    writeU32(out, atOut + i, sum);
    carry = sum > 0xffffffff ? 1 : 0;
  }
  return carry === 0;
}

/** Writes the first number less the second, which is not greater, to `out`, which may be one of the two. */
export function subtractAmounts(
  a: Uint8Array,
  atA: number,
  b: Uint8Array,
  atB: number,
  out: Uint8Array,
  atOut: number,
): void {
  let borrow = 0;
  for (let i = 0; i < AMOUNT_BYTES; i += 4) {
    const difference = readU32(a, atA + i) - readU32(b, atB + i) - borrow;
    writeU32(out, atOut + i, difference);
    borrow = difference < 0 ? 1 : 0;
  }
}
