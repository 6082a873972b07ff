/** The instructions a program may use: integers, sign extension, bulk memory, multi-value and function references. */

/** How the bytes after an opcode are read. */
export type ImmediateKind =
  | 'none'
  | 'block'
  | 'index'
  | 'index2'
  | 'brTable'
  | 'memory'
  | 'zero'
  | 'zero2'
  | 'indexZero'
  | 'i32'
  | 'i64'
  | 'select'
  | 'refType';

export interface OpcodeInfo {
  readonly immediate: ImmediateKind;
}

/** Opcodes that the pipeline names; 0xfc-prefixed ones are `0xfc00 | sub-opcode`. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Store: 0x36,
  i64Store: 0x37,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivU: 0x6e,
  i32And: 0x71,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Xor: 0x85,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
  tableInit: 0xfc0c,
  elemDrop: 0xfc0d,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableSize: 0xfc10,
  tableFill: 0xfc11,
} as const;

/** Byte of the function reference type, the only reference type allowed. */
export const FUNCREF = 0x70;

const single: (OpcodeInfo | undefined)[] = new Array(256).fill(undefined);
const prefixed: (OpcodeInfo | undefined)[] = new Array(32).fill(undefined);

function define(from: number, to: number, immediate: ImmediateKind): void {
  for (let op = from; op <= to; op++) {
    const info: OpcodeInfo = { immediate };
    if (op >= 0xfc00) prefixed[op & 0xff] = info;
    else single[op] = info;
  }
}

define(OP.unreachable, OP.unreachable, 'none');
define(OP.nop, OP.nop, 'none');
define(OP.block, OP.if, 'block');
define(OP.else, OP.else, 'none');
define(OP.end, OP.end, 'none');
define(OP.br, OP.brIf, 'index');
define(OP.brTable, OP.brTable, 'brTable');
define(OP.return, OP.return, 'none');
define(OP.call, OP.call, 'index');
define(OP.callIndirect, OP.callIndirect, 'index2');
define(OP.drop, OP.drop, 'none');
define(OP.select, OP.select, 'none');
define(OP.selectTyped, OP.selectTyped, 'select');
define(OP.localGet, OP.localGet, 'index');
define(OP.localSet, OP.localSet, 'index');
define(OP.localTee, OP.localTee, 'index');
define(OP.globalGet, OP.globalGet, 'index');
define(OP.globalSet, OP.globalSet, 'index');
define(OP.tableGet, OP.tableGet, 'index');
define(OP.tableSet, OP.tableSet, 'index');
define(0x28, 0x29, 'memory');
define(0x2c, 0x35, 'memory');
define(0x36, 0x37, 'memory');
define(0x3a, 0x3e, 'memory');
define(OP.memorySize, OP.memorySize, 'zero');
define(OP.memoryGrow, OP.memoryGrow, 'zero');
define(OP.i32Const, OP.i32Const, 'i32');
define(OP.i64Const, OP.i64Const, 'i64');
define(0x45, 0x45, 'none');
define(0x46, 0x4f, 'none');
define(0x50, 0x50, 'none');
define(0x51, 0x5a, 'none');
define(0x67, 0x69, 'none');
define(0x6a, 0x78, 'none');
define(0x79, 0x7b, 'none');
define(0x7c, 0x8a, 'none');
define(0xa7, 0xa7, 'none');
define(0xac, 0xad, 'none');
define(0xc0, 0xc4, 'none');
define(OP.refNull, OP.refNull, 'refType');
define(OP.refIsNull, OP.refIsNull, 'none');
define(OP.refFunc, OP.refFunc, 'index');
define(OP.memoryInit, OP.memoryInit, 'indexZero');
define(OP.dataDrop, OP.dataDrop, 'index');
define(OP.memoryCopy, OP.memoryCopy, 'zero2');
define(OP.memoryFill, OP.memoryFill, 'zero');
define(OP.tableInit, OP.tableInit, 'index2');
define(OP.elemDrop, OP.elemDrop, 'index');
define(OP.tableCopy, OP.tableCopy, 'index2');
define(OP.tableGrow, OP.tableGrow, 'index');
define(OP.tableSize, OP.tableSize, 'index');
define(OP.tableFill, OP.tableFill, 'index');

/** What `op` reads; undefined if a program may not use it. */
export function opcodeInfo(op: number): OpcodeInfo | undefined {
  if (op < 0x100) return single[op];
  return op >= 0xfc00 && op < 0xfc20 ? prefixed[op & 0xff] : undefined;
}

/** True for the floating-point instructions, which get an error of their own. */
export function isFloatOpcode(op: number): boolean {
  if (op >= 0xfc00) return op <= 0xfc07;
  if (op === 0x2a || op === 0x2b || op === 0x38 || op === 0x39 || op === 0x43 || op === 0x44) return true;
  if ((op >= 0x5b && op <= 0x66) || (op >= 0x8b && op <= 0xa6)) return true;
  return (op >= 0xa8 && op <= 0xab) || (op >= 0xae && op <= 0xbf);
}
