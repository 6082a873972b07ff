import type { ValueType } from '../../program/module.js';

/**
 * Numeric instructions as WGSL expressions. `$1` and `$2` stand for the operands; each is used once, so that text never
 * doubles. `bool`: the expression is a WGSL bool. `effect`: it may trap, so it is evaluated where it stands.
 */
export interface Operation {
  readonly operands: readonly ValueType[];
  readonly result: ValueType;
  readonly text: string;
  readonly bool?: true;
  readonly effect?: true;
}

const I32: readonly ValueType[] = ['i32', 'i32'];
const I64: readonly ValueType[] = ['i64', 'i64'];

function unary(type: ValueType, result: ValueType, text: string): Operation {
  return { operands: [type], result, text };
}

function compare(operands: readonly ValueType[], text: string): Operation {
  return { operands, result: 'i32', text, bool: true };
}

function binary(operands: readonly ValueType[], text: string): Operation {
  return { operands, result: operands === I32 ? 'i32' : 'i64', text };
}

function trapping(operands: readonly ValueType[], text: string): Operation {
  return { ...binary(operands, text), effect: true };
}

export const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  [0x45, compare(['i32'], '($1 == 0u)')],
  [0x46, compare(I32, '($1 == $2)')],
  [0x47, compare(I32, '($1 != $2)')],
  [0x48, compare(I32, 'lt_s32($1, $2)')],
  [0x49, compare(I32, '($1 < $2)')],
  [0x4a, compare(I32, 'lt_s32($2, $1)')],
  [0x4b, compare(I32, '($1 > $2)')],
  [0x4c, compare(I32, '!lt_s32($2, $1)')],
  [0x4d, compare(I32, '($1 <= $2)')],
  [0x4e, compare(I32, '!lt_s32($1, $2)')],
  [0x4f, compare(I32, '($1 >= $2)')],
  [0x50, compare(['i64'], 'eq64($1, vec2<u32>(0u, 0u))')],
  [0x51, compare(I64, 'eq64($1, $2)')],
  [0x52, compare(I64, '!eq64($1, $2)')],
  [0x53, compare(I64, 'lt_s64($1, $2)')],
  [0x54, compare(I64, 'lt_u64($1, $2)')],
  [0x55, compare(I64, 'lt_s64($2, $1)')],
  [0x56, compare(I64, 'lt_u64($2, $1)')],
  [0x57, compare(I64, '!lt_s64($2, $1)')],
  [0x58, compare(I64, '!lt_u64($2, $1)')],
  [0x59, compare(I64, '!lt_s64($1, $2)')],
  [0x5a, compare(I64, '!lt_u64($1, $2)')],
  [0x67, unary('i32', 'i32', 'countLeadingZeros($1)')],
  [0x68, unary('i32', 'i32', 'countTrailingZeros($1)')],
  [0x69, unary('i32', 'i32', 'countOneBits($1)')],
  [0x6a, binary(I32, '($1 + $2)')],
  [0x6b, binary(I32, '($1 - $2)')],
  [0x6c, binary(I32, '($1 * $2)')],
  [0x6d, trapping(I32, 'div_s32($1, $2)')],
  [0x6e, trapping(I32, 'div_u32($1, $2)')],
  [0x6f, trapping(I32, 'rem_s32($1, $2)')],
  [0x70, trapping(I32, 'rem_u32($1, $2)')],
  [0x71, binary(I32, '($1 & $2)')],
  [0x72, binary(I32, '($1 | $2)')],
  [0x73, binary(I32, '($1 ^ $2)')],
  [0x74, binary(I32, '($1 << ($2 & 31u))')],
  [0x75, binary(I32, 'bitcast<u32>(bitcast<i32>($1) >> ($2 & 31u))')],
  [0x76, binary(I32, '($1 >> ($2 & 31u))')],
  [0x77, binary(I32, 'rotl32($1, $2)')],
  [0x78, binary(I32, 'rotr32($1, $2)')],
  [0x79, unary('i64', 'i64', 'clz64($1)')],
  [0x7a, unary('i64', 'i64', 'ctz64($1)')],
  [0x7b, unary('i64', 'i64', 'popcnt64($1)')],
  [0x7c, binary(I64, 'add64($1, $2)')],
  [0x7d, binary(I64, 'sub64($1, $2)')],
  [0x7e, binary(I64, 'mul64($1, $2)')],
  [0x7f, trapping(I64, 'div_s64($1, $2)')],
  [0x80, trapping(I64, 'div_u64($1, $2)')],
  [0x81, trapping(I64, 'rem_s64($1, $2)')],
  [0x82, trapping(I64, 'rem_u64($1, $2)')],
  [0x83, binary(I64, '($1 & $2)')],
  [0x84, binary(I64, '($1 | $2)')],
  [0x85, binary(I64, '($1 ^ $2)')],
  [0x86, binary(I64, 'shl64($1, ($2).x)')],
  [0x87, binary(I64, 'shr_s64($1, ($2).x)')],
  [0x88, binary(I64, 'shr_u64($1, ($2).x)')],
  [0x89, binary(I64, 'rotl64($1, ($2).x)')],
  [0x8a, binary(I64, 'rotr64($1, ($2).x)')],
  [0xa7, unary('i64', 'i32', '($1).x')],
  [0xac, unary('i32', 'i64', 'wide_signed($1)')],
  [0xad, unary('i32', 'i64', 'wide($1)')],
  [0xc0, unary('i32', 'i32', 'extend8($1)')],
  [0xc1, unary('i32', 'i32', 'extend16($1)')],
  [0xc2, unary('i64', 'i64', 'wide_signed(extend8(($1).x))')],
  [0xc3, unary('i64', 'i64', 'wide_signed(extend16(($1).x))')],
  [0xc4, unary('i64', 'i64', 'wide_signed(($1).x)')],
]);

