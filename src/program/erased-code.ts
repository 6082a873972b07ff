/**
 * Code of programs whose table is kept as numbers in the hidden page (hidden-page.ts): what stands for the instructions
 * on tables and on bulk memory. A reference is an f32 whose bits are the number: contracts have no floats, so that
 * types which differ by references go on to differ.
 */
import { concatBytes } from '../util/bytes.js';
import { make } from './decode-code.js';
import { encodeInstructions } from './encode.js';
import { ELEMENT_SHIFT, HIDDEN_BYTES, HIDDEN_PAGES, NULL_ELEMENT, TABLE_AT } from './hidden-page.js';
import { type Counters, payBytes, payElements } from './instrument-code.js';
import { widenTo } from './lent-code.js';
import type { FunctionType, Instruction, ValueType } from './module.js';
import { OP } from './opcodes.js';

/** i32.reinterpret_f32 and f32.reinterpret_i32, which move bits as they are. No program can have them. */
export const NUMBER_OF_REFERENCE = Uint8Array.of(0xbc);
export const REFERENCE_OF_NUMBER = Uint8Array.of(0xbe);

/** Up to this many elements a loop is faster than the engine's copying. */
const LOOPED_ELEMENTS = 15;

const local = (index: number): Instruction => make(OP.localGet, index);
const setLocal = (index: number): Instruction => make(OP.localSet, index);
const constant = (value: number): Instruction => make(OP.i32Const, value | 0);
const opener = (op: number): Instruction => make(op, undefined, undefined, undefined, undefined, { kind: 'empty' });
const [IF, BLOCK, LOOP] = [OP.if, OP.block, OP.loop].map(opener);
const [END, RETURN, ADD, SUB, GT_U] = [OP.end, OP.return, OP.i32Add, OP.i32Sub, OP.i32GtU].map((op) => make(op));
const SHL = make(0x74);
const TRAP_IF = [IF, make(OP.unreachable), END];
const LOAD_ELEMENT = make(OP.i32Load, TABLE_AT, ELEMENT_SHIFT);
const STORE_ELEMENT = make(OP.i32Store, TABLE_AT, ELEMENT_SHIFT);
const LOAD_BYTE = 0x2d;
const STORE_BYTE = 0x3a;

/** A function that stands for an instruction: it takes the operands, and what they cost off the fuel. */
export interface ErasedFunction {
  readonly type: FunctionType;
  readonly locals: readonly ValueType[];
  readonly code: Uint8Array;
}

/** Parts that are bytes are instructions that no program can have. */
function erased(
  [params, results]: readonly [readonly ValueType[], readonly ValueType[]],
  locals: number,
  parts: readonly (Instruction | Uint8Array)[],
): ErasedFunction {
  const code = [...parts, END].map((part) => (part instanceof Uint8Array ? part : encodeInstructions([part])));
  return { type: { params, results }, locals: new Array<ValueType>(locals).fill('i32'), code: concatBytes(...code) };
}

/** Traps unless the `length` from `start` on lie within `size`; nothing overflows. */
function within(size: readonly Instruction[], start: Instruction, length: Instruction): Instruction[] {
  return [length, ...size, GT_U, ...TRAP_IF, start, ...size, length, SUB, GT_U, ...TRAP_IF];
}

const bytesOf = (elements: Instruction): Instruction[] => [elements, constant(ELEMENT_SHIFT), SHL];
const placeOf = (element: Instruction): Instruction[] => [...bytesOf(element), constant(TABLE_AT), ADD];
const move = (index: number, by: number): Instruction[] => [local(index), constant(by), ADD, setLocal(index)];

/** Repeats `body` until local `at` equals local `end`. */
function until(at: number, end: number, body: readonly Instruction[]): Instruction[] {
  return [BLOCK, LOOP, local(at), local(end), make(OP.i32Eq), make(OP.brIf, 1), ...body, make(OP.br, 0), END, END];
}

/** (element) -> reference: table.get in a table of `size` elements. */
export function tableGet(size: Instruction): ErasedFunction {
  const check = within([size], local(0), constant(1));
  return erased([['i32'], ['funcref']], 0, [...check, ...bytesOf(local(0)), LOAD_ELEMENT, REFERENCE_OF_NUMBER]);
}

