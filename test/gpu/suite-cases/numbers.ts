/** Every operator on numbers over edge operands; what must come back is computed by BigInt arithmetic. */

type Width = 32 | 64;
type Meaning = (a: bigint, b: bigint, bits: Width) => bigint | undefined;

const signed = (a: bigint, bits: number): bigint => BigInt.asIntN(bits, a);
const unsigned = (a: bigint, bits: number): bigint => BigInt.asUintN(bits, a);
const bit = (truth: boolean): bigint => (truth ? 1n : 0n);

/** Bits of `a`, the highest first. */
const bitsOf = (a: bigint, bits: number): string => unsigned(a, bits).toString(2).padStart(bits, '0');
const bySign =
  (compare: (a: bigint, b: bigint) => boolean, of: typeof signed): Meaning =>
  (a, b, bits) =>
    bit(compare(of(a, bits), of(b, bits)));
const rotated = (a: bigint, by: bigint, bits: Width): bigint => {
  const text = bitsOf(a, bits);
  const left = Number(((by % BigInt(bits)) + BigInt(bits)) % BigInt(bits));
  return BigInt(`0b${text.slice(left)}${text.slice(0, left)}`);
};

/** Operators of two operands of one type; undefined: it traps. */
const BINARY: Readonly<Record<string, Meaning>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div_s: (a, b, bits) => {
    const [x, y] = [signed(a, bits), signed(b, bits)];
    return y === 0n || (y === -1n && x === -(1n << BigInt(bits - 1))) ? undefined : x / y;
  },
  div_u: (a, b, bits) => (unsigned(b, bits) === 0n ? undefined : unsigned(a, bits) / unsigned(b, bits)),
  rem_s: (a, b, bits) => (signed(b, bits) === 0n ? undefined : signed(a, bits) % signed(b, bits)),
  rem_u: (a, b, bits) => (unsigned(b, bits) === 0n ? undefined : unsigned(a, bits) % unsigned(b, bits)),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b, bits) => a << (unsigned(b, bits) % BigInt(bits)),
  shr_s: (a, b, bits) => signed(a, bits) >> (unsigned(b, bits) % BigInt(bits)),
  shr_u: (a, b, bits) => unsigned(a, bits) >> (unsigned(b, bits) % BigInt(bits)),
  rotl: (a, b, bits) => rotated(a, b, bits),
  rotr: (a, b, bits) => rotated(a, -b, bits),
};

/** Operators whose result is an i32. */
const COMPARE: Readonly<Record<string, Meaning>> = {
  eq: bySign((a, b) => a === b, unsigned),
  ne: bySign((a, b) => a !== b, unsigned),
  lt_s: bySign((a, b) => a < b, signed),
  lt_u: bySign((a, b) => a < b, unsigned),
  gt_s: bySign((a, b) => a > b, signed),
  gt_u: bySign((a, b) => a > b, unsigned),
  le_s: bySign((a, b) => a <= b, signed),
  le_u: bySign((a, b) => a <= b, unsigned),
  ge_s: bySign((a, b) => a >= b, signed),
  ge_u: bySign((a, b) => a >= b, unsigned),
};

const UNARY: Readonly<Record<string, (a: bigint, bits: Width) => bigint>> = {
  clz: (a, bits) => BigInt(`${bitsOf(a, bits)}1`.indexOf('1')),
  ctz: (a, bits) => BigInt([...`1${bitsOf(a, bits)}`].reverse().indexOf('1')),
  popcnt: (a, bits) => BigInt(bitsOf(a, bits).replaceAll('0', '').length),
  extend8_s: (a) => signed(a, 8),
  extend16_s: (a) => signed(a, 16),
};

/** An operator: types of its operands and its result, and its meaning. */
export interface NumberOperator {
  readonly name: string;
  readonly operands: readonly ('i32' | 'i64')[];
  readonly result: 'i32' | 'i64';
  readonly meaning: (a: bigint, b: bigint) => bigint | undefined;
}

export const NUMBER_OPERATORS: readonly NumberOperator[] = ([32, 64] as const).flatMap((bits): NumberOperator[] => {
  const type = `i${bits}` as const;
  return [
    ...Object.entries(BINARY).map(([name, of]) =>
      operator(`${type}.${name}`, [type, type], type, (a, b) => of(a, b, bits)),
    ),
    ...Object.entries(COMPARE).map(([name, of]) =>
      operator(`${type}.${name}`, [type, type], 'i32', (a, b) => of(a, b, bits)),
    ),
    ...Object.entries(UNARY).map(([name, of]) => operator(`${type}.${name}`, [type], type, (a) => of(a, bits))),
    operator(`${type}.eqz`, [type], 'i32', (a) => bit(unsigned(a, bits) === 0n)),
  ];
});

export const CONVERSIONS: readonly NumberOperator[] = [
  operator('i64.extend32_s', ['i64'], 'i64', (a) => signed(a, 32)),
  operator('i32.wrap_i64', ['i64'], 'i32', (a) => a),
  operator('i64.extend_i32_s', ['i32'], 'i64', (a) => signed(a, 32)),
  operator('i64.extend_i32_u', ['i32'], 'i64', (a) => unsigned(a, 32)),
];

function operator(
  name: string,
  operands: NumberOperator['operands'],
  result: NumberOperator['result'],
  meaning: NumberOperator['meaning'],
): NumberOperator {
  return { name, operands, result, meaning };
}

