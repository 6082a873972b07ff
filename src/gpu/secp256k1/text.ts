import { OPERATIONS, PICKS, TESTS } from './assembler.js';
import { HALF_DIGITS, SCALAR_DIGITS, type SchnorrData } from './data.js';
import { ELEMENT_WORDS, LIMB_BITS, LIMBS, minuendLimbs } from './limbs.js';
import * as program from './program.js';

const COLUMNS = 2 * LIMBS - 1;
/** 2^260 = FOLD + 2^36 mod p */
const FOLD = 16 * 977;
const FOLD_LIMBS = 2;
const FOLD_SHIFT = 36 - FOLD_LIMBS * LIMB_BITS;
const MASK = `${2 ** LIMB_BITS - 1}u`;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Constants and the unrolled field arithmetic that kernels/secp256k1.wgsl builds on; the data begins at word `dataAt`. */
export function fieldWgsl(data: SchnorrData, dataAt: string): string {
  const constants: Record<string, number> = {
    INSTRUCTION_WORDS: 4,
    ELEMENT_WORDS,
    LIMBS,
    REGISTER_WORDS: program.REGISTER_WORDS,
    INPUT_R: program.INPUT_R,
    INPUT_KEY: program.INPUT_KEY,
    TABLE_X: program.TABLE_X,
    TABLE_Y: program.TABLE_Y,
    TABLE_BETA_X: program.TABLE_BETA_X,
    FALLBACK_TABLE: program.FALLBACK_TABLE,
    KEY_WINDOW_BITS: program.KEY_WINDOW_BITS,
    KEY_TABLE: program.KEY_TABLE,
    KEY_DIGITS: program.KEY_DIGITS,
    COMB_BITS: program.COMB_BITS,
    COMB_TABLE: program.COMB_TABLE,
    SCALAR_DIGITS,
    HALF_DIGITS,
  };
  const name = (text: string): string => text.toUpperCase().replaceAll('-', '_');
  OPERATIONS.forEach((operation, i) => {
    constants[`OP_${name(operation)}`] = i;
  });
  PICKS.forEach((pick, i) => {
    constants[`PICK_${name(pick)}`] = i;
  });
  TESTS.forEach((test, i) => {
    constants[`TEST_${name(test)}`] = i;
  });
  return [
    ...Object.entries(constants).map(([key, value]) => `const SCHNORR_${key} = ${value}u;`),
    `const SCHNORR_DATA_AT = ${dataAt};`,
    ...Object.entries(data.at).map(([key, value]) => `const SCHNORR_${key}_AT = SCHNORR_DATA_AT + ${value}u;`),
    'var<private> fe: array<u32, SCHNORR_REGISTER_WORDS>;',
    mathText(),
    '',
  ].join('\n');
}

/**
 * The one instance of field arithmetic: `mul`, `square` and `sum`. Limbs are at most 2^13 in every register (2^14 in one factor of a
 * product: shifted by one, or a negated y), so a column of products stays below 2^32.
 */
function mathText(): string {
  return `
fn field_math(operation: u32, fields: u32, times: u32, term_1: u32, term_2: u32) {
  let to = ((fields >> 4u) & 63u) * SCHNORR_ELEMENT_WORDS;
  let a_at = ((fields >> 10u) & 63u) * SCHNORR_ELEMENT_WORDS;
  let b_at = ((fields >> 16u) & 63u) * SCHNORR_ELEMENT_WORDS;
  let shift = (fields >> 22u) & 3u;
  let terms = (fields >> 24u) & 3u;
  let minuends = fields >> 26u;
${range(ELEMENT_WORDS)
  .map(
    (i) => `let w${i} = fe[a_at + ${i}u] << shift; var a${2 * i} = w${i} & 0xffffu; var a${2 * i + 1} = w${i} >> 16u;`,
  )
  .join('\n')}
  var left = times;
  loop {
${range(COLUMNS)
  .map((k) => `var c${k} = 0u;`)
  .join(' ')}
    if (operation == SCHNORR_OP_MUL) {
${range(ELEMENT_WORDS)
  .map((i) => `let w${i} = fe[b_at + ${i}u]; let b${2 * i} = w${i} & 0xffffu; let b${2 * i + 1} = w${i} >> 16u;`)
  .join('\n')}
${range(COLUMNS)
  .map(
    (k) =>
      `c${k} = ${pairs(k)
        .map(([i, j]) => `a${i} * b${j}`)
        .join(' + ')};`,
  )
  .join('\n')}
    }
    if (operation == SCHNORR_OP_SQUARE) {
${range(LIMBS)
  .map((i) => `let d${i} = a${i} << 1u;`)
  .join(' ')}
${range(COLUMNS)
  .map((k) => `c${k} = ${squares(k)};`)
  .join('\n')}
    }
    if (terms != 0u) {
${minuendLimbs(2 ** 16)
  .map((limb, k) => `c${k} += ${limb}u * minuends;`)
  .join('\n')}
      var term = term_1;
      for (var i = 0u; i < terms; i++) {
        let l_at = (term & 63u) * SCHNORR_ELEMENT_WORDS;
        let factor = bitcast<u32>(bitcast<i32>(term) >> 8u);
${range(ELEMENT_WORDS)
  .map(
    (i) =>
      `let w${i} = fe[l_at + ${i}u]; c${2 * i} += (w${i} & 0xffffu) * factor; c${2 * i + 1} += (w${i} >> 16u) * factor;`,
  )
  .join('\n')}
        term = term_2;
      }
    }
${reduceText()}
    left -= 1u;
    if (left == 0u) {
      break;
    }
  }
${range(ELEMENT_WORDS)
  .map((i) => `fe[to + ${i}u] = a${2 * i} | (a${2 * i + 1} << 16u);`)
  .join('\n')}
}`;
}

