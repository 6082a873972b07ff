import { FIELD } from './curve.js';

/**
 * A field element of the kernel: 20 limbs of 13 bits, two per word (the lower limb in the low half). Its value is below
 * 2^256 or slightly above.
 */
export const LIMBS = 20;
export const LIMB_BITS = 13;
export const ELEMENT_WORDS = LIMBS / 2;

const LIMB = 2 ** LIMB_BITS;

/**
 * 13-bit digits of a value below 2^260, lowest first. Takes four at a time, because BigInt is slow and there are
 * thousands of points.
 */
function digits(value: bigint): number[] {
  const out: number[] = [];
  for (let rest = value; out.length < LIMBS; rest >>= BigInt(4 * LIMB_BITS)) {
    let four = Number(BigInt.asUintN(4 * LIMB_BITS, rest));
    for (let i = 0; i < 4; i++, four = Math.floor(four / LIMB)) out.push(four % LIMB);
  }
  return out;
}

function packed(limbs: readonly number[]): number[] {
  return Array.from({ length: ELEMENT_WORDS }, (_, i) => (limbs[2 * i] ?? 0) + (limbs[2 * i + 1] ?? 0) * 65_536);
}

/** The words of a field element. */
export function elementWords(value: bigint): number[] {
  return packed(digits(value));
}

/**
 * Limbs of a multiple of p, each in [floor, floor + 2^13), the last from a sixteenth of that on: the minuend of a
 * subtraction that never borrows from the next limb, as long as no subtracted limb exceeds `floor`.
 */
export function minuendLimbs(floor: number): number[] {
  const floors = Array.from({ length: LIMBS }, (_, i) => (i === LIMBS - 1 ? floor / 16 : floor));
  const base = floors.reduce((sum, limb, i) => sum + (BigInt(limb) << BigInt(i * LIMB_BITS)), 0n);
  const missing = (FIELD - (base % FIELD)) % FIELD;
  return digits(missing).map((digit, i) => digit + (floors[i] ?? 0));
}

export function minuendWords(floor: number): number[] {
  return packed(minuendLimbs(floor));
}
