/** Arithmetic modulo n for ECDSA: Montgomery's, with R = 2^260 and the 20 limbs of 13 bits that elements have. */
import { ORDER } from './curve.js';
import { LIMB_BITS, LIMBS } from './limbs.js';

/** Registers of the scalar program, which is over before the field program begins. */
const S = 0;
const R = 1;
const Z = 2;
const SQUARED = 3;
const POWER = 4;
const SQUARE = 5;
const ODD = 6;
/** Bits of the exponent per multiplication: the odd powers up to 15 are in a table. */
const WINDOW = 4;
const U1 = ODD + 2 ** (WINDOW - 1);
const U2 = U1 + 1;
/** Where the kernel puts s, r, z and 2^520 mod n, and finds z/s and r/s: both below 1.25 n. */
const ORDER_REGISTERS = { S, R, Z, SQUARED, U1, U2 } as const;

const LIMB = 2 ** LIMB_BITS;
const MASK = LIMB - 1;
const MONTGOMERY = 1n << BigInt(LIMBS * LIMB_BITS);

/** 2^520 mod n: times it, a number becomes its Montgomery form. */
export const MONTGOMERY_SQUARED = MONTGOMERY ** 2n % ORDER;

/** Positions of the fields of an instruction: dst = a · b, or a squared `times` times. A word of 0 ends the program. */
const FIELDS = { dst: 0, a: 6, b: 12, times: 18 };

/** The words of a program that computes z/s and r/s from s, r and z: s to the power n - 2, by windows of its bits. */
export function scalarProgram(): number[] {
  const words: number[] = [];
  const multiply = (dst: number, a: number, b: number, times = 1): void => {
    words.push((dst << FIELDS.dst) | (a << FIELDS.a) | (b << FIELDS.b) | (times << FIELDS.times));
  };
  multiply(ODD, S, SQUARED);
  multiply(SQUARE, ODD, ODD);
  for (let i = 1; i < 2 ** (WINDOW - 1); i++) multiply(ODD + i, ODD + i - 1, SQUARE);
  const bits = (ORDER - 2n).toString(2);
  // Where the power so far lies: the first window is an entry of the table.
  let power: number | undefined;
  let squares = 0;
  for (let at = 0; at < bits.length; ) {
    if (bits[at] === '0') {
      squares++;
      at++;
      continue;
    }
    const window = bits.slice(at, at + WINDOW).replace(/0+$/, '');
    const entry = ODD + (Number.parseInt(window, 2) >> 1);
    at += window.length;
    if (power === undefined) {
      power = entry;
    } else {
      multiply(POWER, power, power, squares + window.length);
      multiply(POWER, POWER, entry);
      power = POWER;
    }
    squares = 0;
  }
  // n - 2 is odd: the last window ends with its last bit.
  multiply(U1, Z, POWER);
  multiply(U2, R, POWER);
  return [...words, 0];
}

/** Constants and the unrolled multiplication modulo n for kernels/ecdsa.wgsl. */
export function orderWgsl(): string {
  const constants = Object.entries(ORDER_REGISTERS).map(([name, value]) => `const ORDER_${name} = ${value}u;`);
  return [...constants, multiplyText(), ''].join('\n');
}

/**
 * `order_multiply`: element dst = a · b / 2^260 modulo n, or a times itself so `times` times. Factors are below 2 n
 * with limbs below 2^13, and so is the result, below 1.25 n: (4 n² + 2^260 n) / 2^260. A column is a sum of at most 40
 * products of 26 bits and a carry of 19: below 2^32.
 */
function multiplyText(): string {
  const limbs = limbsOf(ORDER);
  const lines: string[] = [];
  for (let k = 0; k < 2 * LIMBS; k++) {
    const products: string[] = [];
    for (let i = Math.max(0, k - LIMBS + 1); i <= Math.min(k, LIMBS - 1); i++) products.push(`a${i} * b${k - i}`);
    lines.push(`var p${k} = ${products.length === 0 ? '0u' : products.join(' + ')};`);
  }
  const inverse = negativeInverse(limbs[0]);
  for (let i = 0; i < LIMBS; i++) {
    lines.push(`let m${i} = ((p${i} & ${MASK}u) * ${inverse}u) & ${MASK}u;`);
    for (let j = 0; j < LIMBS; j++) if (limbs[j] > 0) lines.push(`p${i + j} += m${i} * ${limbs[j]}u;`);
    lines.push(`p${i + 1} += p${i} >> ${LIMB_BITS}u;`);
  }
  for (let i = 0; i < LIMBS; i++) {
    const column = `p${LIMBS + i}`;
    lines.push(i === LIMBS - 1 ? `a${i} = ${column};` : `a${i} = ${column} & ${MASK}u;`);
    if (i < LIMBS - 1) lines.push(`p${LIMBS + i + 1} += ${column} >> ${LIMB_BITS}u;`);
  }
  const each = (text: (i: number) => string): string => Array.from({ length: LIMBS }, (_, i) => text(i)).join('\n');
  const limb = (element: string, i: number): string => {
    const word = `fe[${element}][${i >> 2}].${(i >> 1) & 1 ? 'y' : 'x'}`;
    return i & 1 ? `${word} >> 16u` : `${word} & 0xffffu`;
  };
  const pair = (i: number): string => `a${i} | (a${i + 1} << 16u)`;
  return `
fn order_multiply(dst: u32, a: u32, b: u32, times: u32) {
${each((i) => `var a${i} = ${limb('a', i)};`)}
${each((i) => `var b${i} = ${limb('b', i)};`)}
  var left = times;
  loop {
${lines.join('\n')}
    left -= 1u;
    if (left == 0u) {
      break;
    }
${each((i) => `b${i} = a${i};`)}
  }
  fe[dst] = array<vec2<u32>, 5>(${[0, 4, 8, 12, 16].map((i) => `vec2<u32>(${pair(i)}, ${pair(i + 2)})`).join(', ')});
}`;
}

function limbsOf(value: bigint): number[] {
  return Array.from({ length: LIMBS }, (_, i) => Number((value >> BigInt(i * LIMB_BITS)) & BigInt(MASK)));
}

/** -1/limb modulo 2^13; each step doubles the bits that are right. */
function negativeInverse(limb: number): number {
  let inverse = 1;
  for (let bits = 1; bits < LIMB_BITS; bits *= 2) inverse = (inverse * (2 + LIMB * LIMB - limb * inverse)) & MASK;
  return (LIMB - inverse) & MASK;
}