/** Limb indices of the products of column k. */
function pairs(k: number): [number, number][] {
  return range(LIMBS).flatMap((i): [number, number][] => (k - i >= 0 && k - i < LIMBS ? [[i, k - i]] : []));
}

function squares(k: number): string {
  return pairs(k)
    .filter(([i, j]) => i <= j)
    .map(([i, j]) => (i === j ? `a${i} * a${i}` : `d${i} * a${j}`))
    .join(' + ');
}

/**
 * Columns c0 to c38 to limbs a0 to a19: the high columns to limbs h0 to h19, these folded into the low columns, those to limbs, and what
 * leaves them at the top folded once more, where the carries end with limb 6. All limbs end at most 2^13.
 */
function reduceText(): string {
  const lines: string[] = [];
  const high = LIMBS - 1;
  for (let i = 0; i < high; i++) {
    lines.push(`let s${i} = c${LIMBS + i}${i === 0 ? '' : ` + (s${i - 1} >> ${LIMB_BITS}u)`};`);
    lines.push(`let h${i} = s${i} & ${MASK};`);
  }
  lines.push(`let h${high} = s${high - 1} >> ${LIMB_BITS}u;`);
  for (let i = 0; i < LIMBS; i++) {
    const folded = i < FOLD_LIMBS ? '' : ` + (h${i - FOLD_LIMBS} << ${FOLD_SHIFT}u)`;
    const carry = i === 0 ? '' : ` + (t${i - 1} >> ${LIMB_BITS}u)`;
    lines.push(`let t${i} = c${i} + h${i} * ${FOLD}u${folded}${carry};`);
    lines.push(`a${i} = t${i} & ${MASK};`);
  }
  lines.push(
    `let u0 = (t${LIMBS - 1} >> ${LIMB_BITS}u) + (h${LIMBS - 2} << ${FOLD_SHIFT}u);`,
    `let u1 = (u0 >> ${LIMB_BITS}u) + (h${LIMBS - 1} << ${FOLD_SHIFT}u);`,
    `let v0 = u0 & ${MASK}; let v1 = u1 & ${MASK}; let v2 = u1 >> ${LIMB_BITS}u;`,
    `let x0 = a0 + v0 * ${FOLD}u;`,
    `let x1 = a1 + v1 * ${FOLD}u + (x0 >> ${LIMB_BITS}u);`,
    `let x2 = a2 + v2 * ${FOLD}u + (v0 << ${FOLD_SHIFT}u) + (x1 >> ${LIMB_BITS}u);`,
    `let x3 = a3 + (v1 << ${FOLD_SHIFT}u) + (x2 >> ${LIMB_BITS}u);`,
    `let x4 = a4 + (v2 << ${FOLD_SHIFT}u) + (x3 >> ${LIMB_BITS}u);`,
    `let x5 = a5 + (x4 >> ${LIMB_BITS}u);`,
    ...range(6).map((i) => `a${i} = x${i} & ${MASK};`),
    `a6 += x5 >> ${LIMB_BITS}u;`,
  );
  return lines.join('\n');
}