/** Loads: `$1` the address, `$2` the offset. */
export const LOADS: ReadonlyMap<number, { readonly type: ValueType; readonly text: string }> = new Map([
  [0x28, { type: 'i32', text: 'load32($1, $2)' }],
  [0x29, { type: 'i64', text: 'load64($1, $2)' }],
  [0x2c, { type: 'i32', text: 'extend8(load8($1, $2))' }],
  [0x2d, { type: 'i32', text: 'load8($1, $2)' }],
  [0x2e, { type: 'i32', text: 'extend16(load16($1, $2))' }],
  [0x2f, { type: 'i32', text: 'load16($1, $2)' }],
  [0x30, { type: 'i64', text: 'wide_signed(extend8(load8($1, $2)))' }],
  [0x31, { type: 'i64', text: 'wide(load8($1, $2))' }],
  [0x32, { type: 'i64', text: 'wide_signed(extend16(load16($1, $2)))' }],
  [0x33, { type: 'i64', text: 'wide(load16($1, $2))' }],
  [0x34, { type: 'i64', text: 'wide_signed(load32($1, $2))' }],
  [0x35, { type: 'i64', text: 'wide(load32($1, $2))' }],
] as const);

/** Stores: `$1` the address, `$2` the offset, `$3` the value. */
export const STORES: ReadonlyMap<number, string> = new Map([
  [0x36, 'store32($1, $2, $3)'],
  [0x37, 'store64($1, $2, $3)'],
  [0x3a, 'store8($1, $2, $3)'],
  [0x3b, 'store16($1, $2, $3)'],
  [0x3c, 'store8($1, $2, ($3).x)'],
  [0x3d, 'store16($1, $2, ($3).x)'],
  [0x3e, 'store32($1, $2, ($3).x)'],
]);

/**
 * Loads and stores of whole words. `at`: for a constant, aligned address below the declared minimum of memory and
 * inside the window, without checks or shifts; `$1` is the word's index, `$2` the next word's. `aligned`: for an
 * address that is a multiple of 4; `$1` is the address, `$2` the offset. In both, `$3` is the value.
 */
export const WORD_ACCESSES: ReadonlyMap<
  number,
  { readonly bytes: number; readonly at: string; readonly aligned: string }
> = new Map([
  [0x28, { bytes: 4, at: 'get_word($1)', aligned: 'load32_aligned($1, $2)' }],
  [0x29, { bytes: 8, at: 'vec2<u32>(get_word($1), get_word($2))', aligned: 'load64_aligned($1, $2)' }],
  [0x34, { bytes: 4, at: 'wide_signed(get_word($1))', aligned: 'wide_signed(load32_aligned($1, $2))' }],
  [0x35, { bytes: 4, at: 'wide(get_word($1))', aligned: 'wide(load32_aligned($1, $2))' }],
  [0x36, { bytes: 4, at: 'set_word($1, $3)', aligned: 'store32_aligned($1, $2, $3)' }],
  [0x37, { bytes: 8, at: 'set_words($1, $3)', aligned: 'store64_aligned($1, $2, $3)' }],
  [0x3e, { bytes: 4, at: 'set_word($1, ($3).x)', aligned: 'store32_aligned($1, $2, ($3).x)' }],
]);

/** Fills a template's `$1`, `$2`, `$3`. */
export function fill(template: string, ...operands: readonly string[]): string {
  return template.replace(/\$(\d)/g, (_, digit: string) => operands[Number(digit) - 1] ?? '');
}
