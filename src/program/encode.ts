import { ProgramError } from '../errors/errors.js';
import { typeByte } from './decode-code.js';
import type {
  BlockType,
  ConstantExpression,
  DataSegment,
  ElementSegment,
  ExportDefinition,
  GlobalDefinition,
  Instruction,
  RawBody,
  RawModule,
  ValueType,
  WasmModule,
} from './module.js';
import { FUNCREF, OP, opcodeInfo } from './opcodes.js';
import { Writer } from './writer.js';

const EXPORT_KIND = { func: 0, table: 1, memory: 2, global: 3 } as const;

const CODE_SECTION = 10;
/** The type f32, which stands for references in an erased module (erasure.ts). */
export const ERASED_FUNCREF = 0x7d;
const F32_CONST = 0x43;
/** For the sections that most modules have apart from their code, with some of their data. */
const ROOM_BESIDE_CODE = 64 * 1024;

function writeConstant(out: Writer, constant: ConstantExpression): void {
  if (constant.kind === 'i32') out.byte(OP.i32Const).i32(constant.value);
  else if (constant.kind === 'i64') out.byte(OP.i64Const).i64(constant.value);
  else if (constant.kind === 'ref.func') out.byte(OP.refFunc).u32(constant.index);
  else out.byte(OP.refNull).byte(FUNCREF);
  out.byte(OP.end);
}

function writeBlockType(out: Writer, block: BlockType): void {
  if (block.kind === 'empty') out.byte(0x40);
  else if (block.kind === 'value') out.byte(typeByte(block.type));
  else out.i32(block.index);
}

/** Writes one instruction; inverse of `readInstruction`. */
function writeInstruction(out: Writer, instruction: Instruction): void {
  const { op } = instruction;
  const info = opcodeInfo(op);
  if (!info) throw new ProgramError('WASM_UNSUPPORTED', 'an instruction cannot be encoded', { facts: { opcode: op } });
  if (op >= 0xfc00) out.byte(0xfc).u32(op & 0xff);
  else out.byte(op);
  switch (info.immediate) {
    case 'none':
      return;
    case 'index':
      out.u32(instruction.a!);
      return;
    case 'index2':
      out.u32(instruction.a!).u32(instruction.b!);
      return;
    case 'block':
      writeBlockType(out, instruction.block!);
      return;
    case 'brTable':
      out.u32(instruction.targets!.length - 1);
      for (const target of instruction.targets!) out.u32(target);
      return;
    case 'memory':
      out.u32(instruction.b!).u32(instruction.a!);
      return;
    case 'zero':
      out.byte(0);
      return;
    case 'zero2':
      out.byte(0).byte(0);
      return;
    case 'indexZero':
      out.u32(instruction.a!).byte(0);
      return;
    case 'i32':
      out.i32(instruction.a!);
      return;
    case 'i64':
      out.i64(instruction.value!);
      return;
    case 'select':
      out.u32(1).byte(instruction.a!);
      return;
    case 'refType':
      out.byte(FUNCREF);
  }
}

/** The bytes of a few instructions. */
export function encodeInstructions(code: readonly Instruction[]): Uint8Array {
  const out = new Writer();
  for (const instruction of code) writeInstruction(out, instruction);
  return out.finish();
}

/** Declarations of locals, equal neighbours together. */
function writeLocals(out: Writer, locals: readonly ValueType[], byteOf: TypeByte): void {
  if (locals.length === 0) {
    out.byte(0);
    return;
  }
  const runs: [number, ValueType][] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  out.vector(runs, ([count, type]) => out.u32(count).byte(byteOf(type)));
}

type TypeByte = (type: ValueType) => number;

const erasedTypeByte: TypeByte = (type) => (type === 'funcref' ? ERASED_FUNCREF : typeByte(type));

function writeGlobal(out: Writer, { type, mutable, init }: GlobalDefinition, byteOf: TypeByte): void {
  out.byte(byteOf(type)).byte(mutable ? 1 : 0);
  if (type !== 'funcref' || init.kind !== 'i32') {
    writeConstant(out, init);
    return;
  }
  // Of an erased module: the number's bits.
  const bits = new Uint8Array(4);
  new DataView(bits.buffer).setInt32(0, init.value, true);
  out.byte(F32_CONST).bytes(bits).byte(OP.end);
}

