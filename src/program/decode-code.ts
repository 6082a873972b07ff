import { ProgramError } from '../errors/errors.js';
import { LIMITS } from './limits.js';
import type { BlockType, Instruction, ValueType } from './module.js';
import { FUNCREF, isFloatOpcode, OP, opcodeInfo } from './opcodes.js';
import { malformed, overLimit, type Reader } from './reader.js';

/** One value type; floats and vectors are `WASM_FLOAT`, other unknown types `WASM_UNSUPPORTED`. */
export function readValueType(reader: Reader): ValueType {
  const byte = reader.byte();
  if (byte === 0x7f) return 'i32';
  if (byte === 0x7e) return 'i64';
  if (byte === FUNCREF) return 'funcref';
  if (byte === 0x7d || byte === 0x7c || byte === 0x7b) {
    throw new ProgramError('WASM_FLOAT', 'floating-point and vector types are not allowed', {
      facts: { offset: reader.at - 1, type: byte },
    });
  }
  throw unsupported('value type', byte, reader.at - 1);
}

export function unsupported(what: string, code: number, at: number): ProgramError {
  return new ProgramError('WASM_UNSUPPORTED', `${what} 0x${code.toString(16)} is not allowed`, {
    facts: { offset: at },
    hint: 'Programs may use integers, sign extension, bulk memory, multi-value and function references.',
  });
}

function readBlockType(reader: Reader): BlockType {
  const next = reader.bytes[reader.at];
  if (reader.done) throw malformed('the module ends too early', reader.at);
  if (next === 0x40) {
    reader.at++;
    return EMPTY_BLOCK;
  }
  // One-byte value types have bit 6 set, which makes them negative numbers; type indices are not negative.
  if (next < 0x80 && next & 0x40) return { kind: 'value', type: readValueType(reader) };
  const at = reader.at;
  // A 33-bit signed number; only its 32-bit non-negative values are type indices, and no module has 2^31 types.
  const index = reader.i32();
  if (index < 0) throw malformed('a block type is not a type index', at);
  return { kind: 'type', index };
}

const EMPTY_BLOCK: BlockType = { kind: 'empty' };

/** Instructions without immediates and with one small index are shared: a large body then costs a pointer for each. */
const plain = new Map<number, Instruction>();

function shared(op: number, a: number): Instruction {
  const key = op * 256 + a;
  let found = plain.get(key);
  if (!found) {
    found = make(op, a);
    plain.set(key, found);
  }
  return found;
}

/** Builds an instruction with all fields, so that every one has the same shape. */
export function make(
  op: number,
  a?: number,
  b?: number,
  value?: bigint,
  targets?: readonly number[],
  block?: BlockType,
): Instruction {
  return { op, a, b, value, targets, block };
}

const bare: Instruction[] = [];

function withoutImmediate(op: number): Instruction {
  if (op >= 256) return make(op);
  bare[op] ??= make(op);
  return bare[op];
}

function zeroByte(reader: Reader): number {
  if (reader.byte() !== 0) throw malformed('a reserved byte is not zero', reader.at - 1);
  return 0;
}

function readTargets(reader: Reader): number[] {
  const count = reader.count();
  if (count > LIMITS.brTable) throw overLimit('brTable', count);
  const targets: number[] = [];
  for (let i = 0; i <= count; i++) targets.push(reader.u32());
  return targets;
}

/** Why `op` (0xfc-prefixed: `0xfc00 | sub-opcode`) may not be used; `at` is its place. */
export function refusedOpcode(op: number, at: number): ProgramError {
  if (!isFloatOpcode(op) && op !== 0xfd) return unsupported('instruction', op, at);
  return new ProgramError('WASM_FLOAT', 'floating-point and vector instructions are not allowed', {
    facts: { offset: at, opcode: op },
  });
}

/** The opcode after 0xfc, as `0xfc00 | sub-opcode`. */
export function readPrefixed(reader: Reader, at: number): number {
  const sub = reader.u32();
  if (sub >= 0x20) throw unsupported('instruction 0xfc', sub, at);
  return 0xfc00 | sub;
}

/** Reads one instruction; throws `ProgramError` for any that a program may not use. */
function readInstruction(reader: Reader): Instruction {
  const at = reader.at;
  let op = reader.byte();
  if (op === 0xfc) {
    op = readPrefixed(reader, at);
  }
  const info = opcodeInfo(op);
  if (!info) throw refusedOpcode(op, at);
  switch (info.immediate) {
    case 'none':
      return withoutImmediate(op);
    case 'index': {
      const a = reader.u32();
      return a < 256 ? shared(op, a) : make(op, a);
    }
    case 'index2': {
      const a = reader.u32();
      return make(op, a, reader.u32());
    }
    case 'block':
      return make(op, undefined, undefined, undefined, undefined, readBlockType(reader));
    case 'brTable':
      return make(op, undefined, undefined, undefined, readTargets(reader));
    case 'memory': {
      const align = reader.u32();
      if (align > 3) throw malformed('an alignment is larger than any access', at);
      return make(op, reader.u32(), align);
    }
    case 'zero':
      return shared(op, zeroByte(reader));
    case 'zero2':
      zeroByte(reader);
      return make(op, 0, zeroByte(reader));
    case 'indexZero': {
      const a = reader.u32();
      return make(op, a, zeroByte(reader));
    }
    case 'i32': {
      const a = reader.i32();
      return a >= 0 && a < 256 ? shared(op, a) : make(op, a);
    }
    case 'i64':
      return make(op, undefined, undefined, reader.i64());
    case 'select': {
      if (reader.u32() !== 1) throw malformed('select names more than one type', at);
      return make(op, typeByte(readValueType(reader)));
    }
    case 'refType': {
      const type = reader.byte();
      if (type !== FUNCREF) throw unsupported('reference type', type, reader.at - 1);
      return shared(op, type);
    }
  }
}

/** The byte that encodes a value type. */
export function typeByte(type: ValueType): number {
  return type === 'i32' ? 0x7f : type === 'i64' ? 0x7e : FUNCREF;
}

/**
 * Reads instructions up to the `end` that closes the outermost block, nesting at most as deep as the limit.
 * The nesting limit is checked here because all later steps may recurse over blocks.
 */
export function readBody(reader: Reader): Instruction[] {
  const code: Instruction[] = [];
  let depth = 0;
  for (;;) {
    const instruction = readInstruction(reader);
    code.push(instruction);
    if (instruction.op === OP.block || instruction.op === OP.loop || instruction.op === OP.if) {
      if (++depth > LIMITS.nesting) throw overLimit('nesting', depth);
    } else if (instruction.op === OP.end && depth-- === 0) {
      if (!reader.done) throw malformed('bytes follow the end of a function', reader.at);
      return code;
    }
  }
}
