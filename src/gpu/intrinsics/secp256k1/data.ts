import { createHash } from 'node:crypto';
import { type AffinePoint, addAll, endomorphism, FIELD, GENERATOR, type LatticeVector, ORDER } from './curve.js';
import { elementWords, minuendWords } from './limbs.js';
import { MONTGOMERY_SQUARED, scalarProgram } from './order.js';
import { COMB_DIGITS, COMB_TABLE, type ConstantName, type Scheme, verificationProgram } from './program.js';

/** Digits of the arithmetic modulo n: 16 bits per word. */
export const SCALAR_DIGITS = 16;
/** Digits of the halves of e, in two's complement. */
export const HALF_DIGITS = 10;
const DIGIT_BITS = 16n;
/** A quotient of the split is the high part of a product: e times a constant, shifted right by this many bits. */
const SPLIT_SHIFT = 384n;

/**
 * The data that the verification reads: its words, and the index where each part begins, by the part's name in WGSL.
 */
export interface SchnorrData {
  readonly words: Uint32Array;
  readonly at: Readonly<Record<string, number>>;
}

const made = new Map<Scheme, SchnorrData>();
let comb: readonly number[] | undefined;

/**
 * The data of kernels/secp256k1.wgsl for one kind of signature, computed from the parameters of the curve once per
 * process (about 0.2 s).
 */
export function schnorrData(scheme: Scheme = 'schnorr'): SchnorrData {
  const known = made.get(scheme) ?? makeData(scheme);
  made.set(scheme, known);
  return known;
}

function makeData(scheme: Scheme): SchnorrData {
  const words: number[] = [];
  const at: Record<string, number> = {};
  const put = (name: string, part: readonly number[]): number => {
    at[name] = words.length;
    words.push(...part);
    return at[name];
  };
  const { beta, basis } = endomorphism();
  const constants: Record<ConstantName, number> = {
    one: put('ONE', elementWords(1n)),
    beta: put('BETA', elementWords(beta)),
    generatorX: put('GENERATOR_X', elementWords(GENERATOR.x)),
    generatorY: put('GENERATOR_Y', elementWords(GENERATOR.y)),
    order: put('ORDER_ELEMENT', elementWords(ORDER)),
  };
  put('MINUEND', minuendWords(2 ** 13));
  put('FIELD', pieces(FIELD, 8, 32n));
  put('ORDER', pieces(ORDER, 8, 32n));
  put('FIELD_OVER_ORDER', pieces(FIELD - ORDER, 8, 32n));
  const tag = createHash('sha256').update('BIP0340/challenge').digest();
  const tagWords = Array.from({ length: 8 }, (_, i) => tag.readUInt32BE(4 * i));
  put('TAG', [...tagWords, ...tagWords]);
  putSplit(put, basis);
  put('CODE', verificationProgram(constants, scheme));
  if (scheme === 'ecdsa') {
    put('MONTGOMERY', elementWords(MONTGOMERY_SQUARED));
    put('SCALAR_CODE', scalarProgram());
  }
  at.COMB = words.length;
  comb ??= combPoints().flatMap(({ x, y }) => [...elementWords(x), ...elementWords(y)]);
  const all = new Uint32Array(words.length + comb.length);
  all.set(words);
  all.set(comb, words.length);
  return { words: all, at };
}

/** `count` pieces of `bits` bits, lowest first; negative values in two's complement. */
function pieces(value: bigint, count: number, bits: bigint): number[] {
  return Array.from({ length: count }, (_, i) => Number(BigInt.asUintN(Number(bits), value >> (BigInt(i) * bits))));
}

/**
 * Constants of the split e = k1 + k2·λ: with (e, 0) = q1·v1 + q2·v2 over the rationals,
 * (k1, k2) = (e, 0) - ⌊q1⌋·v1 - ⌊q2⌋·v2. The signs of both vectors are chosen so that q1 and q2 are not negative.
 */
function putSplit(put: (name: string, part: readonly number[]) => number, basis: readonly LatticeVector[]): void {
  const [first = ZERO, second = ZERO] = basis;
  const determinant = first.a * second.b - second.a * first.b;
  const v1 = second.b * determinant < 0n ? negated(first) : first;
  const v2 = first.b * determinant > 0n ? negated(second) : second;
  const quotient = (b: bigint): number[] => pieces((abs(b) << SPLIT_SHIFT) / ORDER, SCALAR_DIGITS, DIGIT_BITS);
  const half = (value: bigint): number[] => pieces(value, HALF_DIGITS, DIGIT_BITS);
  put('SPLIT_1', quotient(second.b));
  put('SPLIT_2', quotient(first.b));
  put('VECTORS', [...half(-v1.a), ...half(-v2.a), ...half(-v1.b), ...half(-v2.b)]);
  // By the parity needed of a (bit 0) and of b (bit 1): the vector that makes both halves odd.
  put(
    'FIXES',
    [0, 1, 2, 3].flatMap((parity) => {
      const { a, b } = shortest(v1, v2, BigInt(parity & 1), BigInt(parity >> 1));
      return [...half(a), ...half(b)];
    }),
  );
}

const ZERO: LatticeVector = { a: 0n, b: 0n };
const abs = (n: bigint): bigint => (n < 0n ? -n : n);
const negated = ({ a, b }: LatticeVector): LatticeVector => ({ a: -a, b: -b });

function shortest(v1: LatticeVector, v2: LatticeVector, parityA: bigint, parityB: bigint): LatticeVector {
  let best: LatticeVector | undefined;
  const size = ({ a, b }: LatticeVector): bigint => abs(a) + abs(b);
  for (const m of [0n, 1n, -1n]) {
    for (const n of [0n, 1n, -1n]) {
      const sum = { a: m * v1.a + n * v2.a, b: m * v1.b + n * v2.b };
      const fits = (sum.a & 1n) === parityA && (sum.b & 1n) === parityB;
      if (fits && (best === undefined || size(sum) < size(best))) best = sum;
    }
  }
  return best ?? ZERO;
}

/** Per digit of s: the odd multiples 1, 3, ..., 2·COMB_TABLE - 1 of 2^(8·digit)·G. */
function combPoints(): AffinePoint[] {
  const twice = (points: readonly AffinePoint[]): AffinePoint[] => addAll(points, points);
  const bases: AffinePoint[] = [];
  let base = GENERATOR;
  for (let digit = 0; digit < COMB_DIGITS; digit++) {
    bases.push(base);
    for (let bits = COMB_TABLE; bits > 0; bits >>= 1) base = twice([base])[0] ?? base;
  }
  const steps = twice(bases);
  // One multiple for all digits at a time, so that they share an inversion.
  const multiples = [bases];
  for (let i = 1; i < COMB_TABLE; i++) multiples.push(addAll(multiples[i - 1] ?? [], steps));
  return bases.flatMap((_, digit) => multiples.map((points) => points[digit] ?? GENERATOR));
}
