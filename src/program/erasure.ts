/**
 * Programs that change their table or hold references, for V8: its own instructions on tables take ten times as long as
 * what they cost (lane rules 5). Such a program's table becomes numbers in the hidden page, which are copied as bytes
 * are; a real table, which nothing changes, holds each function once, for indirect calls. Status, values, fuel and
 * slots are the same; and an instance can serve again, since a reset finds all that the program changed in its memory
 * and globals.
 */
import { concatBytes } from '../util/bytes.js';
import type { Additions } from './additions.js';
import { make } from './decode-code.js';
import { ERASED_FUNCREF, encodeInstructions } from './encode.js';
import * as code from './erased-code.js';
import { behindHiddenPage, DATA_DROPPED_AT, ELEMENTS_DROPPED_AT, TABLE_AT } from './hidden-page.js';
import type { InstructionReader } from './instruction-reader.js';
import { ACCESSES } from './lent-code.js';
import { LIMITS } from './limits.js';
import type {
  ConstantExpression,
  DataSegment,
  ElementSegment,
  GlobalDefinition,
  Instruction,
  RawModule,
} from './module.js';
import { FUNCREF, OP } from './opcodes.js';
import { remembered, Writer } from './writer.js';

/** What live code does with references and the table. */
export interface TableUse {
  /** Functions that it takes references of. */
  readonly references: ReadonlySet<number>;
  /** It changes the table, or has references as values. */
  readonly byValue: boolean;
  readonly grows: boolean;
}

/** Whether V8 gets `source` with its table as numbers. */
export function wantsErasure(source: RawModule, use: TableUse): boolean {
  return (
    use.byValue ||
    source.globals.some(({ type }) => type === 'funcref') ||
    source.types.some(({ params, results }) => params.includes('funcref') || results.includes('funcref')) ||
    source.bodies.some(({ locals }) => locals.includes('funcref'))
  );
}

/** Number of each function that a reference can name: its place in the real table, where 0 is null. */
function numbersOf(source: RawModule, references: ReadonlySet<number>): Map<number, number> {
  const functions = new Set(references);
  const see = (constant: ConstantExpression): void => {
    if (constant.kind === 'ref.func') functions.add(constant.index);
  };
  for (const { items } of source.elements) items.forEach(see);
  for (const { init } of source.globals) see(init);
  const sorted = [...functions].sort((x, y) => x - y);
  return new Map(sorted.map((index, i) => [index, i + 1]));
}

/** How one program is erased. */
export class Erasure {
  readonly #numbers: Map<number, number>;
  /** By segment of elements: the data segment that holds them, if any. */
  readonly #dataOf: (number | undefined)[] = [];
  readonly #dataSegments: DataSegment[];
  readonly #size: Instruction;
  readonly #made = new Map<string, number>();
  /** Bytes that were written before: calls by name, references and accesses by number, lookups by local. */
  readonly #calls = new Map<string, Uint8Array>();
  readonly #references = new Map<number, Uint8Array>();
  readonly #accesses = new Map<number, Uint8Array>();
  readonly #lookUps = new Map<number, Uint8Array>();
  #indexLocal = 0;
  #indexUsed = false;

