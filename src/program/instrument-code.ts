import { WHY_FUEL, WHY_HOST, WHY_STACK } from './counters.js';
import { make } from './decode-code.js';
import { type LentGlobals, lentGrow } from './lent-code.js';
import type { Instruction } from './module.js';
import { OP } from './opcodes.js';
import { BULK } from './prices.js';

/** Indices of the three globals that instrumentation adds. */
export interface Counters {
  readonly fuel: number;
  readonly stack: number;
  readonly why: number;
  /** Of a program in a lent memory. */
  readonly lent: LentGlobals | undefined;
  /** Of a program for V8: the most pages that its memory may have. */
  readonly pages: number | undefined;
}

/** Function indices of the helpers: (i32) -> i32 each; those of lent memories are in lent-code.ts. */
export interface Helpers {
  /** Charges the bytes of a memory instruction, which are its operand, and gives them back. */
  readonly memoryBulk: number;
  /** The same for the elements of a table instruction. */
  readonly tableBulk: number;
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

/** Takes what a memory instruction costs for its bytes: local `length`, unsigned. Local `cost` is free. */
export function payBytes(counters: Counters, length: number, cost: number): Instruction[] {
  return [
    local(length),
    constant(BULK.memoryShift),
    make(OP.i32ShrU),
    local(length),
    constant((1 << BULK.memoryShift) - 1),
    make(OP.i32And),
    constant(0),
    make(OP.i32Ne),
    make(OP.i32Add),
    setLocal(cost),
    ...take(counters, counters.fuel, local(cost), WHY_FUEL),
  ];
}

/** Body of `memoryBulk`: local 0 is the length, local 1 the cost. */
export function memoryBulkHelper(counters: Counters): Instruction[] {
  return [...payBytes(counters, 0, 1), local(0), END];
}

/**
 * `fuel -= price * count`, or the trap if fuel is smaller: compared as count > fuel / price, so that nothing overflows.
 * The count is a local, unsigned.
 */
function takeTimes(counters: Counters, price: number, count = 0): Instruction[] {
  return [
    local(count),
    get(counters.fuel),
    constant(price),
    make(OP.i32DivU),
    make(OP.i32GtU),
    IF,
    ...trap(counters, WHY_FUEL),
    END,
    get(counters.fuel),
    local(count),
    constant(price),
    make(OP.i32Mul),
    make(OP.i32Sub),
    set(counters.fuel),
  ];
}

/** Takes what a table instruction costs for its elements: local `count`, unsigned. */
export function payElements(counters: Counters, count: number): Instruction[] {
  return takeTimes(counters, BULK.tableElement, count);
}

/** Body of `tableBulk`: local 0 is the number of elements. */
export function tableBulkHelper(counters: Counters): Instruction[] {
  return [...payElements(counters, 0), local(0), END];
}

/**
 * Body of `grow`. A failure although the pages are within the maximum is the host's: it must stop (lane rules 4), so it
 * traps with WHY_HOST.
 */
export function memoryGrowHelper(counters: Counters, maxPages: number, hiddenPages = 0): Instruction[] {
  const most = counters.pages === undefined ? constant(maxPages) : get(counters.pages);
  return [
    ...take(counters, counters.fuel, constant(BULK.grow), WHY_FUEL),
    ...takeTimes(counters, BULK.growPage),
    ...(counters.lent === undefined
      ? [...ownGrow(counters, most, hiddenPages), ...pagesSeen(hiddenPages)]
      : lentGrow(counters.lent.bytes, most, hiddenPages, trap(counters, WHY_HOST))),
    END,
  ];
}

/** What memory.grow gave, the top of the stack, less the hidden pages. */
function pagesSeen(hiddenPages: number): Instruction[] {
  return hiddenPages === 0 ? [] : [constant(hiddenPages), make(OP.i32Sub)];
}

/** memory.grow by local 0, which was paid for, as a value that is not -1; local 1 is free. */
function ownGrow(counters: Counters, most: Instruction, hiddenPages: number): Instruction[] {
  const hidden = hiddenPages === 0 ? [] : [constant(hiddenPages), make(OP.i32Add)];
  return [
    ...[local(0), most, ...hidden, make(OP.memorySize, 0), make(OP.i32Sub), make(OP.i32GtU), IF],
    ...[constant(-1), make(OP.return), END],
    ...[local(0), make(OP.memoryGrow, 0), make(OP.localTee, 1), constant(-1), make(OP.i32Eq), IF],
    ...[...trap(counters, WHY_HOST), END, local(1)],
  ];
}
