/** Laying out a program in the memory of the interpreter: its bytes as they came, and what is looked up in them. */
import { InternalError } from '../errors/errors.js';
import { readModule } from './decode.js';
import { ENV_NAMES, type EnvName } from './env.js';
import { ALIGNED, BLOCK_WORDS, FUNCTION, PART_BYTES, PROGRAM, SLOT, TYPE, WORD } from './interpreter-layout.js';
import type { Place } from './kept-images.js';
import { LIMITS } from './limits.js';
import type { ConstantExpression, FunctionType, RawModule } from './module.js';
import type { Program } from './types.js';

/** A segment that is laid out before the program runs. */
export interface ActiveSegment {
  /** Where its bytes or references are behind the beginning of the program. */
  readonly from: number;
  /** Where they go: bytes of the program's memory, or elements of its table. */
  readonly to: number;
  /** Bytes. */
  readonly length: number;
}

/** What a frame of the program begins with; it does not say where the program lies. */
export interface ProgramImage {
  /** Functions, imported ones included. */
  readonly functionCount: number;
  /** Bytes of the module. */
  readonly codeBytes: number;
  /** Bytes that a run needs before any other: what is looked up in the program. */
  readonly headBytes: number;
  /** Where its parts say whether they are there. */
  readonly parts: number;
  /** Numbers of the functions that run one after the other: the start function, then `__execute`. */
  readonly functions: readonly number[];
  readonly minPages: number;
  readonly mostPages: number;
  readonly tableSize: number;
  readonly tableMost: number;
  /** First values of the globals, and what is left of each segment: places in the program, and bytes. */
  readonly globals: ActiveSegment;
  readonly dataLeft: ActiveSegment;
  readonly elementsLeft: ActiveSegment;
  readonly data: readonly ActiveSegment[];
  readonly elements: readonly ActiveSegment[];
}

/** Where each part of a program lies behind its start, and how much all of it takes. */
interface Parts {
  readonly types: number;
  readonly functions: number;
  readonly globals: number;
  readonly dataLeft: number;
  readonly elementsLeft: number;
  readonly data: number;
  readonly elements: number;
  readonly parts: number;
  readonly items: number;
  readonly code: number;
  readonly room: number;
  readonly bytes: number;
}

function partsOf(module: RawModule, sideBytes: number): Parts {
  const types = PROGRAM.bytes;
  const functions = types + TYPE.bytes * module.types.length;
  const globals = functions + FUNCTION.bytes * (module.imports.length + module.bodies.length);
  const dataLeft = globals + SLOT * module.globals.length;
  const elementsLeft = dataLeft + WORD * module.dataSegments.length;
  const data = elementsLeft + WORD * module.elements.length;
  const elements = data + WORD * module.dataSegments.length;
  const parts = elements + WORD * module.elements.length;
  const behind = WORD * module.elements.reduce((sum, segment) => sum + segment.items.length, 0) + module.bytes.length;
  // Those that say so of the parts are counted among them.
  const items = (parts + Math.ceil((parts + behind + sideBytes + BLOCK_WORDS) / (PART_BYTES - 1)) + 1 + 7) & ~7;
  const room = (items + behind + 7) & ~7;
  const code = items + behind - module.bytes.length;
  const bytes = (room + sideBytes + BLOCK_WORDS + ALIGNED - 1) & -ALIGNED;
  return { types, functions, globals, dataLeft, elementsLeft, data, elements, parts, items, code, room, bytes };
}

/** A program that waits for its place. */
export interface Plan {
  readonly bytes: number;
  /** Writes it to `memory` from where `place` begins. */
  lay(memory: Uint8Array, place: Place): ProgramImage;
}

/**
 * How `program` would be laid out; undefined if one of its segments is out of bounds, so that no instruction of it ever
 * runs.
 */
export function planOf(program: Program): Plan | undefined {
  const module = readModule(program.source);
  if (!segmentsFit(module)) return undefined;
  const parts = partsOf(module, program.sideBytes);
  return { bytes: parts.bytes, lay: (memory, place) => new Layer(module, program, parts, memory, place).image() };
}

function segmentsFit({ memory, table, dataSegments, elements }: RawModule): boolean {
  const bytes = (memory?.minPages ?? 0) << 16;
  const isInside = (offset: ConstantExpression | undefined, length: number, size: number): boolean =>
    offset === undefined || offsetOf(offset) + length <= size;
  return (
    dataSegments.every((segment) => isInside(segment.offset, segment.bytes.length, bytes)) &&
    elements.every((segment) => isInside(segment.offset, segment.items.length, table?.min ?? 0))
  );
}

function offsetOf(constant: ConstantExpression): number {
  if (constant.kind !== 'i32') throw new InternalError('the offset of a segment is no number');
  return constant.value >>> 0;
}

/** 0 is null. */
function referenceOf(constant: ConstantExpression): number {
  return constant.kind === 'ref.func' ? constant.index + 1 : 0;
}

class Layer {
  readonly #view: DataView;
  /** By type: the number of all types that equal it. */
  readonly #typeNumbers: readonly number[];

