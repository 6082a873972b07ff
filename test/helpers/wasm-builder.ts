import { make } from '../../src/program/decode-code.js';
import { encodeModule } from '../../src/program/encode.js';
import { ENV_IMPORTS } from '../../src/program/env.js';
import type {
  BlockType,
  DataSegment,
  ElementSegment,
  ExportDefinition,
  FunctionBody,
  FunctionImport,
  FunctionType,
  GlobalDefinition,
  Instruction,
  ValueType,
  WasmModule,
} from '../../src/program/module.js';
import { OP } from '../../src/program/opcodes.js';

export { OP };

/** Bare instruction or one with one or two number immediates: `op(OP.localGet, 0)`. */
export const op = (code: number, a?: number, b?: number): Instruction => make(code, a, b);
export const i32 = (value: number): Instruction => make(OP.i32Const, value);
export const i64 = (value: bigint): Instruction => make(OP.i64Const, undefined, undefined, value);
export const get = (local: number): Instruction => make(OP.localGet, local);
export const set = (local: number): Instruction => make(OP.localSet, local);
export const call = (index: number): Instruction => make(OP.call, index);
export const end = make(OP.end);
export const brTable = (...targets: number[]): Instruction =>
  make(OP.brTable, undefined, undefined, undefined, targets);
export const load = (offset = 0, align = 2): Instruction => make(OP.i32Load, offset, align);
export const store = (offset = 0, align = 2): Instruction => make(OP.i32Store, offset, align);

function opener(code: number) {
  return (result?: ValueType | BlockType): Instruction => {
    const block: BlockType =
      result === undefined ? { kind: 'empty' } : typeof result === 'string' ? { kind: 'value', type: result } : result;
    return make(code, undefined, undefined, undefined, undefined, block);
  };
}

export const block = opener(OP.block);
export const loop = opener(OP.loop);
export const if_ = opener(OP.if);
export const else_ = make(OP.else);

/** `(i32,i64)->i32` as a type. */
export function parseSignature(text: string): FunctionType {
  const [params, results] = text.split('->').map((side) => {
    const names = side.replace(/[()]/g, '');
    return names === '' ? [] : (names.split(',') as ValueType[]);
  });
  return { params, results };
}

type Draft = { -readonly [K in keyof WasmModule]: WasmModule[K] };

/**
 * Assembles a module instruction by instruction. Imports must be declared before the first function.
 *
 * @example
 * const b = new WasmBuilder();
 * b.execute([i32(4)]); // exports `__execute` and `memory`
 * const wasm = b.bytes();
 */
export class WasmBuilder {
  types: FunctionType[] = [];
  imports: FunctionImport[] = [];
  functions: FunctionBody[] = [];
  globals: GlobalDefinition[] = [];
  exports: ExportDefinition[] = [];
  elements: ElementSegment[] = [];
  dataSegments: DataSegment[] = [];
  memory: WasmModule['memory'] = { minPages: 1, maxPages: undefined };
  table: WasmModule['table'];
  start: number | undefined;
  dataCount: number | undefined;

  type(signature: string): number {
    const type = parseSignature(signature);
    const key = JSON.stringify(type);
    const known = this.types.findIndex((t) => JSON.stringify(t) === key);
    return known >= 0 ? known : this.types.push(type) - 1;
  }

  /** Imports `env.name` with its right signature, or with another one. Gives the function's index. */
  import(name: string, signature: string = ENV_IMPORTS[name], module = 'env'): number {
    if (this.functions.length > 0) throw new Error('imports come before functions');
    return this.imports.push({ module, name, typeIndex: this.type(signature) }) - 1;
  }

  /** Adds a function; the final `end` is added here. Gives its index. */
  function(signature: string, code: readonly Instruction[], locals: readonly ValueType[] = []): number {
    this.functions.push({ typeIndex: this.type(signature), locals, code: [...code, end] });
    return this.imports.length + this.functions.length - 1;
  }

  /** Index of the function that will be added next, for recursion. */
  get nextFunction(): number {
    return this.imports.length + this.functions.length;
  }

  global(type: ValueType, value: number | bigint, mutable = true): number {
    const init = typeof value === 'bigint' ? ({ kind: 'i64', value } as const) : ({ kind: 'i32', value } as const);
    return this.globals.push({ type, mutable, init }) - 1;
  }

  data(offset: number, bytes: Uint8Array): this {
    this.dataSegments.push({ mode: 'active', offset: { kind: 'i32', value: offset }, bytes });
    return this;
  }

  /** A table of exactly these functions. */
  tableOf(...functions: number[]): this {
    this.table = { min: functions.length, max: undefined };
    const items = functions.map((index) => ({ kind: 'ref.func', index }) as const);
    this.elements.push({ mode: 'active', table: 0, offset: { kind: 'i32', value: 0 }, items });
    return this;
  }

  export(name: string, index: number, kind: ExportDefinition['kind'] = 'func'): this {
    this.exports.push({ name, kind, index });
    return this;
  }

  /** Adds `__execute` with this body. */
  execute(code: readonly Instruction[], locals: readonly ValueType[] = []): this {
    return this.export('__execute', this.function('()->i32', code, locals));
  }

  module(): WasmModule {
    const exports = [...this.exports];
    if (this.memory && !exports.some((e) => e.name === 'memory'))
      exports.push({ name: 'memory', kind: 'memory', index: 0 });
    const draft: Draft = {
      types: this.types,
      imports: this.imports,
      functions: this.functions,
      table: this.table,
      memory: this.memory,
      globals: this.globals,
      exports,
      start: this.start,
      elements: this.elements,
      dataSegments: this.dataSegments,
      dataCount: this.dataCount,
    };
    return draft;
  }

  bytes(): Uint8Array {
    return encodeModule(this.module());
  }
}
