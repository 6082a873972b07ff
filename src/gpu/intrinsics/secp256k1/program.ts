import { Assembler } from './assembler.js';

/** Number of odd multiples in the key's table, and bits per digit of the halves of e. */
export const KEY_WINDOW_BITS = 4;
export const KEY_TABLE = 2 ** (KEY_WINDOW_BITS - 1);
/** Digits of a half of e: all odd, so 33 of them hold every odd number below 2^132. */
export const KEY_DIGITS = 33;
/** Digits of s, and points per digit: digit i selects an odd multiple, up to 2^8 - 1, of 2^(8 i) G. */
export const COMB_BITS = 8;
export const COMB_DIGITS = 256 / COMB_BITS;
export const COMB_TABLE = 2 ** (COMB_BITS - 1);

/** The kernel's registers; each holds a field element. */
const names = ['X1', 'Y1', 'Z1', 'X2', 'Y2', 'Z2', 'T0', 'T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'ONE', 'R'] as const;
const more = ['QX', 'QY', 'ZG', 'XD', 'YD', 'ZD'] as const;
type Name = (typeof names)[number] | (typeof more)[number];
const registers = Object.fromEntries([...names, ...more].map((name, i) => [name, i])) as Record<Name, number>;
const { X1, Y1, Z1, X2, Y2, Z2, T0, T1, T2, T3, T4, T5, T6, T7, ONE, R, QX, QY, ZG, XD, YD, ZD } = registers;

/** First registers of the key's table: x, y, and the x of λ times the point. */
export const TABLE_X = names.length + more.length;
export const TABLE_Y = TABLE_X + KEY_TABLE;
export const TABLE_BETA_X = TABLE_Y + KEY_TABLE;
/** Four points of three registers each, in the same registers as the key's table. */
export const FALLBACK_TABLE = TABLE_X;
export const REGISTERS = TABLE_BETA_X + KEY_TABLE;
/** Where the kernel puts r and the key's x before the program starts. */
export const INPUT_R = R;
export const INPUT_KEY = QX;
/** For ECDSA: the key's y, or 0 if only its parity is known. */
export const INPUT_Y = YD;

export type ConstantName = 'one' | 'beta' | 'generatorX' | 'generatorY' | 'order';
export type Scheme = 'schnorr' | 'ecdsa';

/**
 * Verification as straight-line field arithmetic: BIP340, or ECDSA. Before it starts, R and QX hold r and the key's x,
 * and the scalars are ready. For ECDSA they are s' = z/s and e' = r/s modulo n, and Q is the key itself.
 *
 * The sum s·G + e·Q, with Q = -P under BIP340, is computed with e split into two halves. All digits are odd, so no
 * addition has infinity as an operand, and Jacobian additions are right unless two equal or opposite points are added.
 * Then Z becomes 0 and stays 0. An invocation that ends with Z = 0 (only for infinity, or for inputs made to get there)
 * computes the sum once more, with the complete addition of Renes, Costello and Batina (2016, algorithm 7).
 */
export function verificationProgram(constants: Readonly<Record<ConstantName, number>>, scheme: Scheme): number[] {
  const code = new Assembler();
  code.constant(ONE, constants.one);
  liftKey(code);
  if (scheme === 'ecdsa') checkKey(code);
  keyTable(code, constants.beta);
  keySum(code);
  generatorSum(code);
  code.canonical(T0, Z1);
  code.jumpIfZero(T0, 'fallback');
  code.label('check');
  if (scheme === 'ecdsa') checkX(code, constants);
  else check(code);
  code.label('fallback');
  fallback(code, constants);
  code.canonical(T0, Z1);
  code.test('nonzero', T0);
  code.jump('check');
  return code.words();
}

/** (QX, QY) is the point with x = QX whose y has the parity that the kernel wants: under BIP340 the odd one, for -P. */
function liftKey(code: Assembler): void {
  code.square(T0, QX);
  code.mul(T0, T0, QX, { terms: [[ONE, 7]] });
  powers(code, T0);
  code.square(T1, T5, { times: 23 });
  code.mul(T1, T1, T4);
  code.square(T1, T1, { times: 6 });
  code.mul(T1, T1, T2);
  code.square(T1, T1, { times: 2 });
  code.square(T2, T1);
  code.canonical(T0, T0);
  code.canonical(T2, T2);
  code.test('equal', T0, T2);
  code.canonical(T1, T1);
  code.pick('negate-to-parity', QY, QY, T1);
  code.sum(QY, [QY, 1]);
}

/** Valid if no y was given, or QY is it. No point of the curve has y = 0. */
function checkKey(code: Assembler): void {
  code.jumpIfZero(INPUT_Y, 'lifted');
  code.canonical(T1, QY);
  code.test('equal', T1, INPUT_Y);
  code.label('lifted');
}

/** Powers of `base` to 2^n - 1: n = 2 in T2, n = 22 in T4, n = 223 in T5. Uses T3, T6 and T7. */
function powers(code: Assembler, base: number): void {
  const step = (dst: number, from: number, times: number, by: number): void => {
    code.square(T7, from, { times });
    code.mul(dst, T7, by);
  };
  step(T2, base, 1, base);
  step(T3, T2, 1, base);
  step(T4, T3, 3, T3);
  step(T4, T4, 3, T3);
  step(T4, T4, 2, T2);
  step(T4, T4, 11, T4);
  step(T5, T4, 22, T4);
  step(T6, T5, 44, T5);
  step(T6, T6, 88, T6);
  step(T6, T6, 44, T5);
  step(T5, T6, 3, T3);
}

/** Point 1 doubled (Jacobian): from (x, y, z) to (x', y', z'). Uses T0 to T3. */
function double(code: Assembler, [x, y, z]: readonly number[], [toX, toY, toZ]: readonly number[]): void {
  code.square(T0, x, { scale: 3 });
  code.square(T1, y);
  code.mul(T2, x, T1);
  code.mul(toZ, y, z, { scale: 2 });
  code.square(toX, T0, { terms: [[T2, -8]] });
  code.sum(T2, [T2, 4], [toX, -1]);
  code.square(T3, T1);
  code.mul(toY, T0, T2, { terms: [[T3, -8]] });
}

/** Point 1 (Jacobian) += (x2, y2). The factor of Z goes to `h`. Uses T0 to T5. */
function addAffine(code: Assembler, x2: number, y2: number, h = T2): void {
  code.square(T0, Z1);
  code.mul(T1, T0, Z1);
  code.mul(h, T0, x2, { terms: [[X1, -1]] });
  code.mul(T1, y2, T1, { terms: [[Y1, -1]] });
  code.mul(Z1, Z1, h);
  code.square(T0, h);
  code.mul(T3, T0, h);
  code.mul(T0, T0, X1);
  code.square(X1, T1, {
    terms: [
      [T3, -1],
      [T0, -2],
    ],
  });
  code.mul(T3, T3, Y1);
  code.sum(T0, [T0, 1], [X1, -1]);
  code.mul(Y1, T1, T0, { terms: [[T3, -1]] });
}

/**
 * The odd multiples Q, 3Q, ... on the curve isomorphic by ZG, where all of them are affine. D = 2Q is affine on the
 * curve isomorphic by its own Z, so the additions are mixed ones; then every entry is converted to the Z of the last.
 */
function keyTable(code: Assembler, beta: number): void {
  double(code, [QX, QY, ONE], [XD, YD, ZD]);
  code.square(T0, ZD);
  code.mul(X1, QX, T0);
  code.mul(T0, T0, ZD);
  code.mul(Y1, QY, T0);
  code.sum(Z1, [ONE, 1]);
  code.sum(TABLE_X, [X1, 1]);
  code.sum(TABLE_Y, [Y1, 1]);
  // The factor between the Z of entries i - 1 and i is kept where the x of λ times entry i - 1 will be.
  for (let i = 1; i < KEY_TABLE; i++) {
    addAffine(code, XD, YD, TABLE_BETA_X + i - 1);
    code.sum(TABLE_X + i, [X1, 1]);
    code.sum(TABLE_Y + i, [Y1, 1]);
  }
  code.mul(ZG, ZD, Z1);
  code.sum(T0, [TABLE_BETA_X + KEY_TABLE - 2, 1]);
  for (let i = KEY_TABLE - 2; i >= 0; i--) {
    code.square(T1, T0);
    code.mul(TABLE_X + i, TABLE_X + i, T1);
    code.mul(T1, T1, T0);
    code.mul(TABLE_Y + i, TABLE_Y + i, T1);
    if (i > 0) code.mul(T0, T0, TABLE_BETA_X + i - 1);
  }
  code.constant(T0, beta);
  for (let i = 0; i < KEY_TABLE; i++) code.mul(TABLE_BETA_X + i, TABLE_X + i, T0);
}

/** Point 1 = e·Q. */
function keySum(code: Assembler): void {
  code.setCounter(KEY_DIGITS - 1);
  code.pick('first-half', X1, Y1);
  code.sum(Y1, [Y1, 1]);
  code.sum(Z1, [ONE, 1]);
  code.pick('second-half', X2, Y2);
  addAffine(code, X2, Y2);
  // `loop` counts down before it jumps, so the counter is the number of the current digit.
  code.loop('digits');
  code.label('digits');
  for (let i = 0; i < KEY_WINDOW_BITS; i++) double(code, [X1, Y1, Z1], [X1, Y1, Z1]);
  for (const half of ['first-half', 'second-half'] as const) {
    code.pick(half, X2, Y2);
    addAffine(code, X2, Y2);
  }
  code.loop('digits');
  code.mul(Z1, Z1, ZG);
}

/** Point 1 += s·G. */
function generatorSum(code: Assembler): void {
  code.setCounter(COMB_DIGITS - 1);
  code.label('comb');
  code.pick('generator', X2, Y2);
  addAffine(code, X2, Y2);
  code.loop('comb');
}

/** Valid if point 1 has x = r and an even y. */
function check(code: Assembler): void {
  powers(code, Z1);
  code.square(T1, T5, { times: 23 });
  code.mul(T1, T1, T4);
  code.square(T1, T1, { times: 5 });
  code.mul(T1, T1, Z1);
  code.square(T1, T1, { times: 3 });
  code.mul(T1, T1, T2);
  code.square(T1, T1, { times: 2 });
  code.mul(T1, T1, Z1);
  code.square(T2, T1);
  code.mul(X1, X1, T2);
  code.mul(T2, T2, T1);
  code.mul(Y1, Y1, T2);
  code.canonical(X1, X1);
  code.test('equal', X1, R);
  code.canonical(Y1, Y1);
  code.test('even', Y1);
  code.end();
}

/** Valid if x of point 1 is r modulo n: r itself, or r + n where that is below p. */
function checkX(code: Assembler, constants: Readonly<Record<ConstantName, number>>): void {
  code.square(T0, Z1);
  code.mul(T1, R, T0, { terms: [[X1, -1]] });
  code.canonical(T1, T1);
  code.jumpIfZero(T1, 'holds');
  code.test('small-r', T1);
  code.constant(T2, constants.order);
  code.sum(T2, [T2, 1], [R, 1]);
  code.mul(T1, T2, T0, { terms: [[X1, -1]] });
  code.canonical(T1, T1);
  code.sum(T2, [ONE, 0]);
  code.test('equal', T1, T2);
  code.label('holds');
  code.end();
}

/** Point 1 = s·G + e·Q bit by bit, in projective (X : Y : Z), converted to Jacobian coordinates at the end. */
function fallback(code: Assembler, constants: Readonly<Record<ConstantName, number>>): void {
  const entry = (i: number): [number, number, number] => [
    FALLBACK_TABLE + 3 * i,
    FALLBACK_TABLE + 3 * i + 1,
    FALLBACK_TABLE + 3 * i + 2,
  ];
  const point1 = [X1, Y1, Z1] as const;
  const copy = (to: readonly number[], from: readonly number[]): void =>
    to.forEach((register, i) => {
      code.sum(register, [from[i] ?? ONE, 1]);
    });
  code.sum(XD, [ONE, 0]);
  copy(entry(0), [XD, ONE, XD]);
  const [gx, gy] = entry(1);
  code.constant(gx, constants.generatorX);
  code.constant(gy, constants.generatorY);
  copy(entry(1), [gx, gy, ONE]);
  copy(entry(2), [QX, QY, ONE]);
  copy(point1, entry(1));
  addComplete(code, entry(2));
  copy(entry(3), point1);
  copy(point1, entry(0));
  code.setCounter(255);
  code.label('bits');
  addComplete(code, point1);
  code.pick('fallback-xy', X2, Y2);
  code.pick('fallback-z', Z2, Z2);
  addComplete(code, [X2, Y2, Z2]);
  code.loop('bits');
  code.mul(X1, X1, Z1);
  code.square(T0, Z1);
  code.mul(Y1, Y1, T0);
}

/** Point 1 (projective) += another point or itself; right for all points. Uses T0 to T7. */
function addComplete(code: Assembler, [x2, y2, z2]: readonly [number, number, number]): void {
  const B3 = 21;
  const cross = (
    dst: number,
    [a, b]: readonly [number, number],
    [c, d]: readonly [number, number],
    ab: number,
    cd: number,
  ) => {
    code.sum(T6, [a, 1], [b, 1]);
    code.sum(T7, [c, 1], [d, 1]);
    code.mul(dst, T6, T7, {
      terms: [
        [ab, -1],
        [cd, -1],
      ],
    });
  };
  code.mul(T0, X1, x2);
  code.mul(T1, Y1, y2);
  code.mul(T2, Z1, z2);
  cross(T3, [X1, Y1], [x2, y2], T0, T1);
  cross(T4, [Y1, Z1], [y2, z2], T1, T2);
  cross(T5, [X1, Z1], [x2, z2], T0, T2);
  code.sum(T0, [T0, 3]);
  code.sum(T6, [T1, 1], [T2, B3]);
  code.sum(T1, [T1, 1], [T2, -B3]);
  code.sum(T5, [T5, B3]);
  code.mul(T7, T4, T5);
  code.mul(X1, T3, T1, { terms: [[T7, -1]] });
  code.mul(T7, T5, T0);
  code.mul(Y1, T1, T6, { terms: [[T7, 1]] });
  code.mul(T7, T0, T3);
  code.mul(Z1, T6, T4, { terms: [[T7, 1]] });
}
