/**
 * Code of programs in a lent memory (lent-memory.ts). Each access is checked against the program's window: the part of
 * the memory that the run has touched, which is all that has to be cleared behind it. An access outside of it either
 * lies beyond the bytes that the program sees, and traps, or widens the window.
 */
import { make } from './decode-code.js';
import { behindHiddenPage } from './hidden-page.js';
import type { FunctionType, Instruction, ValueType } from './module.js';
import { OP } from './opcodes.js';
import type { Writer } from './writer.js';

/** Indices of the globals of a program in a lent memory; all are i32 and hold addresses of the memory as it is. */
export interface LentGlobals {
  /** Bytes that the program sees. */
  readonly bytes: number;
  /** The window, `low` to `high`: nothing outside of it has been written to since the memory was cleared. */
  readonly low: number;
  readonly high: number;
  /** Addresses from `low` on at which {@link WIDEST} bytes lie in the window; 0 if there are none. */
  readonly room: number;
}

/** Bytes of the widest access. */
const WIDEST = 8;
/** Once it was widened, the window's bounds are multiples of this, but where the static data begins or ends it. */
const GRAIN = 4_096;

const local = (index: number): Instruction => make(OP.localGet, index);
const teeLocal = (index: number): Instruction => make(OP.localTee, index);
const get = (index: number): Instruction => make(OP.globalGet, index);
const set = (index: number): Instruction => make(OP.globalSet, index);
const constant = (value: number): Instruction => make(OP.i32Const, value);
const [ADD, SUB, AND, SELECT, END] = [OP.i32Add, OP.i32Sub, OP.i32And, OP.select, OP.end].map((op) => make(op));
const [LESS, GREATER] = [OP.i32LtU, OP.i32GtU].map((op) => make(op));
const IF = make(OP.if, undefined, undefined, undefined, undefined, { kind: 'empty' });

interface HelperCode {
  readonly type: FunctionType;
  readonly locals: number;
  readonly code: readonly Instruction[];
}

/** Traps unless the `length` bytes from `address` on lie within those seen, which are below 2^26: nothing overflows. */
function trapOutside(bytes: number, address: Instruction, length: Instruction): Instruction[] {
  const seen = get(bytes);
  return [
    ...[length, seen, GREATER, IF, make(OP.unreachable), END],
    ...[address, seen, length, SUB, GREATER, IF, make(OP.unreachable), END],
  ];
}

function through(types: readonly ValueType[], checks: readonly Instruction[], results: number): HelperCode {
  const given = Array.from({ length: results }, (_, i) => local(i));
  return { type: { params: types, results: types.slice(0, results) }, locals: 0, code: [...checks, ...given, END] };
}

const THREE: readonly ValueType[] = ['i32', 'i32', 'i32'];

/** Names of what {@link lentHelper} makes. */
export type LentHelperName = 'widen' | 'touch' | 'target' | 'both';

/**
 * A function that programs in a lent memory call. `hidden`: bytes below those that the program sees; `widen`: index of
 * the function of that name, for the others.
 */
export function lentHelper(
  name: LentHelperName,
  globals: LentGlobals,
  hidden: number,
  widen: () => number,
): HelperCode {
  if (name === 'widen') return widenHelper(globals);
  const { bytes } = globals;
  const target = trapOutside(bytes, local(0), local(2));
  switch (name) {
    case 'touch':
      return touchHelper(globals, hidden, widen());
    case 'target':
      return through(THREE, [...target, ...widenTo(widen(), hidden, local(0), local(2))], 3);
    case 'both': {
      const source = trapOutside(bytes, local(1), local(2));
      return through(THREE, [...target, ...source, ...widenTo(widen(), hidden, local(0), local(2))], 3);
    }
  }
}

/** Puts the `length` bytes at `address`, which the program sees, into its window. */
export function widenTo(widen: number, hidden: number, address: Instruction, length: Instruction): Instruction[] {
  const start = hidden === 0 ? [address] : [address, constant(hidden), ADD];
  return [length, IF, ...start, ...start, length, ADD, make(OP.call, widen), END];
}

/** (address, reach): traps if the access, which ends `reach` bytes behind `address`, lies outside; puts it inside. */
function touchHelper({ bytes }: LentGlobals, hidden: number, widen: number): HelperCode {
  const end = 2;
  const ends = [local(0), local(1), ADD, constant(hidden), ADD, teeLocal(end)];
  const start = [constant(0), local(end), constant(WIDEST), SUB, local(end), constant(WIDEST), LESS, SELECT];
  return {
    type: { params: ['i32', 'i32'], results: [] },
    locals: 1,
    code: [
      ...[...trapOutside(bytes, local(0), local(1)), ...ends, make(OP.drop), ...start, local(end)],
      ...[make(OP.call, widen), END],
    ],
  };
}

