import { encodeInstructions } from './encode.js';
import { HIDDEN_BYTES } from './hidden-page.js';
import {
  type Counters,
  chargeFuel,
  type Helpers,
  memoryBulkHelper,
  memoryGrowHelper,
  tableBulkHelper,
} from './instrument-code.js';
import { type LentGlobals, type LentHelperName, lentHelper } from './lent-code.js';
import type { FunctionBody, FunctionType, Instruction, RawBody, RawModule, ValueType } from './module.js';
import { Writer } from './writer.js';

/** Types, functions and code that instrumentation appends, so that no index of the source changes. */
export class Additions {
  readonly types: FunctionType[];
  readonly bodies: RawBody[] = [];
  /** The instructions of the instrumented module, one body after the other. */
  readonly code: Writer;
  readonly #charges = new Map<number, Uint8Array>();
  readonly #lent = new Map<LentHelperName, number>();
  readonly #helpers: { -readonly [K in keyof Helpers]?: Helpers[K] } = {};

  constructor(
    readonly source: RawModule,
    readonly counters: Counters,
    readonly memoryMax: number,
    /** Pages below the memory that the program sees. */
    readonly hiddenPages = 0,
  ) {
    this.types = [...source.types];
    this.code = new Writer(2 * source.bytes.length);
  }

  typeIndex(type: FunctionType): number {
    const text = JSON.stringify([type.params, type.results]);
    const known = this.types.findIndex((t) => JSON.stringify([t.params, t.results]) === text);
    return known >= 0 ? known : this.types.push(type) - 1;
  }

  /** The place of a body whose code is written from `start` on. */
  bodyFrom(start: number, typeIndex: number, locals: FunctionBody['locals']): RawBody {
    return { typeIndex, locals, start, end: this.code.length };
  }

  /** Appends a function; helpers are made while a body is written elsewhere. */
  addFunction(type: FunctionType, locals: FunctionBody['locals'], code: readonly Instruction[] | Uint8Array): number {
    const start = this.code.length;
    this.code.bytes(code instanceof Uint8Array ? code : encodeInstructions(code));
    this.bodies.push(this.bodyFrom(start, this.typeIndex(type), locals));
    return this.source.imports.length + this.source.bodies.length + this.bodies.length - 1;
  }

  /** Charge of a block. */
  charge(cost: number): Uint8Array {
    let code = this.#charges.get(cost);
    if (!code) {
      code = encodeInstructions(chargeFuel(this.counters, cost));
      this.#charges.set(cost, code);
    }
    return code;
  }

  /** Bytes below the memory that the program sees. */
  get hiddenBytes(): number {
    return this.hiddenPages === 0 ? 0 : HIDDEN_BYTES;
  }

  /** A helper of a program in a lent memory, whose globals are `globals`. */
  lentHelper(name: LentHelperName, globals: LentGlobals): number {
    const known = this.#lent.get(name);
    if (known !== undefined) return known;
    const made = lentHelper(name, globals, this.hiddenBytes, () => this.lentHelper('widen', globals));
    const index = this.addFunction(made.type, new Array<ValueType>(made.locals).fill('i32'), made.code);
    this.#lent.set(name, index);
    return index;
  }

  #helperCode(name: keyof Helpers): Instruction[] {
    if (name === 'grow') return memoryGrowHelper(this.counters, this.memoryMax, this.hiddenPages);
    return name === 'memoryBulk' ? memoryBulkHelper(this.counters) : tableBulkHelper(this.counters);
  }

  helper(name: keyof Helpers): number {
    const known = this.#helpers[name];
    if (known !== undefined) return known;
    const index = this.addFunction({ params: ['i32'], results: ['i32'] }, ['i32'], this.#helperCode(name));
    this.#helpers[name] = index;
    return index;
  }
}
