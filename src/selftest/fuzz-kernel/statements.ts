import { STORES } from '../../gpu/translate/operations.js';
import type { ValueType } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { branch, branchTables, countdown } from './branches.js';
import { branchTable, end, i32, op, open, typed } from './build.js';
import { COUNTERS, type Code, inside, PLAIN, type Scope, someLocal, VALUE_LOCALS } from './scope.js';
import { tableStatement } from './tables.js';
import { address, callOf, constant, offset, value } from './values.js';

const STORES_I64 = new Set([0x37, 0x3c, 0x3d, 0x3e]);

export function statements(s: Scope): Code {
  return Array.from({ length: 1 + s.random.pick(3) }, () => (s.budget.left > 0 ? statement(s) : [])).flat();
}

function statement(s: Scope): Code {
  const { random } = s;
  // In some runs only, because after a PUNT the rest of the run is not compared.
  if (s.features.changesTable && random.once(10)) {
    return random.once(3) ? tableStatement(s) : [...value(s, 'i32', 1), open(OP.if), ...tableStatement(s), end];
  }
  // Branch back to a loop, from anywhere inside it.
  if (s.labels.some(({ counter }) => counter !== undefined) && random.once(5)) {
    return random.once(3) ? branchTables(s) : branch(s);
  }
  switch (s.depth > 0 ? random.pick(19) : random.pick(9)) {
    case 0:
      return [...value(s, 'i32', 3), op(OP.localSet, someLocal(s, 'i32'))];
    case 1:
    case 2:
      return [...value(s, 'i64', 3), op(OP.localSet, someLocal(s, 'i64'))];
    case 3:
    case 4: {
      const code = random.of([...STORES.keys()]);
      return [...address(s), ...value(s, STORES_I64.has(code) ? 'i64' : 'i32', 2), op(code, offset(s), 0)];
    }
    case 5:
      return setGlobal(s);
    case 6:
      return random.once(3) ? branchTables(s) : branch(s);
    case 7:
      return bulk(s);
    case 8:
      return rare(s);
    case 9:
      return [open(OP.block), ...statements(inside(s, PLAIN)), end];
    case 10: {
      const type = random.of<ValueType>(['i32', 'i64']);
      const scope = inside(s, { carries: [type] });
      const body = [...statements(scope), ...value(scope, type, 2)];
      return [open(OP.block, typed(type)), ...body, end, op(OP.localSet, someLocal(s, type))];
    }
    case 11:
    case 12: {
      const otherwise = random.once(2) ? [op(OP.else), ...statements(inside(s, PLAIN))] : [];
      return [...value(s, 'i32', 2), open(OP.if), ...statements(inside(s, PLAIN)), ...otherwise, end];
    }
    case 13:
      return table(s);
    case 14:
      return pairs(s);
    default:
      return loop(s);
  }
}

/** Sets a global to any value, but moves the one that points at memory by a few bytes only. */
function setGlobal(s: Scope): Code {
  const { random, features } = s;
  const index = random.pick(features.globals.length);
  if (index === features.anchor) {
    return [op(OP.globalGet, index), i32(random.of([-32, -16, 16, 32, 4, 3])), op(OP.i32Add), op(OP.globalSet, index)];
  }
  return [...value(s, features.globals[index] ?? 'i32', 2), op(OP.globalSet, index)];
}

function bulk(s: Scope): Code {
  const { random, features } = s;
  const length: Code = random.once(4) ? [i32(random.pick(70))] : [...value(s, 'i32', 1), i32(0x3f), op(OP.i32And)];
  switch (random.pick(features.segments > 0 ? 5 : 2)) {
    case 0:
      return [...address(s), ...address(s), ...length, op(OP.memoryCopy, 0, 0)];
    case 1:
      return [...address(s), ...value(s, 'i32', 1), ...length, op(OP.memoryFill, 0)];
    case 4:
      return random.once(3) ? [op(OP.dataDrop, random.pick(features.segments))] : [];
    default: {
      const segment = random.pick(features.segments);
      const from = random.once(5) ? value(s, 'i32', 1) : [i32(random.pick(24))];
      const count = random.once(4) ? length : [i32(random.pick(20))];
      return [...address(s), ...from, ...count, op(OP.memoryInit, segment, 0)];
    }
  }
}