  /** `sizeGlobal`: of the number of the table's elements, if the program can make it grow. */
  constructor(
    readonly source: RawModule,
    use: TableUse,
    readonly sizeGlobal: number | undefined,
  ) {
    this.#numbers = numbersOf(source, use.references);
    const { table } = source;
    this.#size = sizeGlobal === undefined ? make(OP.i32Const, table?.min ?? 0) : make(OP.globalGet, sizeGlobal);
    this.#dataSegments = source.dataSegments.map(({ offset, ...segment }) => ({
      ...segment,
      offset: offset?.kind === 'i32' ? { kind: 'i32', value: behindHiddenPage(offset.value) | 0 } : offset,
    }));
    for (const segment of source.elements) {
      const data = this.#dataFor(segment);
      this.#dataOf.push(data === undefined ? undefined : this.#dataSegments.push(data) - 1);
    }
  }

  /** A segment of elements as data; undefined for a declarative one, which holds nothing. */
  #dataFor({ mode, offset, items }: ElementSegment): DataSegment | undefined {
    if (mode === 'declarative') return undefined;
    const bytes = new Uint8Array(items.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [i, item] of items.entries()) view.setUint32(i * 4, this.#numberOf(item), true);
    if (mode === 'passive') return { mode, offset: undefined, bytes };
    const start = offset?.kind === 'i32' ? offset.value >>> 0 : 0;
    // A segment out of bounds keeps the module from being instantiated, as it does in a table.
    if (start + items.length > (this.source.table?.min ?? 0)) {
      return { mode, offset: { kind: 'i32', value: -1 }, bytes: new Uint8Array(1) };
    }
    return { mode, offset: { kind: 'i32', value: TABLE_AT + start * 4 }, bytes };
  }

  #numberOf(constant: ConstantExpression): number {
    return constant.kind === 'ref.func' ? this.#numbers.get(constant.index)! : 0;
  }

  /** The parts of the module that hold references, as numbers. */
  get parts(): Pick<RawModule, 'table' | 'elements' | 'dataSegments' | 'dataCount' | 'erased'> {
    const items = [...this.#numbers.keys()].map((index) => ({ kind: 'ref.func', index }) as const);
    const count = items.length + 1;
    const offset = { kind: 'i32', value: 1 } as const;
    return {
      table: { min: count, max: count },
      elements: items.length === 0 ? [] : [{ mode: 'active', table: 0, offset, items }],
      dataSegments: this.#dataSegments,
      dataCount: this.#dataSegments.length,
      erased: true,
    };
  }

  /** Functions in the real table. */
  get references(): number {
    return this.#numbers.size;
  }

  globals(globals: readonly GlobalDefinition[]): GlobalDefinition[] {
    return globals.map((global) =>
      global.type === 'funcref' ? { ...global, init: { kind: 'i32', value: this.#numberOf(global.init) } } : global,
    );
  }

  /** Begins a body whose first free local is `local`. */
  begin(local: number): void {
    this.#indexLocal = local;
    this.#indexUsed = false;
  }

  /** Whether the body that was begun last needs that local, of type i32. */
  get needsLocal(): boolean {
    return this.#indexUsed;
  }

  /** What stands before a call_indirect: it makes the place in the real table of the element. */
  lookUp(): Uint8Array {
    this.#indexUsed = true;
    const index = this.#indexLocal;
    return remembered(this.#lookUps, index, () => encodeInstructions(code.lookUp(this.#size, index)));
  }

  /**
   * What stands for the instruction `op`, which `reader` has just read and which begins at `at`; undefined if it stays
   * as it is. It charges for elements and bytes; the address of a load or store in a lent memory was checked.
   */
  codeFor(op: number, at: number, reader: InstructionReader, additions: Additions): Uint8Array | undefined {
    switch (op) {
      case OP.block:
      case OP.loop:
      case OP.if:
        return reader.bytes[at + 1] === FUNCREF ? Uint8Array.of(op, ERASED_FUNCREF) : undefined;
      case OP.selectTyped:
        return reader.bytes[reader.at - 1] === FUNCREF ? Uint8Array.of(op, 1, ERASED_FUNCREF) : undefined;
      case OP.tableGet:
        return this.#call(additions, 'get', () => code.tableGet(this.#size));
      case OP.tableSet:
        return this.#call(additions, 'set', () => code.tableSet(this.#size));
      case OP.refNull:
        return this.#reference(0);
      case OP.refIsNull:
        return IS_NULL;
      case OP.refFunc:
        return this.#reference(this.#numbers.get(reader.index)!);
      case OP.memorySize:
        return additions.counters.lent === undefined ? PAGES_SEEN : undefined;
      case 0xfc:
        return this.#prefixed(0xfc00 | reader.index, reader.firstAfterPrefix(at), additions);
      default:
        return IS_ACCESS[op] === 1 ? this.#access(op, reader.offset) : undefined;
    }
  }

  #prefixed(op: number, index: number, additions: Additions): Uint8Array | undefined {
    switch (op) {
      case OP.tableSize:
        return encodeInstructions([this.#size]);
      case OP.tableGrow:
        return this.#call(additions, 'grow', () => this.#grow(additions));
      case OP.tableFill:
        return this.#call(additions, 'fill', () => code.tableFill(this.#size, additions.counters));
      case OP.tableCopy:
        return this.#call(additions, 'copy', () => code.tableCopy(this.#size, additions.counters));
      case OP.tableInit:
        return this.#call(additions, `init ${index}`, () => this.#init(index, additions));
      case OP.elemDrop:
        return encodeInstructions(code.dropSegment(ELEMENTS_DROPPED_AT + index));
      case OP.dataDrop:
        return encodeInstructions(code.dropSegment(DATA_DROPPED_AT + index));
      case OP.memoryFill:
        return this.#call(additions, 'memory fill', () => code.memoryFill(memoryOf(additions)));
      case OP.memoryCopy:
        return this.#call(additions, 'memory copy', () => code.memoryCopy(memoryOf(additions)));
      case OP.memoryInit:
        return this.#call(additions, `memory init ${index}`, () => this.#memoryInit(index, memoryOf(additions)));
      default:
        return undefined;
    }
  }

  #grow(additions: Additions): code.ErasedFunction {
    const fill = this.#function(additions, 'fill what grew', () => code.tableFill(this.#size, undefined));
    const max = Math.min(this.source.table?.max ?? LIMITS.tableElements, LIMITS.tableElements);
    return code.tableGrow(this.sizeGlobal!, additions.counters, max, fill);
  }

  #init(index: number, { counters }: Additions): code.ErasedFunction {
    const { mode, items } = this.source.elements[index];
    const passive = mode === 'passive';
    const data = passive ? this.#dataOf[index] : undefined;
    const length = passive ? items.length : 0;
    return code.tableInit(this.#size, counters, { data, length, droppedAt: ELEMENTS_DROPPED_AT + index });
  }

  #memoryInit(index: number, memory: code.SeenMemory): code.ErasedFunction {
    const { mode, bytes } = this.source.dataSegments[index];
    const length = mode === 'passive' ? bytes.length : 0;
    return code.memoryInit(memory, { data: index, length, droppedAt: DATA_DROPPED_AT + index });
  }

  #reference(number: number): Uint8Array {
    return remembered(this.#references, number, () => {
      return concatBytes(encodeInstructions([make(OP.i32Const, number)]), code.REFERENCE_OF_NUMBER);
    });
  }

  /** A load or store behind the hidden page. */
  #access(op: number, offset: number): Uint8Array {
    return remembered(this.#accesses, offset * 256 + op, () => {
      return new Writer().byte(op).byte(0).u32(behindHiddenPage(offset)).finish();
    });
  }

  #function(additions: Additions, name: string, made: () => code.ErasedFunction): number {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const { type, locals, code: bytes } = made();
    const index = additions.addFunction(type, locals, bytes);
    this.#made.set(name, index);
    return index;
  }

  #call(additions: Additions, name: string, made: () => code.ErasedFunction): Uint8Array {
    return remembered(this.#calls, name, () => {
      const index = this.#function(additions, name, made);
      return new Writer().byte(OP.call).u32(index).finish();
    });
  }
}

const IS_ACCESS = new Uint8Array(256);
for (const op of ACCESSES) IS_ACCESS[op] = 1;

const IS_NULL = concatBytes(code.NUMBER_OF_REFERENCE, encodeInstructions([make(OP.i32Eqz)]));
const PAGES_SEEN = encodeInstructions(code.PAGES_SEEN);

function memoryOf(additions: Additions): code.SeenMemory {
  const { counters } = additions;
  const { lent } = counters;
  if (lent !== undefined) {
    return { counters, bytes: [make(OP.globalGet, lent.bytes)], widen: additions.lentHelper('widen', lent) };
  }
  return { counters, widen: undefined, bytes: [...code.PAGES_SEEN, make(OP.i32Const, 16), make(0x74)] };
}