/**
 * (start, end): the window reaches from `start` or below to `end` or above. What the program sees ends with a page, so
 * that no window of whole grains reaches beyond it.
 */
function widenHelper({ low, high, room }: LentGlobals): HelperCode {
  const [start, end] = [0, 1];
  const mask = [constant(-GRAIN), AND];
  return {
    type: { params: ['i32', 'i32'], results: [] },
    locals: 0,
    code: [
      ...[local(start), ...mask, teeLocal(start), get(low), local(start), get(low), LESS, SELECT, set(low)],
      ...[local(end), constant(GRAIN - 1), ADD, ...mask, teeLocal(end)],
      ...[get(high), local(end), get(high), GREATER, SELECT, set(high)],
      ...[get(high), get(low), SUB, constant(WIDEST - 1), SUB, set(room), END],
    ],
  };
}

/** The globals `low`, `high` and `room` of a program whose window begins as `start` to `end`; of no bytes if equal. */
export function windowOf(start: number, end: number): readonly [low: number, high: number, room: number] {
  return start < end ? [start, end, Math.max(0, end - start - WIDEST + 1)] : [-1, 0, 0];
}

/** Pages seen: memory.size. */
export function lentSize(bytes: number): Instruction[] {
  return [get(bytes), constant(16), make(OP.i32ShrU)];
}

/**
 * memory.grow by local 0, which was paid for, to at most the value `most` of pages; local 1 is free. The lent memory
 * itself grows where it is too small; `failed` is what happens if the machine has no memory left.
 */
export function lentGrow(
  bytes: number,
  most: Instruction,
  hiddenPages: number,
  failed: readonly Instruction[],
): Instruction[] {
  const lacking = [local(0), local(1), ADD, constant(hiddenPages), ADD, make(OP.memorySize, 0)];
  return [
    ...[local(0), most, ...lentSize(bytes), teeLocal(1), SUB, GREATER, IF],
    ...[constant(-1), make(OP.return), END, ...lacking, GREATER, IF],
    ...[...lacking, SUB, make(OP.memoryGrow, 0), constant(-1), make(OP.i32Eq), IF, ...failed, END, END],
    ...[local(0), local(1), ADD, constant(65_536), make(OP.i32Mul), set(bytes)],
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

/** Locals that the checks of a body use: an address, and a value to be stored of each type. */
export const CHECK_LOCALS: readonly ValueType[] = ['i32', 'i32', 'i64'];

/** Reach of an access at `offset`, as an i32 of the same bits; no memory has more than 2^32 - 1. */
function reachOf(op: number, offset: number): number {
  return Math.min(0xffffffff, offset + WIDTHS[op]) | 0;
}

/**
 * Writes what stands before the load or store `op` at `offset`, whose operands it takes and gives back. The first of
 * {@link CHECK_LOCALS} is `locals`; `touch` is the index of that helper.
 *
 * The check is that of 32-bit numbers. Where address and offset together pass 2^32 it may say anything: the engine,
 * which adds them without loss, traps at the access itself, for no memory is as large.
 */
export function writeCheck(
  to: Writer,
  [op, offset]: readonly [op: number, offset: number],
  { low, room }: LentGlobals,
  hidden: number,
  locals: number,
  touch: number,
): void {
  const value = locals + (STORES_I64.includes(op) ? 2 : 1);
  const isStore = op >= OP.i32Store;
  if (isStore) to.byte(OP.localSet).u32(value);
  to.byte(OP.localTee).u32(locals);
  const place = hidden === 0 ? offset : behindHiddenPage(offset);
  if (place !== 0) to.byte(OP.i32Const).i32(place).byte(OP.i32Add);
  to.byte(OP.globalGet).u32(low).byte(OP.i32Sub).byte(OP.globalGet).u32(room).byte(I32_GE_U).byte(OP.if).byte(EMPTY);
  to.byte(OP.localGet).u32(locals).byte(OP.i32Const).i32(reachOf(op, offset)).byte(OP.call).u32(touch).byte(OP.end);
  to.byte(OP.localGet).u32(locals);
  if (isStore) to.byte(OP.localGet).u32(value);
}

const I32_GE_U = 0x4f;
const EMPTY = 0x40;
