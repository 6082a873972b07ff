import { LIMITS } from '../../src/program/limits.js';
import type { Instruction, ValueType } from '../../src/program/module.js';
import { concatBytes } from '../../src/util/bytes.js';
import { block, brTable, end, i32, loop, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';

/** A module that `__execute` ends at once, for anything to be added to. */
export const base = (): WasmBuilder => new WasmBuilder().execute([i32(4)]);

/** A custom section of `size` bytes in all (at least 6). */
export function custom(size: number): Uint8Array {
  const out = new Uint8Array(size);
  // id 0, length in five bytes, empty name.
  const length = size - 6;
  for (let i = 0; i < 5; i++) out[1 + i] = ((length >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  return out;
}

/** `bytes` with a custom section behind them, so that there are `size` in all. */
export function padded(bytes: Uint8Array, size: number): Uint8Array {
  return concatBytes(bytes, custom(size - bytes.length));
}

const repeat = <T>(count: number, item: T): T[] => new Array<T>(count).fill(item);
const values = (count: number): string => repeat(count, 'i32').join(',');
const locals = (count: number): ValueType[] => repeat<ValueType>(count, 'i64');
const withFunction = (signature: string, code: Instruction[], declared: ValueType[] = []): WasmBuilder => {
  const b = base();
  b.function(signature, code, declared);
  return b;
};

/** Calls `add` until the module has `count` of what it adds. */
function filled(count: number, had: number, add: (b: WasmBuilder, i: number) => void): WasmBuilder {
  const b = base();
  for (let i = had; i < count; i++) add(b, i);
  return b;
}

function functions(count: number): WasmBuilder {
  const b = new WasmBuilder();
  b.import('__log');
  for (let i = 0; i < count - 2; i++) b.function('()->()', []);
  return b.execute([i32(4)]);
}

function imports(count: number): WasmBuilder {
  const b = new WasmBuilder();
  for (let i = 0; i < count; i++) b.import('__log');
  return b.execute([i32(4)]);
}

/** 1 for `__execute`'s result, the rest in types of at most 1,000 parameters. */
function typeValues(count: number): WasmBuilder {
  const b = base();
  for (let rest = count - 1; rest > 0; rest -= 1_000) {
    b.types.push({ params: repeat<ValueType>(Math.min(rest, 1_000), 'i64'), results: [] });
  }
  return b;
}

/** Padded, because the compile work that a module may need grows with its bytes. */
function declaredLocals(count: number): Uint8Array {
  const b = base();
  for (let rest = count; rest > 0; rest -= 1_000) b.function('()->()', [], locals(Math.min(rest, 1_000)));
  return padded(b.bytes(), 10_000);
}

/**
 * A module of `size` bytes with exactly `work` of compile work: `__execute` has 1 (its `end` x 1 operand), the others
 * `return`s and their `end` x locals.
 */
export function workOf(work: number, size: number): Uint8Array {
  const b = base();
  const wide = Math.floor((work - 1) / 1_000);
  const rest = (work - 1) % 1_000;
  const add = (control: number, width: number): void => {
    if (control > 0) b.function('()->()', repeat(control - 1, op(OP.return)), locals(width));
  };
  add(wide, 1_000);
  add(rest, 1);
  return padded(b.bytes(), size);
}

/** A module at exactly `count` of each limit. Each is accepted at the limit and below it, and refused above it. */
export const AT_LIMIT: Readonly<Record<keyof typeof LIMITS, (count: number) => WasmBuilder | Uint8Array>> = {
  moduleBytes: (count) => padded(base().bytes(), count),
  types: (count) => filled(count, 1, (b) => b.types.push({ params: [], results: [] })),
  imports,
  functions,
  globals: (count) => filled(count, 0, (b) => b.global('i64', 1n, false)),
  // `__execute` and `memory` are two.
  exports: (count) => filled(count, 2, (b, i) => b.export(`e${i}`, 0)),
  elementSegments: (count) =>
    filled(count, 0, (b) => b.elements.push({ mode: 'passive', table: 0, offset: undefined, items: [] })),
  dataSegments: (count) => filled(count, 0, (b) => b.data(0, Uint8Array.of(1))),
  locals: (count) => withFunction(`(${values(400)})->()`, [], locals(count - 400)),
  results: (count) => withFunction(`()->${values(count)}`, repeat(count, i32(1))),
  typeValues,
  declaredLocals,
  // The count of declarations of locals and the last `end` are two bytes.
  bodyBytes: (count) => withFunction('()->()', repeat(count - 2, op(OP.nop))),
  controlInstructions: (count) => withFunction('()->()', repeat(count - 1, op(OP.return))),
  blockParams: (count) => {
    const b = base();
    const type = b.type(`(${values(count)})->()`);
    b.function('()->()', [...repeat(count, i32(1)), loop({ kind: 'type', index: type }), op(OP.unreachable), end]);
    return b;
  },
  blockResults: (count) => {
    const b = base();
    const type = b.type(`()->${values(count)}`);
    const opened = block({ kind: 'type', index: type });
    b.function('()->()', [opened, ...repeat(count, i32(1)), end, ...repeat(count, op(OP.drop))]);
    return b;
  },
  nesting: (count) =>
    padded(withFunction('()->()', [...repeat(count, block()), ...repeat(count, end)]).bytes(), 30_000),
  loops: (count) => {
    const opened = repeat(count, [loop(), block()]).flat();
    return withFunction('()->()', [loop(), end, ...opened, ...repeat(2 * count, end), loop(), end]);
  },
  brTable: (count) => withFunction('()->()', [block(), i32(0), brTable(...repeat(count + 1, 0)), end]),
  compileWork: (count) => workOf(count, 300_000),
  tableElements: (count) => filled(1, 0, (b) => Object.assign(b, { table: { min: count, max: undefined } })),
  dataBytes: (count) => {
    const b = base();
    b.memory = { minPages: 32, maxPages: undefined };
    return b.data(0, new Uint8Array(1_000)).data(1_000, new Uint8Array(count - 1_000));
  },
  nameBytes: (count) => base().export('é'.repeat(count / 2) + 'e'.repeat(count % 2), 0),
  memoryPages: (count) => filled(1, 0, (b) => Object.assign(b, { memory: { minPages: count, maxPages: undefined } })),
};

/** One module with as much of everything as the limits let it have at once. */
export function everything(): Uint8Array {
  const b = new WasmBuilder();
  for (let i = 0; i < LIMITS.imports; i++) b.import('__log');
  b.execute([i32(4), op(OP.memoryGrow, 0)]);
  while (b.globals.length < LIMITS.globals) b.global('i64', 1n);
  while (b.functions.length < LIMITS.functions - LIMITS.imports - 1) b.function('()->()', []);
  const wide = `(${repeat(500, 'i64').join(',')})->${values(LIMITS.results)}`;
  // Every way out of it gives all its results: instrumentation adds a block of that type.
  b.function(wide, [...repeat(LIMITS.results, i32(1)), op(OP.return)], locals(500));
  while (b.types.length < LIMITS.types) b.types.push({ params: repeat<ValueType>(9, 'i64'), results: [] });
  while (b.exports.length < LIMITS.exports - 1) b.export('x'.repeat(100) + b.exports.length, 0);
  b.table = { min: LIMITS.tableElements, max: undefined };
  while (b.elements.length < LIMITS.elementSegments) {
    const items = [{ kind: 'ref.func', index: 1 } as const];
    b.elements.push({ mode: 'declarative', table: 0, offset: undefined, items });
  }
  b.memory = { minPages: LIMITS.memoryPages, maxPages: undefined };
  while (b.dataSegments.length < LIMITS.dataSegments) b.data(0, new Uint8Array(1_500));
  return b.bytes();
}
