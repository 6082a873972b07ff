/**
 * How much memory an engine's machine code for a function takes, by its instructions. An estimate to bound caches with:
 * what V8's baseline compiler makes of instrumented code was measured (bench/attacks/code-size.mjs), fuel charges and
 * tables for traps included; nothing that a program can see depends on it.
 */
import { OP } from './opcodes.js';

const OTHERS = 16;
const ACCESS = 48;
const DIVISION = 64;
/** With the charge of the basic block that begins behind it. */
const BRANCH = 96;
const CALL = 64;
const BULK = 160;

/** Bytes of machine code by opcode; 0xfc stands for all that it is the prefix of. */
export const CODE_BYTES = new Uint8Array(256).fill(OTHERS);
const set = (bytes: number, ...ops: number[]): void => {
  for (const op of ops) CODE_BYTES[op] = bytes;
};
// Constants and locals are operands of the instructions that use them.
set(0, OP.nop, OP.block, OP.drop, OP.i32Const, OP.i64Const, OP.localGet);
set(BRANCH, OP.unreachable, OP.loop, OP.if, OP.else, OP.end, OP.br, OP.brIf, OP.brTable, OP.return);
set(CALL, OP.call);
set(BULK, OP.callIndirect, OP.memoryGrow, OP.tableGet, OP.tableSet, OP.refFunc, 0xfc);
for (let op = OP.i32Load; op < OP.memorySize; op++) CODE_BYTES[op] = ACCESS;
for (let op = OP.i32DivU - 1; op < OP.i32And; op++) CODE_BYTES[op] = DIVISION;
for (let op = OP.i64Add + 3; op < OP.i64Add + 7; op++) CODE_BYTES[op] = DIVISION;

/** Bytes for each function, control instruction or label, and unit of compile work (lane rules 3). */
export const CODE_BYTES_OF = { function: 512, label: 16, work: 1 } as const;