/** (element, reference): table.set. */
export function tableSet(size: Instruction): ErasedFunction {
  const stored = [...bytesOf(local(0)), local(1), NUMBER_OF_REFERENCE, STORE_ELEMENT];
  return erased([['i32', 'funcref'], []], 0, [...within([size], local(0), constant(1)), ...stored]);
}

/** (first, reference, count): table.fill. `counters`: of whom it takes the cost, if it is not paid yet. */
export function tableFill(size: Instruction, counters: Counters | undefined): ErasedFunction {
  const [at, end, number] = [3, 4, 5];
  const nulls = [
    ...[local(number), make(OP.i32Eqz), local(2), constant(LOOPED_ELEMENTS), GT_U, make(OP.i32And), IF],
    ...[...placeOf(local(0)), constant(0), ...bytesOf(local(2)), make(OP.memoryFill, 0), RETURN, END],
  ];
  return erased([['i32', 'funcref', 'i32'], []], 3, [
    ...(counters === undefined ? [] : payElements(counters, 2)),
    ...[...within([size], local(0), local(2)), local(1), NUMBER_OF_REFERENCE, setLocal(number), ...nulls],
    ...[...bytesOf(local(0)), make(OP.localTee, at), ...bytesOf(local(2)), ADD, setLocal(end)],
    ...until(at, end, [local(at), local(number), STORE_ELEMENT, ...move(at, 1 << ELEMENT_SHIFT)]),
  ]);
}

/** (to, from, count): table.copy, whose ranges may overlap. */
export function tableCopy(size: Instruction, counters: Counters): ErasedFunction {
  const [to, from, end] = [3, 4, 5];
  const one = [local(to), local(from), LOAD_ELEMENT, STORE_ELEMENT];
  const step = 1 << ELEMENT_SHIFT;
  const starts = [...bytesOf(local(0)), setLocal(to), ...bytesOf(local(1)), setLocal(from)];
  const upwards = until(to, end, [...one, ...move(to, step), ...move(from, step)]);
  const downwards = until(to, end, [...move(to, -step), ...move(from, -step), ...one]);
  const beyond = (index: number): Instruction[] => [local(index), ...bytesOf(local(2)), ADD, setLocal(index)];
  return erased([['i32', 'i32', 'i32'], []], 3, [
    ...[...payElements(counters, 2), ...within([size], local(0), local(2)), ...within([size], local(1), local(2))],
    ...[local(2), constant(LOOPED_ELEMENTS), GT_U, IF, ...placeOf(local(0)), ...placeOf(local(1))],
    ...[...bytesOf(local(2)), make(OP.memoryCopy, 0, 0), RETURN, END, ...starts],
    ...[local(0), local(1), make(OP.i32LeU), IF],
    ...[local(to), ...bytesOf(local(2)), ADD, setLocal(end), ...upwards, RETURN, END],
    ...[local(to), setLocal(end), ...beyond(to), ...beyond(from), ...downwards],
  ]);
}

/** Elements or bytes of a segment: `length`, or none once the byte at `droppedAt` says so. */
function available(length: number, droppedAt: number): Instruction[] {
  return [constant(0), constant(length), constant(0), make(LOAD_BYTE, droppedAt, 0), make(OP.select)];
}

/** A segment that an instruction lays out: its number among those of data, and the byte that says it is dropped. */
export interface Laid {
  /** Undefined for a segment of elements that is dropped from the start. */
  readonly data: number | undefined;
  /** Elements or bytes; none for a segment that is dropped from the start. */
  readonly length: number;
  readonly droppedAt: number;
}

/** (to, from, count): table.init. */
export function tableInit(size: Instruction, counters: Counters, { data, length, droppedAt }: Laid): ErasedFunction {
  const rest = 3;
  const checks = [...available(length, droppedAt), setLocal(rest), ...within([local(rest)], local(1), local(2))];
  const copied =
    data === undefined
      ? []
      : [
          ...[local(2), make(OP.i32Eqz), IF, RETURN, END],
          ...[...placeOf(local(0)), ...bytesOf(local(1)), ...bytesOf(local(2)), make(OP.memoryInit, data)],
        ];
  const inTable = [...payElements(counters, 2), ...within([size], local(0), local(2))];
  return erased([['i32', 'i32', 'i32'], []], 1, [...inTable, ...checks, ...copied]);
}

