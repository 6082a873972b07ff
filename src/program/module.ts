/**
 * The decoded form of a WASM module: the input of the validator, the instrumentation and the translator to WGSL.
 * Function indices count imported functions first, as in the binary format.
 */
/** `funcref` is rare: the translator may decline any function that has one. */
export type ValueType = 'i32' | 'i64' | 'funcref';

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface FunctionImport {
  readonly module: string;
  readonly name: string;
  readonly typeIndex: number;
}

/** Result of a block: a type index (multi-value), one value, or nothing. */
export type BlockType =
  | { readonly kind: 'empty' }
  | { readonly kind: 'value'; readonly type: ValueType }
  | { readonly kind: 'type'; readonly index: number };

/**
 * One instruction. `op` is the opcode byte; for the 0xfc prefix it is 0xfc00 | sub-opcode. Immediates: `a` first
 * (index, label depth, memory offset as unsigned number, i32 constant as signed number, ref.null type), `b` second
 * (table index of call_indirect, alignment exponent of loads and stores, second index of memory.init/table.copy…),
 * `value` for i64.const (signed), `targets` for br_table (last one is the default), `block` for block/loop/if.
 */
export interface Instruction {
  readonly op: number;
  readonly a?: number;
  readonly b?: number;
  readonly value?: bigint;
  readonly targets?: readonly number[];
  readonly block?: BlockType;
}

export interface FunctionBody {
  readonly typeIndex: number;
  /** Locals beyond the parameters, expanded. */
  readonly locals: readonly ValueType[];
  /** Instructions, the final `end` (0x0b) included. */
  readonly code: readonly Instruction[];
}

/** A function whose instructions are bytes: the range of them in `RawModule.bytes`, the final `end` included. */
export interface RawBody {
  readonly typeIndex: number;
  /** Locals beyond the parameters, expanded. */
  readonly locals: readonly ValueType[];
  readonly start: number;
  readonly end: number;
}

export type ConstantExpression =
  | { readonly kind: 'i32'; readonly value: number }
  | { readonly kind: 'i64'; readonly value: bigint }
  | { readonly kind: 'ref.func'; readonly index: number }
  | { readonly kind: 'ref.null' };

export interface GlobalDefinition {
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly init: ConstantExpression;
}

export interface ElementSegment {
  readonly mode: 'active' | 'passive' | 'declarative';
  readonly table: number;
  readonly offset: ConstantExpression | undefined;
  readonly items: readonly ConstantExpression[];
}

export interface DataSegment {
  readonly mode: 'active' | 'passive';
  readonly offset: ConstantExpression | undefined;
  readonly bytes: Uint8Array;
}

export interface ExportDefinition {
  readonly name: string;
  readonly kind: 'func' | 'table' | 'memory' | 'global';
  readonly index: number;
}

interface MemoryDefinition {
  readonly minPages: number;
  readonly maxPages: number | undefined;
  /** Only of instrumented modules: it is imported, as `env` `memory`. */
  readonly imported?: boolean;
}

export interface WasmModule {
  readonly types: readonly FunctionType[];
  readonly imports: readonly FunctionImport[];
  readonly functions: readonly FunctionBody[];
  readonly table: { readonly min: number; readonly max: number | undefined } | undefined;
  readonly memory: MemoryDefinition | undefined;
  readonly globals: readonly GlobalDefinition[];
  readonly exports: readonly ExportDefinition[];
  readonly start: number | undefined;
  readonly elements: readonly ElementSegment[];
  readonly dataSegments: readonly DataSegment[];
  readonly dataCount: number | undefined;
}

/**
 * A module of which all but the instructions is decoded. `bytes` hold them: the module as it came, or whatever
 * instrumentation has written.
 */
export type RawModule = Omit<WasmModule, 'functions'> & {
  readonly bytes: Uint8Array;
  readonly bodies: readonly RawBody[];
  /** Only of instrumented modules: funcref stands for f32 in it, but in its table and elements (erasure.ts). */
  readonly erased?: boolean;
};
