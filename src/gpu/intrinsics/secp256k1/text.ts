import { INSTRUCTION_WORDS, OPERATIONS, PICKS, TESTS } from './assembler.js';
import { HALF_DIGITS, SCALAR_DIGITS, type SchnorrData } from './data.js';
import { ELEMENT_WORDS, LIMB_BITS, LIMBS, minuendLimbs } from './limbs.js';
import * as program from './program.js';

const COLUMNS = 2 * LIMBS - 1;
/**
 * Weight of the bits from 260 on: 2^260 = 16 · (2^32 + 977) mod p, as a factor for the limb itself and a shift for the
 * limb two above.
 */
const FOLD = 16 * 977;
const FOLD_SHIFT = 36 - 2 * LIMB_BITS;
/** The same from bit 256 on, where the last limb ends. */
const TOP_FOLD = 977;
const TOP_FOLD_SHIFT = 32 - 2 * LIMB_BITS;
const MASK = `${2 ** LIMB_BITS - 1}u`;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Constants and unrolled field arithmetic for kernels/secp256k1.wgsl; its data begins at word `dataAt`. */
export function fieldWgsl(data: SchnorrData, dataAt: string): string {
  const constants: Record<string, number> = {
    INSTRUCTION_WORDS,
    ELEMENT_WORDS,
    LIMBS,
    REGISTERS: program.REGISTERS,
    INPUT_R: program.INPUT_R,
    INPUT_KEY: program.INPUT_KEY,
    INPUT_Y: program.INPUT_Y,
    TABLE_X: program.TABLE_X,
    TABLE_Y: program.TABLE_Y,
    TABLE_BETA_X: program.TABLE_BETA_X,
    FALLBACK_TABLE: program.FALLBACK_TABLE,
    KEY_WINDOW_BITS: program.KEY_WINDOW_BITS,
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
    // Pairs of words, so that each index is checked once and loads are wide.
    'var<private> fe: array<array<vec2<u32>, 5>, SCHNORR_REGISTERS>;',
    mathText(),
    '',
  ].join('\n');
}

/**
 * The one instance of field arithmetic: `mul`, `square` and `sum`. In every register, limbs are at most 2^13 and the
 * last is below 2^9; in one factor of an unscaled product, twice that. So a column of products stays below 2^32, even
 * three times the column or one with a negated y.
 */