/**
 * (reference, count) -> elements before, or -1: table.grow of a table of at most `max`. `fill` is {@link tableFill}
 * of what is paid.
 */
export function tableGrow(size: number, counters: Counters, max: number, fill: number): ErasedFunction {
  const old = 2;
  return erased([['funcref', 'i32'], ['i32']], 1, [
    ...payElements(counters, 1),
    ...[local(1), constant(max), make(OP.globalGet, size), make(OP.localTee, old), SUB, GT_U, IF],
    ...[constant(-1), RETURN, END, local(old), local(1), ADD, make(OP.globalSet, size)],
    ...[local(old), local(0), local(1), make(OP.call, fill), local(old)],
  ]);
}

/** The place in the real table that element `index`, a local, holds; that of null if there is no such element. */
export function lookUp(size: Instruction, index: number): Instruction[] {
  return [
    ...[make(OP.localTee, index), constant(NULL_ELEMENT), local(index), size, make(OP.i32LtU), make(OP.select)],
    ...[constant(ELEMENT_SHIFT), SHL, LOAD_ELEMENT],
  ];
}

/** elem.drop and data.drop. */
export function dropSegment(droppedAt: number): Instruction[] {
  return [constant(0), constant(1), make(STORE_BYTE, droppedAt, 0)];
}

/** memory.size. */
export const PAGES_SEEN: readonly Instruction[] = [make(OP.memorySize, 0), constant(HIDDEN_PAGES), SUB];

/** Address `index`, a local, moved behind the hidden page; one that leaves no room there stays outside of it all. */
function moved(index: number): Instruction[] {
  const last = constant(0xffffffff - HIDDEN_BYTES);
  const behind = [local(index), constant(HIDDEN_BYTES), ADD];
  return [constant(-1), ...behind, local(index), last, GT_U, make(OP.select)];
}

/** An end for a count of 0, local 2: the engine's takes longer than what is paid. `bytes` are those of the memory. */
function ofNothing(bytes: readonly Instruction[], addresses: readonly number[]): Instruction[] {
  const checks = addresses.flatMap((address) => [local(address), ...bytes, GT_U, ...TRAP_IF]);
  return [local(2), make(OP.i32Eqz), IF, ...checks, RETURN, END];
}

const THREE_NUMBERS = [['i32', 'i32', 'i32'], []] as const;

/** The memory as the program sees it. */
export interface SeenMemory {
  readonly counters: Counters;
  readonly bytes: readonly Instruction[];
  /** Of a lent memory, the function that widens its window. */
  readonly widen: number | undefined;
}

/**
 * Bounds of a memory instruction that writes to the first of `addresses`: the engine does not know those of a lent
 * memory.
 */
function bounds({ bytes, widen }: SeenMemory, addresses: readonly number[]): Instruction[] {
  const nothing = ofNothing(bytes, addresses);
  if (widen === undefined) return nothing;
  const checks = addresses.flatMap((address) => within(bytes, local(address), local(2)));
  return [...checks, ...nothing, ...widenTo(widen, HIDDEN_BYTES, local(addresses[0]), local(2))];
}

/** (to, value, count): memory.fill. */
export function memoryFill(memory: SeenMemory): ErasedFunction {
  const fill = [...moved(0), local(1), local(2), make(OP.memoryFill, 0)];
  return erased(THREE_NUMBERS, 1, [...payBytes(memory.counters, 2, 3), ...bounds(memory, [0]), ...fill]);
}

/** (to, from, count): memory.copy. */
export function memoryCopy(memory: SeenMemory): ErasedFunction {
  const copy = [...moved(0), ...moved(1), local(2), make(OP.memoryCopy, 0, 0)];
  return erased(THREE_NUMBERS, 1, [...payBytes(memory.counters, 2, 3), ...bounds(memory, [0, 1]), ...copy]);
}

/** (to, from, count): memory.init. */
export function memoryInit(memory: SeenMemory, { data, length, droppedAt }: Laid): ErasedFunction {
  const rest = 3;
  const inSegment = [...available(length, droppedAt), setLocal(rest), ...within([local(rest)], local(1), local(2))];
  const init = [...moved(0), local(1), local(2), make(OP.memoryInit, data)];
  const paid = payBytes(memory.counters, 2, rest);
  return erased(THREE_NUMBERS, 1, [...paid, ...inSegment, ...bounds(memory, [0]), ...init]);
}
