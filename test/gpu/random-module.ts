import { LOADS, OPERATIONS, STORES } from '../../src/gpu/translate/operations.js';
import type { Instruction, ValueType } from '../../src/program/module.js';
import {
  block,
  brTable,
  call,
  else_,
  end,
  get,
  i32,
  i64,
  if_,
  loop,
  OP,
  op,
  set,
  WasmBuilder,
} from '../helpers/wasm-builder.js';

/** Deterministic numbers from a seed (xorshift): `pick(n)` gives 0 … n - 1. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  pick(max: number): number {
    return Math.floor((this.u32() / 2 ** 32) * max);
  }

  of<T>(list: readonly T[]): T {
    return list[this.pick(list.length)] as T;
  }
}

/** Locals 0..2 are i32 values, 3..5 i64 values, 6.. loop counters. Function parameters are local 0 (i32) and 3 follows suit. */
const I32_LOCALS = [0, 1, 2];
const I64_LOCALS = [3, 4, 5];
const COUNTERS = 4;
const EDGES_32 = [0, 1, -1, 2, 31, 32, 33, 0x7fffffff, -0x80000000, 255, 65_535];
const EDGES_64 = [0n, 1n, -1n, 63n, 64n, 1n << 32n, (1n << 63n) - 1n, -(1n << 63n), 0xffffffffn, 0x100000001n];

interface Scope {
  readonly random: Random;
  readonly depth: number;
  /** Result type of each label, innermost first; 'loop' for a loop. */
  readonly labels: readonly (ValueType | 'none' | 'loop')[];
  /** Callable functions by index: i64 ones take (i32, i64). */
  readonly functions: readonly { readonly index: number; readonly result: ValueType }[];
  readonly counters: { used: number };
}

const I32_OPS = [...OPERATIONS].filter(([, o]) => o.result === 'i32');
const I64_OPS = [...OPERATIONS].filter(([, o]) => o.result === 'i64');
const LOADS_OF = (type: ValueType) => [...LOADS].filter(([, l]) => l.type === type).map(([code]) => code);
const STORES_I64 = new Set([0x37, 0x3c, 0x3d, 0x3e]);

function address(s: Scope): Instruction[] {
  // Mostly inside the window, unaligned as it comes; now and then anywhere.
  const { random } = s;
  if (random.pick(60) === 0) return value(s, 'i32', 1);
  return [...value(s, 'i32', 1), i32(random.of([0x1f, 0xff, 0x3ff])), op(OP.i32And)];
}

function value(s: Scope, type: ValueType, depth: number): Instruction[] {
  const { random } = s;
  const sub = (of: ValueType): Instruction[] => value(s, of, depth - 1);
  switch (depth <= 0 ? random.pick(3) : random.pick(11)) {
    case 0:
      return type === 'i32' ? [i32(random.of(EDGES_32))] : [i64(random.of(EDGES_64))];
    case 1:
    case 2:
      return [get(random.of(type === 'i32' ? I32_LOCALS : I64_LOCALS))];
    case 3:
      return [op(OP.globalGet, type === 'i32' ? 0 : 1)];
    case 4:
      return [...address(s), op(random.of(LOADS_OF(type)), random.pick(9), 0)];
    case 5:
      return [...sub(type), ...sub(type), ...sub('i32'), op(OP.select)];
    case 6: {
      const inner: Scope = { ...s, labels: [type, ...s.labels] };
      return [...sub('i32'), if_(type), ...value(inner, type, depth - 1), else_, ...value(inner, type, depth - 1), end];
    }
    case 7: {
      const callee = s.functions.find((f) => f.result === type);
      if (callee === undefined) return sub(type);
      return [...sub('i32'), ...sub('i64'), call(callee.index)];
    }
    case 8:
      return [...sub(type), op(OP.localTee, random.of(type === 'i32' ? I32_LOCALS : I64_LOCALS))];
    default: {
      const [code, { operands }] = random.of(type === 'i32' ? I32_OPS : I64_OPS);
      return [...operands.flatMap((o) => sub(o)), op(code)];
    }
  }
}