const POWERS = [7n, 8n, 15n, 16n, 31n, 32n, 63n];
/** Zero, the edges of every width from below and above, shifts at and over the width, and a few without a pattern. */
const EDGES: readonly bigint[] = [
  ...[0n, 1n, -1n, 2n, -2n, 3n, 33n, 64n, 65n],
  ...POWERS.flatMap((n) => [(1n << n) - 1n, 1n << n, -(1n << n)]),
  ...[0x12345678n, 0x9e3779b97f4a7c15n, 0xdeadbeefn, 0xff00ff00ff00ff00n],
];

/** Pairs of operands: every edge with every fourth one, with itself, with -1 and with 0. */
const PAIRS: readonly (readonly [bigint, bigint])[] = EDGES.flatMap((a, i) =>
  EDGES.filter((b, j) => (i + j) % 4 === 0 || a === b || b === -1n || b === 0n).map((b) => [a, b] as const),
);

const A = 0;
const RESULTS = A + PAIRS.length * 16;

const bytesOf = (values: readonly bigint[]): string =>
  values
    .map((v) =>
      unsigned(v, 64)
        .toString(16)
        .padStart(16, '0')
        .match(/../g)
        ?.reverse()
        .map((byte) => `\\${byte}`)
        .join(''),
    )
    .join('');
const read = (type: string, at: string): string => `(${type}.load ${at})`;

/** How many operand tuples each operator is held against, by its name, for the coverage test. */
export const operandsSeen = new Map<string, number>();

/**
 * A script over some operators. Operands and what must come back lie in memory, so that one function runs an operator
 * over all of them and gives how many were right; operands that trap are calls of their own, and a few tuples are
 * constants of the code.
 */
export function numberScript(operators: readonly NumberOperator[]): string {
  const functions: string[] = [];
  const calls: string[] = [];
  const expected: bigint[] = [];
  for (const { name, operands, result, meaning } of operators) {
    const at = RESULTS + expected.length * 8;
    const values = PAIRS.map(([a, b]) => meaning(a, b));
    expected.push(...values.map((v) => v ?? 0n));
    const traps = PAIRS.filter((_, i) => values[i] === undefined);
    const right = BigInt(PAIRS.length - traps.length);
    const args = operands.map((type, i) => read(type, `offset=${i * 8} (i32.shl (local.get $i) (i32.const 4))`));
    const wanted = read(result, `offset=${at} (i32.shl (local.get $i) (i32.const 3))`);
    const skipped = traps.length === 0 ? '' : skipWhereItTraps(name, operands[0]);
    functions.push(`(func (export "${name}") (result i32) (local $i i32) (local $right i32)
      (loop $next
        (block $skip ${skipped}
          (br_if $skip (${result}.ne (${name} ${args.join(' ')}) ${wanted}))
          (local.set $right (i32.add (local.get $right) (i32.const 1))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${PAIRS.length}))))
      (local.get $right))`);
    calls.push(`(assert_return (invoke "${name}") (i32.const ${right}))`);
    const constants = PAIRS.filter((_, i) => i % 120 === 5 && values[i] !== undefined).map(([a, b]) => {
      const given = operands.map((type, i) => `(${type}.const ${signed([a, b][i] ?? 0n, Number(type.slice(1)))})`);
      const value = signed(meaning(a, b) ?? 0n, Number(result.slice(1)));
      return `(${result}.eq (${name} ${given.join(' ')}) (${result}.const ${value}))`;
    });
    const all = constants.reduce((whole, test) => `(i32.and ${whole} ${test})`);
    functions.push(`(func (export "${name} of constants") (result i32) ${all})`);
    calls.push(`(assert_return (invoke "${name} of constants") (i32.const 1))`);
    if (traps.length > 0) {
      const params = operands.map((type) => `(param ${type})`).join(' ');
      functions.push(`(func (export "${name} traps") ${params} (drop (${name} (local.get 0) (local.get 1))))`);
      for (const pair of traps.slice(0, 12)) {
        const given = operands.map((type, i) => `(${type}.const ${signed(pair[i] ?? 0n, Number(type.slice(1)))})`);
        calls.push(`(assert_trap (invoke "${name} traps" ${given.join(' ')}) "")`);
      }
    }
    operandsSeen.set(name, PAIRS.length + constants.length);
  }
  const operandBytes = bytesOf(PAIRS.flat());
  const data = `(data (i32.const ${A}) "${operandBytes}") (data (i32.const ${RESULTS}) "${bytesOf(expected)}")`;
  return `(module (memory 8) ${data}\n${functions.join('\n')})\n${calls.join('\n')}`;
}

/** Leaves the block where the operator would trap: a divisor of 0, or the one quotient that is out of range. */
function skipWhereItTraps(name: string, type: 'i32' | 'i64' | undefined): string {
  const t = type ?? 'i32';
  const [a, b] = [0, 8].map((o) => read(t, `offset=${o} (i32.shl (local.get $i) (i32.const 4))`));
  const byZero = `(br_if $skip (${t}.eqz ${b}))`;
  if (!name.endsWith('div_s')) return byZero;
  const least = -(1n << BigInt(Number(t.slice(1)) - 1));
  const overflow = `(i32.and (${t}.eq ${a} (${t}.const ${least})) (${t}.eq ${b} (${t}.const -1)))`;
  return `${byZero} (br_if $skip ${overflow})`;
}
