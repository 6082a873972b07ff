import { make } from './decode-code.js';
import type { Instruction } from './module.js';
import { OP } from './opcodes.js';
import { WHY_FUEL, WHY_HOST, WHY_STACK } from './types.js';

/** Indices of the three globals that instrumentation adds. */
export interface Counters {
  readonly fuel: number;
  readonly stack: number;
  readonly why: number;
}

/** Function indices of the helpers: (i32) -> i32 each. */
export interface Helpers {
  /** Charges 1 per started 64 of its operand and gives it back. */
  readonly bulk64: number;
  /** Charges 1 per started 8 of its operand and gives it back. */
  readonly bulk8: number;
  /** memory.grow with its charge. */
  readonly grow: number;
}

const get = (index: number): Instruction => make(OP.globalGet, index);
const set = (index: number): Instruction => make(OP.globalSet, index);
const local = (index: number): Instruction => make(OP.localGet, index);
const setLocal = (index: number): Instruction => make(OP.localSet, index);
const constant = (value: number): Instruction => make(OP.i32Const, value);
const IF = make(OP.if, undefined, undefined, undefined, undefined, { kind: 'empty' });
const END = make(OP.end);

function trap(counters: Counters, why: number): Instruction[] {
  return [constant(why), set(counters.why), make(OP.unreachable)];
}

/** `counter -= amount`, or the trap `why` if `counter` is smaller. The counter is never below 0. */
function take(counters: Counters, counter: number, amount: Instruction, why: number): Instruction[] {
  return [
    get(counter),
    amount,
    make(OP.i32LtU),
    IF,
    ...trap(counters, why),
    END,
    get(counter),
    amount,
    make(OP.i32Sub),
    set(counter),
  ];
}

/** Charge of one basic block. */
export function chargeFuel(counters: Counters, cost: number): Instruction[] {
  return take(counters, counters.fuel, constant(cost), WHY_FUEL);
}

/** Taking a frame's slots at entry. */
export function stackEnter(counters: Counters, slots: number): Instruction[] {
  return take(counters, counters.stack, constant(slots), WHY_STACK);
}

/** Giving them back at exit; leaves the results on the operand stack alone. */
export function stackLeave(counters: Counters, slots: number): Instruction[] {
  return [get(counters.stack), constant(slots), make(OP.i32Add), set(counters.stack)];
}

/** The whole body of a function whose frame is larger than the budget. */
export function stackTrap(counters: Counters): Instruction[] {
  return trap(counters, WHY_STACK);
}

/** Body of `bulk64` (shift 6) and `bulk8` (shift 3): local 0 is the length, local 1 the cost. The length is unsigned. */
export function bulkHelper(counters: Counters, shift: number): Instruction[] {
  return [
    local(0),
    constant(shift),
    make(OP.i32ShrU),
    local(0),
    constant((1 << shift) - 1),
    make(OP.i32And),
    constant(0),
    make(OP.i32Ne),
    make(OP.i32Add),
    setLocal(1),
    ...take(counters, counters.fuel, local(1), WHY_FUEL),
    local(0),
    END,
  ];
}

/**
 * Body of `grow`: 1,000 per page asked for, compared as pages > fuel / 1,000 so that nothing overflows.
 * A failure although the pages are within the maximum is the host's: it must stop (lane rules 4), so it traps with WHY_HOST.
 */
export function memoryGrowHelper(counters: Counters, maxPages: number): Instruction[] {
  return [
    local(0),
    get(counters.fuel),
    constant(1_000),
    make(OP.i32DivU),
    make(OP.i32GtU),
    IF,
    ...trap(counters, WHY_FUEL),
    END,
    get(counters.fuel),
    local(0),
    constant(1_000),
    make(OP.i32Mul),
    make(OP.i32Sub),
    set(counters.fuel),
    local(0),
    make(OP.memoryGrow, 0),
    make(OP.localTee, 1),
    constant(-1),
    make(OP.i32Eq),
    IF,
    local(0),
    constant(maxPages),
    make(OP.memorySize, 0),
    make(OP.i32Sub),
    make(OP.i32LeU),
    IF,
    ...trap(counters, WHY_HOST),
    END,
    END,
    local(1),
    END,
  ];
}
