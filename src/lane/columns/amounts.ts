/** Amounts where they lie: u128, little-endian, 16 bytes. */

export const AMOUNT_BYTES = 16;

export function isZero(bytes: DataView, at: number): boolean {
  for (let i = 0; i < AMOUNT_BYTES; i += 4) if (bytes.getInt32(at + i, true) !== 0) return false;
  return true;
}

/** Below 0, 0 or above, as the first number is less than, equal to or greater than the second. */
export function compareAmounts(a: DataView, atA: number, b: DataView, atB: number): number {
  for (let i = AMOUNT_BYTES - 4; i >= 0; i -= 4) {
    const difference = a.getUint32(atA + i, true) - b.getUint32(atB + i, true);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Writes the sum to `out`, which may be one of the two; false if it passes u128. */
export function addAmounts(a: DataView, atA: number, b: DataView, atB: number, out: DataView, atOut: number): boolean {
  let carry = 0;
  for (let i = 0; i < AMOUNT_BYTES; i += 4) {
    const sum = a.getUint32(atA + i, true) + b.getUint32(atB + i, true) + carry;
    out.setUint32(atOut + i, sum, true);
    carry = sum > 0xffffffff ? 1 : 0;
  }
  return carry === 0;
}

/** Writes the first number less the second, which is not greater, to `out`, which may be one of the two. */
export function subtractAmounts(
  a: DataView,
  atA: number,
  b: DataView,
  atB: number,
  out: DataView,
  atOut: number,
): void {
  let borrow = 0;
  for (let i = 0; i < AMOUNT_BYTES; i += 4) {
    const difference = a.getUint32(atA + i, true) - b.getUint32(atB + i, true) - borrow;
    out.setUint32(atOut + i, difference, true);
    borrow = difference < 0 ? 1 : 0;
  }
}