  constructor(
    readonly module: RawModule,
    readonly program: Program,
    readonly parts: Parts,
    readonly memory: Uint8Array,
    readonly place: Place,
  ) {
    this.#typeNumbers = numbersOf(module.types);
    this.#view = new DataView(memory.buffer, memory.byteOffset + place.start, parts.bytes);
  }

  image(): ProgramImage {
    const { module, parts, program, place } = this;
    this.memory.set(module.bytes, place.start + parts.code);
    this.#layHead();
    this.#layTypes();
    this.#layFunctions();
    this.#layGlobals();
    const execute = module.exports.find(({ name }) => name === '__execute');
    if (execute === undefined) throw new InternalError('an admitted program has no __execute');
    const { table, memory } = module;
    return {
      functionCount: module.imports.length + module.bodies.length,
      codeBytes: module.bytes.length,
      headBytes: parts.items,
      parts: parts.parts,
      functions: module.start === undefined ? [execute.index] : [module.start, execute.index],
      minPages: program.minPages,
      mostPages: Math.min(memory?.maxPages ?? LIMITS.memoryPages, LIMITS.memoryPages),
      tableSize: table?.min ?? 0,
      tableMost: Math.min(table?.max ?? LIMITS.tableElements, LIMITS.tableElements),
      globals: this.#part(parts.globals, SLOT * module.globals.length),
      data: this.#layData(),
      elements: this.#layElements(),
      dataLeft: this.#part(parts.dataLeft, WORD * module.dataSegments.length),
      elementsLeft: this.#part(parts.elementsLeft, WORD * module.elements.length),
    };
  }

  #part(at: number, length: number): ActiveSegment {
    return { from: at, to: 0, length };
  }

  #word(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #half(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  #layHead(): void {
    for (const name of ['functions', 'types', 'room', 'data', 'elements'] as const) {
      this.#word(PROGRAM[name], this.parts[name]);
    }
    this.#word(PROGRAM.parts, 0);
  }

  #layTypes(): void {
    for (const [i, { params, results }] of this.module.types.entries()) {
      const at = this.parts.types + TYPE.bytes * i;
      this.#half(at + TYPE.params, params.length);
      this.#half(at + TYPE.results, results.length);
      this.#word(at + TYPE.number, this.#typeNumbers[i]);
    }
  }

  #layFunctions(): void {
    const { module, parts, program } = this;
    let at = parts.functions;
    const lay = (typeIndex: number): void => {
      const { params, results } = module.types[typeIndex];
      for (let word = 0; word < FUNCTION.bytes; word += WORD) this.#word(at + word, 0);
      this.#half(at + FUNCTION.params, params.length);
      this.#half(at + FUNCTION.results, results.length);
      this.#word(at + FUNCTION.type, this.#typeNumbers[typeIndex]);
    };
    for (const { name, typeIndex } of module.imports) {
      lay(typeIndex);
      this.#half(at + FUNCTION.host, 1 + ENV_NAMES.indexOf(name as EnvName));
      at += FUNCTION.bytes;
    }
    for (const [i, { typeIndex, locals, start }] of module.bodies.entries()) {
      lay(typeIndex);
      this.#word(at + FUNCTION.code, parts.code + start);
      this.#word(at + FUNCTION.slots, program.slots[i]);
      this.#half(at + FUNCTION.locals, locals.length);
      at += FUNCTION.bytes;
    }
  }

  #layGlobals(): void {
    for (const [i, { init }] of this.module.globals.entries()) {
      const value = init.kind === 'i64' ? init.value : BigInt(init.kind === 'i32' ? init.value : referenceOf(init));
      this.#view.setBigInt64(this.parts.globals + SLOT * i, value, true);
    }
  }

  #layData(): ActiveSegment[] {
    const { module, parts } = this;
    const active: ActiveSegment[] = [];
    for (const [i, { mode, offset, bytes }] of module.dataSegments.entries()) {
      const from = parts.code + bytes.byteOffset - module.bytes.byteOffset;
      this.#word(parts.data + WORD * i, from);
      this.#word(parts.dataLeft + WORD * i, mode === 'passive' ? bytes.length : 0);
      if (offset !== undefined) active.push({ from, to: offsetOf(offset), length: bytes.length });
    }
    return active;
  }

  #layElements(): ActiveSegment[] {
    const { module, parts } = this;
    const active: ActiveSegment[] = [];
    let at = parts.items;
    for (const [i, { mode, offset, items }] of module.elements.entries()) {
      this.#word(parts.elements + WORD * i, at);
      this.#word(parts.elementsLeft + WORD * i, mode === 'passive' ? items.length : 0);
      if (offset !== undefined) active.push({ from: at, to: offsetOf(offset), length: WORD * items.length });
      for (const item of items) {
        this.#word(at, referenceOf(item));
        at += WORD;
      }
    }
    return active;
  }
}

/** By type: the index of the first type that equals it. */
function numbersOf(types: readonly FunctionType[]): number[] {
  const first = new Map<string, number>();
  return types.map(({ params, results }, i) => {
    const text = `${params.join()}>${results.join()}`;
    const known = first.get(text);
    if (known === undefined) first.set(text, i);
    return known ?? i;
  });
}