function writeElements(out: Writer, segment: ElementSegment): void {
  // Forms with expressions, because items may be ref.null: 4 active, 5 passive, 6 active with a table, 7 declarative.
  const flag = segment.mode === 'active' ? (segment.table === 0 ? 4 : 6) : segment.mode === 'passive' ? 5 : 7;
  out.u32(flag);
  if (flag === 6) out.u32(segment.table);
  if (segment.offset) writeConstant(out, segment.offset);
  if (flag !== 4) out.byte(FUNCREF);
  out.vector(segment.items, (item) => writeConstant(out, item));
}

function writeData(out: Writer, segment: DataSegment): void {
  out.u32(segment.mode === 'passive' ? 1 : 0);
  if (segment.offset) writeConstant(out, segment.offset);
  out.u32(segment.bytes.length).bytes(segment.bytes);
}

function writeLimits(out: Writer, min: number, max: number | undefined): void {
  out.byte(max === undefined ? 0 : 1).u32(min);
  if (max !== undefined) out.u32(max);
}

function writeExport(out: Writer, definition: ExportDefinition): void {
  out.name(definition.name).byte(EXPORT_KIND[definition.kind]).u32(definition.index);
}

/** Encodes a module in the binary format; `decodeModule` of the result gives it back. */
export function encodeModule(module: WasmModule): Uint8Array {
  return encode(module, module.functions, (inner, { code }) => {
    for (const instruction of code) writeInstruction(inner, instruction);
  });
}

/** Encodes a module whose instructions are bytes already. */
export function encodeRawModule(module: RawModule): Uint8Array {
  const room = module.bytes.length + ROOM_BESIDE_CODE;
  const write = (inner: Writer, { start, end }: RawBody): Writer => inner.range(module.bytes, start, end);
  return encode(module, module.bodies, write, room, module.erased ? erasedTypeByte : typeByte);
}

type WriteSection = (id: number, write: (section: Writer) => void) => void;

function writeImports(section: WriteSection, { imports, memory }: Pick<WasmModule, 'imports' | 'memory'>): void {
  const lent = memory?.imported ? memory : undefined;
  if (imports.length === 0 && !lent) return;
  section(2, (s) => {
    s.u32(imports.length + (lent ? 1 : 0));
    for (const i of imports) s.name(i.module).name(i.name).byte(0).u32(i.typeIndex);
    if (lent) writeLimits(s.name('env').name('memory').byte(EXPORT_KIND.memory), lent.minPages, lent.maxPages);
  });
}

function encode<T extends { readonly typeIndex: number; readonly locals: readonly ValueType[] }>(
  module: Omit<WasmModule, 'functions'>,
  functions: readonly T[],
  writeCode: (inner: Writer, body: T) => unknown,
  room?: number,
  byteOf: TypeByte = typeByte,
): Uint8Array {
  const out = new Writer(room);
  out.bytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const section: WriteSection = (id, write) => {
    const inner = new Writer(id === CODE_SECTION ? room : undefined);
    write(inner);
    out.byte(id).sized(inner);
  };
  const vector = <T>(id: number, items: readonly T[], write: (section: Writer, item: T) => void): void => {
    if (items.length > 0) section(id, (s) => s.vector(items, (item) => write(s, item)));
  };
  vector(1, module.types, (s, type) => {
    s.byte(0x60);
    s.vector(type.params, (t) => s.byte(byteOf(t)));
    s.vector(type.results, (t) => s.byte(byteOf(t)));
  });
  writeImports(section, module);
  vector(3, functions, (s, f) => s.u32(f.typeIndex));
  const { table, memory, start, dataCount } = module;
  if (table) section(4, (s) => writeLimits(s.u32(1).byte(FUNCREF), table.min, table.max));
  if (memory && !memory.imported) section(5, (s) => writeLimits(s.u32(1), memory.minPages, memory.maxPages));
  vector(6, module.globals, (s, g) => writeGlobal(s, g, byteOf));
  vector(7, module.exports, writeExport);
  if (start !== undefined) section(8, (s) => s.u32(start));
  vector(9, module.elements, writeElements);
  if (dataCount !== undefined) section(12, (s) => s.u32(dataCount));
  const body = new Writer();
  vector(CODE_SECTION, functions, (s, f) => {
    writeLocals(body.clear(), f.locals, byteOf);
    writeCode(body, f);
    s.sized(body);
  });
  vector(11, module.dataSegments, writeData);
  return out.finish();
}