function mathText(): string {
  return `
fn field_math(operation: u32, fields: u32, times: u32, terms_at: u32) {
  let b_at = (fields >> 16u) & 63u;
  let scale = (fields >> 22u) & 3u;
  let terms = (fields >> 24u) & 3u;
${load('let e = fe[(fields >> 10u) & 63u];', 'e', (i) => [`var a${i} = `, ''])}
  var left = times;
  loop {
    ${declare('c', LIMBS)}
    ${declare('h', LIMBS)}
    if (operation != SCHNORR_OP_SUM) {
      ${declare('p', COLUMNS)}
      if (operation == SCHNORR_OP_MUL) {
${load('let e = fe[b_at];', 'e', (i) => [`let b${i} = `, ''])}
${range(COLUMNS)
  .map(
    (k) =>
      `p${k} = ${pairs(k)
        .map(([i, j]) => `a${i} * b${j}`)
        .join(' + ')};`,
  )
  .join('\n')}
      } else {
        ${range(LIMBS)
          .map((i) => `let d${i} = a${i} << 1u;`)
          .join(' ')}
${range(COLUMNS)
  .map((k) => `p${k} = ${squares(k)};`)
  .join('\n')}
      }
      if (scale != 1u) {
        ${range(COLUMNS)
          .map((k) => `p${k} *= scale;`)
          .join(' ')}
      }
${foldText()}
    }
    if (terms != 0u) {
      let minuends = fields >> 26u;
      ${minuendLimbs(2 ** 16)
        .map((limb, k) => `c${k} += ${limb}u * minuends;`)
        .join(' ')}
      for (var i = 0u; i < terms; i++) {
        let term = program_data[terms_at + i];
        let factor = bitcast<u32>(bitcast<i32>(term) >> 8u);
${load('let e = fe[term & 63u];', 'e', (i) => [`c${i} += (`, ') * factor'])}
      }
    }
${carryText()}
    left -= 1u;
    if (left == 0u) {
      break;
    }
  }
  fe[(fields >> 4u) & 63u] = array<vec2<u32>, 5>(${range(ELEMENT_WORDS / 2)
    .map((i) => `vec2<u32>(${packed(4 * i)}, ${packed(4 * i + 2)})`)
    .join(', ')});
}`;
}

const declare = (name: string, count: number): string =>
  range(count)
    .map((i) => `var ${name}${i} = 0u;`)
    .join(' ');

const packed = (i: number): string => `a${i} | (a${i + 1} << 16u)`;

/** Statements for all limbs of the element that `fetch` reads into `name`; `around`: the text around each limb. */
function load(fetch: string, name: string, around: (limb: number) => readonly [string, string]): string {
  const lines = range(LIMBS).map((i) => {
    const word = `${name}[${i >> 2}].${(i >> 1) & 1 ? 'y' : 'x'}`;
    const [before, behind] = around(i);
    return `${before}${i & 1 ? `${word} >> 16u` : `${word} & 0xffffu`}${behind};`;
  });
  return [fetch, ...lines].join('\n');
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

/** Columns p0 to p38: the high ones to limbs h0 to h19, and these into the low columns c0 to c19. */
function foldText(): string {
  const lines: string[] = [];
  const high = LIMBS - 1;
  for (let i = 0; i < high; i++) {
    lines.push(`let s${i} = p${LIMBS + i}${i === 0 ? '' : ` + (s${i - 1} >> ${LIMB_BITS}u)`};`);
    lines.push(`h${i} = s${i} & ${MASK};`);
  }
  lines.push(`h${high} = s${high - 1} >> ${LIMB_BITS}u;`);
  for (let i = 0; i < LIMBS; i++) {
    const above = i < 2 ? '' : ` + (h${i - 2} << ${FOLD_SHIFT}u)`;
    lines.push(`c${i} = p${i} + h${i} * ${FOLD}u${above};`);
  }
  return lines.join('\n');
}

/**
 * Columns c0 to c19 to limbs a0 to a19. What exceeds 256 bits, including the parts of h18 and h19 that belong there, is
 * folded in once more; the carries of that end with limb 6.
 */
function carryText(): string {
  const lines: string[] = [];
  const top = LIMBS - 1;
  const topBits = 256 - top * LIMB_BITS;
  const up = FOLD_SHIFT + LIMBS * LIMB_BITS - 256;
  for (let i = 0; i < LIMBS; i++) {
    lines.push(`let t${i} = c${i}${i === 0 ? '' : ` + (t${i - 1} >> ${LIMB_BITS}u)`};`);
    lines.push(`a${i} = t${i} & ${i === top ? `${2 ** topBits - 1}u` : MASK};`);
  }
  lines.push(
    `let u0 = (t${top} >> ${topBits}u) + (h${top - 1} << ${up}u);`,
    `let u1 = (u0 >> ${LIMB_BITS}u) + (h${top} << ${up}u);`,
    `let v0 = u0 & ${MASK}; let v1 = u1 & ${MASK}; let v2 = u1 >> ${LIMB_BITS}u;`,
    `let x0 = a0 + v0 * ${TOP_FOLD}u;`,
    `let x1 = a1 + v1 * ${TOP_FOLD}u + (x0 >> ${LIMB_BITS}u);`,
    `let x2 = a2 + v2 * ${TOP_FOLD}u + (v0 << ${TOP_FOLD_SHIFT}u) + (x1 >> ${LIMB_BITS}u);`,
    `let x3 = a3 + (v1 << ${TOP_FOLD_SHIFT}u) + (x2 >> ${LIMB_BITS}u);`,
    `let x4 = a4 + (v2 << ${TOP_FOLD_SHIFT}u) + (x3 >> ${LIMB_BITS}u);`,
    `let x5 = a5 + (x4 >> ${LIMB_BITS}u);`,
    ...range(6).map((i) => `a${i} = x${i} & ${MASK};`),
    `a6 += x5 >> ${LIMB_BITS}u;`,
  );
  return lines.join('\n');
}
