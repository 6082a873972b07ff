/** Small programs that do one thing until their fuel ends: what `bench fuel` measures. */
import { make } from '../../program/decode-code.js';
import { encodeModule } from '../../program/encode.js';
import { ENV_IMPORTS, type EnvName } from '../../program/env.js';
import type { FunctionType, GlobalDefinition, Instruction, ValueType, WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';

/** One class of what costs fuel. */
export interface FuelModule {
  readonly imports?: readonly EnvName[];
  /**
   * Runs over and over, from and to an empty operand stack. Its locals: 0 to 3 are i32, 4 and 5 i64; 0 is the result
   * pointer.
   */
  readonly turn?: readonly Instruction[];
  /** Runs once, before. */
  readonly first?: readonly Instruction[];
  /** Ends the first time it comes to the end. */
  readonly once?: boolean;
  /** Functions other than `__execute`: they follow the imports. */
  readonly functions?: readonly { readonly type: FunctionType; readonly code: readonly Instruction[] }[];
  readonly pages?: number;
  readonly maxPages?: number;
  readonly data?: WasmModule['dataSegments'];
  readonly table?: WasmModule['table'];
  readonly elements?: WasmModule['elements'];
}

const LOCALS: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32', 'i64', 'i64'];
const BLOCK = { kind: 'empty' } as const;

export const i32 = (value: number): Instruction => make(OP.i32Const, value | 0);
export const i64 = (value: bigint): Instruction => make(OP.i64Const, undefined, undefined, value);
export const get = (local: number): Instruction => make(OP.localGet, local);
export const set = (local: number): Instruction => make(OP.localSet, local);
export const call = (index: number): Instruction => make(OP.call, index);
export const op = (code: number, a?: number, b?: number): Instruction => make(code, a, b);
export const drop = make(OP.drop);
export const end = make(OP.end);
export const opens = (code: number): Instruction => make(code, undefined, undefined, undefined, undefined, BLOCK);

/** `parts`, `count` times. */
export function repeat(count: number, ...parts: readonly Instruction[]): Instruction[] {
  return Array.from({ length: count }, () => parts).flat();
}

function parse(signature: string): FunctionType {
  const [params, results] = signature.split('->').map((side) => {
    const names = side.replace(/[()]/g, '');
    return names === '' ? [] : (names.split(',') as ValueType[]);
  });
  return { params, results };
}

/**
 * The module as WASM. Modules with different `nonce` are compiled each for itself: an engine shares the code of equal
 * ones.
 */
export function fuelWasm(parts: FuelModule, nonce: number): Uint8Array {
  const { imports = [], functions = [], turn, first = [], once } = parts;
  const turns = once || turn === undefined ? (turn ?? []) : [opens(OP.loop), ...turn, make(OP.br, 0), end];
  const code = [...first, ...turns, get(0), end];
  const types = [...imports.map((name) => parse(ENV_IMPORTS[name])), ...functions.map(({ type }) => type)];
  types.push({ params: [], results: ['i32'] });
  const global = (value: number): GlobalDefinition => ({ type: 'i32', mutable: true, init: { kind: 'i32', value } });
  const index = imports.length + functions.length;
  return encodeModule({
    types,
    imports: imports.map((name, typeIndex) => ({ module: 'env', name, typeIndex })),
    functions: [
      ...functions.map(({ code: body }, i) => ({ typeIndex: imports.length + i, locals: [], code: [...body, end] })),
      { typeIndex: types.length - 1, locals: LOCALS, code },
    ],
    table: parts.table,
    memory: { minPages: parts.pages ?? 1, maxPages: parts.maxPages },
    globals: [global(0), global(nonce)],
    exports: [
      { name: 'memory', kind: 'memory', index: 0 },
      { name: '__execute', kind: 'func', index },
    ],
    start: undefined,
    elements: parts.elements ?? [],
    dataSegments: parts.data ?? [],
    dataCount: parts.data?.length,
  });
}
