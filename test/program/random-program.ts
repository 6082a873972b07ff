import * as fc from 'fast-check';
import type { Instruction } from '../../src/program/module.js';
import {
  block,
  brTable,
  call,
  else_,
  end,
  get,
  i32,
  if_,
  load,
  loop,
  OP,
  op,
  set,
  store,
  WasmBuilder,
} from '../helpers/wasm-builder.js';

/** Locals 0..3 hold values; each loop counts down a local of its own (4..), so that most programs end. */
const VALUES = 4;
const LOOPS = 6;

type Pick = (max: number) => number;

interface Scope {
  readonly pick: Pick;
  readonly depth: number;
  /** Labels around, outermost last; true for a loop, whose label must not be jumped to without counting. */
  readonly labels: readonly boolean[];
  readonly functions: number;
  readonly loops: { used: number };
}

function value(s: Scope, depth = 2): Instruction[] {
  const choice = depth === 0 ? s.pick(2) : s.pick(9);
  const sub = (): Instruction[] => value(s, depth - 1);
  switch (choice) {
    case 0:
      return [i32(s.pick(2_000) - 1_000)];
    case 1:
      return [get(s.pick(VALUES))];
    case 2:
      return [...sub(), ...sub(), op([OP.i32Add, OP.i32Sub, OP.i32Mul, OP.i32LtU, OP.i32DivU][s.pick(5)])];
    case 3:
      return [...sub(), ...sub(), ...sub(), op(OP.select)];
    case 4:
      return [...sub(), if_('i32'), ...sub(), else_, ...sub(), end];
    case 5:
      return s.functions > 0 ? [...sub(), call(s.pick(s.functions))] : [op(OP.globalGet, 0)];
    case 6:
      return [...sub(), i32(0xfffc), op(OP.i32And), load()];
    case 7:
      return [...sub(), i32(3), op(OP.i32And), op(OP.memoryGrow, 0)];
    default:
      return [...sub(), op(OP.localTee, s.pick(VALUES))];
  }
}

function statement(s: Scope): Instruction[] {
  const inner = (loops: boolean): Scope => ({ ...s, depth: s.depth - 1, labels: [loops, ...s.labels] });
  const forward = s.labels.map((isLoop, i) => (isLoop ? -1 : i)).filter((i) => i >= 0);
  switch (s.pick(s.depth > 0 ? 13 : 8)) {
    case 0:
      return [...value(s), set(s.pick(VALUES))];
    case 1:
      return [...value(s), i32(0xfffc), op(OP.i32And), ...value(s), store()];
    case 2:
      return [...value(s), op(OP.globalSet, 0), op(OP.nop)];
    case 3:
      return [
        ...value(s),
        i32(0xfff),
        op(OP.i32And),
        ...value(s),
        ...value(s),
        i32(0xff),
        op(OP.i32And),
        op(OP.memoryFill, 0),
      ];
    case 4:
      return [
        ...value(s),
        i32(0xfff),
        op(OP.i32And),
        i32(s.pick(500)),
        ...value(s),
        i32(0xff),
        op(OP.i32And),
        op(OP.memoryCopy, 0, 0),
      ];
    case 5: {
      // A branch out: the outermost label takes the function's result along.
      const target = forward[s.pick(forward.length)];
      const withResult = target === s.labels.length - 1;
      return withResult
        ? [...value(s), ...value(s), op(OP.brIf, target), op(OP.drop)]
        : [...value(s), op(OP.brIf, target)];
    }
    case 6:
      return [...value(s), if_(), ...value(s), op(OP.return), i32(1), op(OP.drop), end];
    case 7:
      return s.pick(20) === 0 ? [...value(s), if_(), op(OP.unreachable), end] : [];
    case 8:
      return [block(), ...statements(inner(false)), end];
    case 9:
      return [...value(s), if_(), ...statements(inner(false)), else_, ...statements(inner(false)), end];
    case 10:
      return [...value(s), if_(), ...statements(inner(false)), end];
    case 11:
      return [
        block(),
        block(),
        ...value(s),
        i32(3),
        op(OP.i32And),
        brTable(0, 1, 0),
        ...statements(inner(false)),
        end,
        ...statements(inner(false)),
        end,
      ];
    default: {
      if (s.loops.used >= LOOPS) return [];
      const counter = VALUES + s.loops.used++;
      const body = statements(inner(true));
      return [
        i32(1 + s.pick(6)),
        set(counter),
        loop(),
        ...body,
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
  return Array.from({ length: s.pick(4) }, () => statement(s)).flat();
}

/**
 * A module of four functions with i32 code of every structured kind, decided by `numbers`. `__execute` is the last one.
 */
export function randomProgram(numbers: readonly number[]): WasmBuilder {
  let at = 0;
  const pick: Pick = (max) => numbers[at++ % numbers.length] % max;
  const b = new WasmBuilder();
  b.memory = { minPages: 1, maxPages: 4 };
  b.global('i32', 5);
  const body = (functions: number): Instruction[] => {
    const s: Scope = { pick, depth: 3, labels: [false], functions, loops: { used: 0 } };
    return [...statements(s), ...statements(s), ...value(s)];
  };
  for (let i = 0; i < 3; i++) b.function('(i32)->i32', body(i), new Array(VALUES + LOOPS - 1).fill('i32'));
  return b.execute(body(3), new Array(VALUES + LOOPS).fill('i32'));
}

export const randomNumbers = fc.array(fc.nat(1_000_000), { minLength: 40, maxLength: 200 });
