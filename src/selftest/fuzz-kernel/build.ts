import { make } from '../../program/decode-code.js';
import type {
  BlockType,
  DataSegment,
  FunctionBody,
  FunctionImport,
  FunctionType,
  GlobalDefinition,
  Instruction,
  ValueType,
  WasmModule,
} from '../../program/module.js';
import { OP } from '../../program/opcodes.js';

export const op = (code: number, a?: number, b?: number): Instruction => make(code, a, b);
export const i32 = (value: number): Instruction => make(OP.i32Const, value | 0);
export const i64 = (value: bigint): Instruction => make(OP.i64Const, undefined, undefined, value);
export const end = make(OP.end);

/** A block, loop or if with this type. */
export function open(code: number, block: BlockType = { kind: 'empty' }): Instruction {
  return make(code, undefined, undefined, undefined, undefined, block);
}

export const typed = (type: ValueType): BlockType => ({ kind: 'value', type });

export function branchTable(targets: readonly number[]): Instruction {
  return make(OP.brTable, undefined, undefined, undefined, targets);
}

/** A module under construction: imports first, then functions. */
export class ModuleDraft {
  readonly types: FunctionType[] = [];
  readonly imports: FunctionImport[] = [];
  readonly functions: FunctionBody[] = [];
  readonly globals: GlobalDefinition[] = [];
  readonly dataSegments: DataSegment[] = [];
  /** Functions of a passive element segment, which comes last. */
  passive: readonly number[] | undefined;
  /** Functions in the table, undefined for null. */
  readonly table: (number | undefined)[] = [];

  constructor(
    readonly minPages: number,
    readonly maxPages: number | undefined,
  ) {}

  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const known = this.types.findIndex((t) => `${t.params}>${t.results}` === `${params}>${results}`);
    return known >= 0 ? known : this.types.push({ params, results }) - 1;
  }

  import(name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    return this.imports.push({ module: 'env', name, typeIndex: this.type(params, results) }) - 1;
  }

  /** Adds a function, whose last `end` is added here. Returns its index. */
  function(typeIndex: number, locals: readonly ValueType[], code: readonly Instruction[]): number {
    return this.imports.length + this.functions.push({ typeIndex, locals, code: [...code, end] }) - 1;
  }

  global(type: ValueType, value: number | bigint): number {
    const init = typeof value === 'bigint' ? ({ kind: 'i64', value } as const) : ({ kind: 'i32', value } as const);
    return this.globals.push({ type, mutable: true, init }) - 1;
  }

  /** Adds an active data segment at `at`, or a passive one. */
  data(at: number | undefined, bytes: Uint8Array): void {
    const offset = at === undefined ? undefined : ({ kind: 'i32', value: at } as const);
    this.dataSegments.push({ mode: at === undefined ? 'passive' : 'active', offset, bytes });
  }

  /** The module, with `__execute` exported. */
  finish(execute: number): WasmModule {
    const active = this.table.map((index, i) => ({
      mode: 'active' as const,
      table: 0,
      offset: { kind: 'i32' as const, value: i },
      items: index === undefined ? [{ kind: 'ref.null' as const }] : [{ kind: 'ref.func' as const, index }],
    }));
    const items = this.passive?.map((index) => ({ kind: 'ref.func' as const, index }));
    const passive = items === undefined ? [] : [{ mode: 'passive' as const, table: 0, offset: undefined, items }];
    return {
      types: this.types,
      imports: this.imports,
      functions: this.functions,
      table: this.table.length > 0 ? { min: this.table.length, max: undefined } : undefined,
      memory: { minPages: this.minPages, maxPages: this.maxPages },
      globals: this.globals,
      exports: [
        { name: 'memory', kind: 'memory', index: 0 },
        { name: '__execute', kind: 'func', index: execute },
      ],
      start: undefined,
      elements: [...active, ...passive],
      dataSegments: this.dataSegments,
      dataCount: this.dataSegments.length,
    };
  }
}