function branch(s: Scope): Instruction[] {
  const { random } = s;
  const targets = s.labels.flatMap((label, i) => (label === 'loop' ? [] : [i]));
  const target = random.of(targets);
  const label = s.labels[target];
  const carried = label === 'i32' || label === 'i64' ? value(s, label, 1) : [];
  if (random.pick(3) > 0) {
    const rest = carried.length > 0 ? [op(OP.drop)] : [];
    return [...carried, ...value(s, 'i32', 1), op(OP.brIf, target), ...rest];
  }
  return [...value(s, 'i32', 1), if_(), ...carriedAgain(s, target), op(OP.br, target + 1), end];
}

function carriedAgain(s: Scope, target: number): Instruction[] {
  const label = s.labels[target];
  return label === 'i32' || label === 'i64' ? value({ ...s, labels: ['none', ...s.labels] }, label, 1) : [];
}

function statement(s: Scope): Instruction[] {
  const { random } = s;
  const inside = (...labels: (ValueType | 'none' | 'loop')[]): Scope => ({
    ...s,
    depth: s.depth - 1,
    labels: [...labels, ...s.labels],
  });
  switch (s.depth > 0 ? random.pick(13) : random.pick(7)) {
    case 0:
      return [...value(s, 'i32', 3), set(random.of(I32_LOCALS))];
    case 1:
    case 2:
      return [...value(s, 'i64', 3), set(random.of(I64_LOCALS))];
    case 3: {
      const [code] = random.of([...STORES]);
      const type = STORES_I64.has(code) ? 'i64' : 'i32';
      return [...address(s), ...value(s, type, 2), op(code, random.pick(9), 0)];
    }
    case 4:
      return random.pick(2) === 0
        ? [...value(s, 'i32', 2), op(OP.globalSet, 0)]
        : [...value(s, 'i64', 2), op(OP.globalSet, 1)];
    case 5:
      return branch(s);
    case 6: {
      const length = [...value(s, 'i32', 1), i32(0x3f), op(OP.i32And)];
      return random.pick(2) === 0
        ? [...address(s), ...address(s), ...length, op(OP.memoryCopy, 0, 0)]
        : [...address(s), ...value(s, 'i32', 1), ...length, op(OP.memoryFill, 0)];
    }
    case 7:
      return [block(), ...statements(inside('none')), end];
    case 8: {
      const type = random.of<ValueType>(['i32', 'i64']);
      const to = random.of(type === 'i32' ? I32_LOCALS : I64_LOCALS);
      const scope = inside(type);
      return [block(type), ...statements(scope), ...value(scope, type, 2), end, set(to)];
    }
    case 9:
      return [...value(s, 'i32', 2), if_(), ...statements(inside('none')), else_, ...statements(inside('none')), end];
    case 10: {
      const scope = inside('none', 'none', 'none');
      return [
        block(),
        block(),
        block(),
        ...value(scope, 'i32', 2),
        i32(7),
        op(OP.i32And),
        brTable(random.pick(3), random.pick(3), random.pick(3), random.pick(3)),
        end,
        ...statements({ ...scope, labels: scope.labels.slice(1) }),
        end,
        ...statements({ ...scope, labels: scope.labels.slice(2) }),
        end,
      ];
    }
    default: {
      if (s.counters.used >= COUNTERS) return [];
      const counter = 6 + s.counters.used++;
      return [
        i32(1 + random.pick(5)),
        set(counter),
        loop(),
        ...statements(inside('loop')),
        get(counter),
        i32(1),
        op(OP.i32Sub),
        op(OP.localTee, counter),
        op(OP.brIf, 0),
        end,
      ];
    }
  }
}

