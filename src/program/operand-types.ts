/** Operand types of the instructions whose types do not depend on the module, in tables that are fast to look up. */
import { FUNCREF, OP } from './opcodes.js';

/** Type bytes; 0 is the unknown type of an operand that dead code makes up. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const UNKNOWN = 0;

const SIZE = 256;
/** 1 for an opcode that the tables describe. */
export const PLAIN = new Uint8Array(SIZE);
/** Type of the operand popped first and of the one popped second; 0 where there is none. */
export const FIRST = new Uint8Array(SIZE);
export const SECOND = new Uint8Array(SIZE);
/** Type of the result; 0 where there is none. */
export const RESULT = new Uint8Array(SIZE);
/** 1 + the exponent of the natural alignment for loads and stores, else 0. */
export const NATURAL = new Uint8Array(SIZE);

function define(from: number, to: number, operands: readonly number[], result: number): void {
  for (let op = from; op <= to; op++) {
    PLAIN[op] = 1;
    // The last operand is popped first.
    FIRST[op] = operands.at(-1) ?? 0;
    SECOND[op] = operands.length > 1 ? operands[0] : 0;
    RESULT[op] = result;
  }
}

function access(op: number, operands: readonly number[], result: number, alignment: number): void {
  define(op, op, operands, result);
  NATURAL[op] = alignment + 1;
}

define(OP.nop, OP.nop, [], 0);
define(0x45, 0x45, [I32], I32);
define(0x46, 0x4f, [I32, I32], I32);
define(0x50, 0x50, [I64], I32);
define(0x51, 0x5a, [I64, I64], I32);
define(0x67, 0x69, [I32], I32);
define(0x6a, 0x78, [I32, I32], I32);
define(0x79, 0x7b, [I64], I64);
define(0x7c, 0x8a, [I64, I64], I64);
define(0xa7, 0xa7, [I64], I32);
define(0xac, 0xad, [I32], I64);
define(0xc0, 0xc1, [I32], I32);
define(0xc2, 0xc4, [I64], I64);

access(0x28, [I32], I32, 2);
access(0x29, [I32], I64, 3);
for (const [first, result] of [
  [0x2c, I32],
  [0x30, I64],
] as const) {
  for (let i = 0; i < 4; i++) access(first + i, [I32], result, i >> 1);
}
access(0x34, [I32], I64, 2);
access(0x35, [I32], I64, 2);
access(0x36, [I32, I32], 0, 2);
access(0x37, [I32, I64], 0, 3);
access(0x3a, [I32, I32], 0, 0);
access(0x3b, [I32, I32], 0, 1);
access(0x3c, [I32, I64], 0, 0);
access(0x3d, [I32, I64], 0, 1);
access(0x3e, [I32, I64], 0, 2);

/** Operands, bottom first, of the instructions after 0xfc. */
export const PREFIXED: Readonly<Record<number, { readonly operands: readonly number[]; readonly result: number }>> = {
  [OP.memoryInit]: { operands: [I32, I32, I32], result: 0 },
  [OP.dataDrop]: { operands: [], result: 0 },
  [OP.memoryCopy]: { operands: [I32, I32, I32], result: 0 },
  [OP.memoryFill]: { operands: [I32, I32, I32], result: 0 },
  [OP.tableInit]: { operands: [I32, I32, I32], result: 0 },
  [OP.elemDrop]: { operands: [], result: 0 },
  [OP.tableCopy]: { operands: [I32, I32, I32], result: 0 },
  [OP.tableGrow]: { operands: [FUNCREF, I32], result: I32 },
  [OP.tableSize]: { operands: [], result: I32 },
  [OP.tableFill]: { operands: [I32, FUNCREF, I32], result: 0 },
};
