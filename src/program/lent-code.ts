/** Code of programs in a lent memory (lent-memory.ts): each access is checked against the bytes that they see. */
import { make } from './decode-code.js';
import type { FunctionType, Instruction, ValueType } from './module.js';
import { OP } from './opcodes.js';

const local = (index: number): Instruction => make(OP.localGet, index);
const constant = (value: number): Instruction => make(OP.i32Const, value);
const IF = make(OP.if, undefined, undefined, undefined, undefined, { kind: 'empty' });
const END = make(OP.end);

interface HelperCode {
  readonly type: FunctionType;
  readonly code: readonly Instruction[];
}

/** Traps unless the `length` bytes from `address` on lie within those seen, which are below 2^26: nothing overflows. */
function trapOutside(bytes: number, address: Instruction, length: Instruction): Instruction[] {
  const seen = make(OP.globalGet, bytes);
  return [
    ...[length, seen, make(OP.i32GtU), IF, make(OP.unreachable), END],
    ...[address, seen, length, make(OP.i32Sub), make(OP.i32GtU), IF, make(OP.unreachable), END],
  ];
}

function through(types: readonly ValueType[], checks: readonly Instruction[], results: number): HelperCode {
  const given = Array.from({ length: results }, (_, i) => local(i));
  return { type: { params: types, results: types.slice(0, results) }, code: [...checks, ...given, END] };
}

/** What checks an access and gives back its operands; `bytes` is the global. */
export const LENT_HELPERS = {
  /** (address, reach) -> address; the reach is the offset plus the bytes accessed. */
  load: (bytes: number) => through(['i32', 'i32'], trapOutside(bytes, local(0), local(1)), 1),
  /** (address, value, reach) -> (address, value) */
  storeI32: (bytes: number) => through(['i32', 'i32', 'i32'], trapOutside(bytes, local(0), local(2)), 2),
  storeI64: (bytes: number) => through(['i32', 'i64', 'i32'], trapOutside(bytes, local(0), local(2)), 2),
  /** (to, any, length), all given back: memory.fill, and memory.init, whose segment the engine checks. */
  target: (bytes: number) => through(['i32', 'i32', 'i32'], trapOutside(bytes, local(0), local(2)), 3),
  /** (to, from, length), all given back. */
  both: (bytes: number) =>
    through(
      ['i32', 'i32', 'i32'],
      [...trapOutside(bytes, local(0), local(2)), ...trapOutside(bytes, local(1), local(2))],
      3,
    ),
} as const;

/** Pages seen: memory.size. */
export function lentSize(bytes: number): Instruction[] {
  return [make(OP.globalGet, bytes), constant(16), make(OP.i32ShrU)];
}

/**
 * memory.grow by local 0, which was paid for, to at most the value `most` of pages; local 1 is free. The lent memory
 * has them already.
 */
export function lentGrow(bytes: number, most: Instruction): Instruction[] {
  return [
    ...[local(0), most, ...lentSize(bytes), make(OP.localTee, 1), make(OP.i32Sub), make(OP.i32GtU), IF],
    ...[constant(-1), make(OP.return), END],
    ...[local(0), local(1), make(OP.i32Add), constant(65_536), make(OP.i32Mul), make(OP.globalSet, bytes)],
    local(1),
  ];
}

/** Bytes that each load and store accesses, by opcode; 0 for all others. */
const WIDTHS: Readonly<Record<number, number>> = {
  ...{ 40: 4, 41: 8, 44: 1, 45: 1, 46: 2, 47: 2, 48: 1, 49: 1, 50: 2, 51: 2, 52: 4, 53: 4 },
  ...{ 54: 4, 55: 8, 58: 1, 59: 2, 60: 1, 61: 2, 62: 4 },
};
export const ACCESSES: readonly number[] = Object.keys(WIDTHS).map(Number);
const STORES_I64: readonly number[] = [0x37, 0x3c, 0x3d, 0x3e];

/** Which helper checks the access `op`. */
export function accessHelper(op: number): 'load' | 'storeI32' | 'storeI64' {
  if (op < OP.i32Store) return 'load';
  return STORES_I64.includes(op) ? 'storeI64' : 'storeI32';
}

/** Reach of an access at `offset`, as an i32 of the same bits; no memory has more than 2^32 - 1. */
export function reachOf(op: number, offset: number): number {
  return Math.min(0xffffffff, offset + WIDTHS[op]) | 0;
}