function rare(s: Scope): Code {
  const { random, features } = s;
  switch (random.pick(10)) {
    case 9:
      if (!features.grow) return [];
      // Some fail, because a check may be missing where memory only seems to have grown.
      return [...(random.once(3) ? constant(s, 'i32') : [i32(random.pick(3))]), op(OP.memoryGrow, 0), op(OP.drop)];
    case 0:
      return [...address(s), op(OP.call, features.host.height)];
    case 1:
      return [...address(s), op(OP.call, features.host.fuel)];
    case 2:
      return random.once(4) ? [...address(s), op(OP.call, features.host.log)] : [];
    case 3:
      return random.once(3) ? [...value(s, 'i32', 2), open(OP.if), op(OP.unreachable), end] : [];
    case 4:
      return [op(OP.nop), ...(features.tableSize > 0 ? [op(OP.elemDrop, random.pick(features.tableSize))] : [])];
    default: {
      const [callee] = s.callable.filter(({ results }) => results.length !== 1);
      if (callee === undefined) return [];
      const types = [...callee.results].reverse();
      return [...callOf(s, callee, 1), ...types.map((type) => op(OP.localSet, someLocal(s, type)))];
    }
  }
}

/** br_table out of three blocks; sometimes a very long one, or one that carries values. */
function table(s: Scope): Code {
  const { random } = s;
  const scope = inside(s, PLAIN, PLAIN, PLAIN);
  const size = random.once(12) ? 257 + random.pick(200) : 1 + random.pick(9);
  // Long ones have runs of equal targets, as compilers write them.
  const run = 1 + random.pick(40);
  let target = 0;
  const targets = Array.from({ length: size }, (_, i) => {
    if (size < 20 || i % run === 0) target = random.pick(3);
    return target;
  });
  const selector = random.once(4) ? value(scope, 'i32', 2) : [...value(scope, 'i32', 2), i32(size), op(0x70)];
  const last = { ...scope, labels: scope.labels.slice(1) };
  return [
    open(OP.block),
    open(OP.block),
    open(OP.block),
    ...selector,
    branchTable(targets),
    end,
    ...statements(last),
    end,
    ...statements({ ...last, labels: last.labels.slice(1) }),
    end,
  ];
}

/** Blocks that take and give several values. */
function pairs(s: Scope): Code {
  const { random, features } = s;
  const both: readonly ValueType[] = ['i32', 'i64'];
  const scope = inside(s, { carries: both });
  const inner = [...statements(scope), ...value(scope, 'i32', 1), ...value(scope, 'i64', 1)];
  const made = [open(OP.block, features.pair), ...inner, end];
  if (random.once(2)) return [...made, op(OP.localSet, someLocal(s, 'i64')), op(OP.localSet, someLocal(s, 'i32'))];
  const takes = random.once(2) ? [open(OP.block, features.join)] : [...value(s, 'i32', 1), open(OP.if, features.join)];
  const ends: Code =
    takes.length === 1 ? [op(0xa7), op(OP.i32Add), end] : [op(0xa7), op(OP.i32Add), op(OP.else), op(OP.drop), end];
  return [...made, ...takes, ...ends, op(OP.localSet, someLocal(s, 'i32'))];
}

/** A loop, with or without parameters and results; every branch back to it counts down. */
function loop(s: Scope): Code {
  const { random, features } = s;
  if (s.counters.used >= COUNTERS) return [];
  const counter = s.firstLocal + VALUE_LOCALS.length + s.counters.used++;
  const shape = random.pick(5);
  const result = random.of<ValueType>(['i32', 'i64']);
  const types = [typed(result), features.pair, features.round, features.take, undefined][shape];
  const carries: readonly ValueType[] = shape === 2 || shape === 3 ? ['i32', 'i64'] : [];
  const gives: readonly ValueType[] = [[result], ['i32', 'i64'] as const, ['i32', 'i64'] as const, [], []][shape] ?? [];
  const scope = inside(s, { carries, counter });
  const toLocals = (list: readonly ValueType[]): Code =>
    [...list].reverse().map((type) => op(OP.localSet, someLocal(s, type)));
  const fill = (list: readonly ValueType[], at: Scope): Code => list.flatMap((type) => value(at, type, 1));
  return [
    i32(1 + random.pick(5)),
    op(OP.localSet, counter),
    ...fill(carries, s),
    open(OP.loop, types),
    ...toLocals(carries),
    ...statements(scope),
    ...fill(carries, scope),
    ...countdown(counter),
    op(OP.brIf, 0),
    ...carries.map(() => op(OP.drop)),
    ...fill(gives, scope),
    end,
    ...toLocals(gives),
  ];
}