function statements(s: Scope): Instruction[] {
  return Array.from({ length: 1 + s.random.pick(3) }, () => statement(s)).flat();
}

const CONTEXT_AT = 2052;
const OUT_AT = 1028;
/** Bytes of context that a random module reads: three i32 and three i64 values. */
export const INPUT_BYTES = 36;
const COUNTER_TYPES = new Array<ValueType>(COUNTERS).fill('i32');

/**
 * A module of two helpers and `__execute`, all random over i32 and i64 arithmetic, memory and structured control. It takes its
 * locals from the context and returns them with both globals and some memory.
 */
export function randomModule(random: Random): WasmBuilder {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  b.global('i32', 7);
  b.global('i64', -9n);
  b.data(
    random.pick(64),
    Uint8Array.from({ length: 40 }, () => random.pick(256)),
  );
  const scope = (functions: Scope['functions'], result: ValueType | 'none', depth: number): Scope => ({
    random,
    depth,
    labels: [result],
    functions,
    counters: { used: 0 },
  });
  // Parameters are locals 0 and 1 in WASM: the helpers copy them to where the generator expects their type.
  const helper = (result: ValueType, functions: Scope['functions']): number => {
    const s = scope(functions, result, 1);
    const shift = (code: Instruction[]): Instruction[] =>
      code.map((i) => (i.op >= OP.localGet && i.op <= OP.localTee ? { ...i, a: (i.a ?? 0) + 2 } : i));
    const body = [...statements(s), ...value(s, result, 2)];
    const locals: ValueType[] = ['i32', 'i32', 'i32', 'i64', 'i64', 'i64', ...COUNTER_TYPES];
    return b.function(`(i32,i64)->${result}`, [get(0), set(2), get(1), set(5), ...shift(body)], locals);
  };
  const first = { index: helper('i32', []), result: 'i32' } as const;
  const second = { index: helper('i64', [first]), result: 'i64' } as const;
  const s = scope([first, second], 'none', 2);
  const inputs = [...I32_LOCALS, ...I64_LOCALS].flatMap((local, i) => {
    const wide = i >= 3;
    const offset = wide ? 12 + (i - 3) * 8 : i * 4;
    return [i32(CONTEXT_AT), op(wide ? OP.i64Load : OP.i32Load, offset, 0), set(local)];
  });
  const outputs = [...I32_LOCALS, ...I64_LOCALS].flatMap((local, i) => [
    i32(OUT_AT),
    get(local),
    op(i >= 3 ? OP.i64Store : OP.i32Store, i * 8, 0),
  ]);
  const code = [
    i32(CONTEXT_AT),
    call(loadContext),
    op(OP.drop),
    ...inputs,
    block(),
    ...statements(s),
    ...statements(s),
    end,
    ...outputs,
    i32(OUT_AT),
    op(OP.globalGet, 0),
    op(OP.i32Store, 48, 0),
    i32(OUT_AT),
    op(OP.globalGet, 1),
    op(OP.i64Store, 52, 0),
    // The result begins with low memory, so that stores are seen too.
    i32(OUT_AT + 60),
    i32(0),
    i32(900),
    op(OP.memoryCopy, 0, 0),
    i32(OUT_AT - 4),
    i32(960),
    op(OP.i32Store, 0, 0),
    i32(OUT_AT),
  ];
  return b.execute(code, ['i32', 'i32', 'i32', 'i64', 'i64', 'i64', ...COUNTER_TYPES]);
}

/** Values for the inputs: edges and anything. */
export function randomInput(random: Random): Uint8Array {
  const out = new Uint8Array(INPUT_BYTES);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 3; i++) {
    view.setInt32(i * 4, random.pick(2) === 0 ? random.of(EDGES_32) : random.u32() | 0, true);
    const wide = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
    view.setBigInt64(12 + i * 8, random.pick(2) === 0 ? random.of(EDGES_64) : BigInt.asIntN(64, wide), true);
  }
  return out;
}
