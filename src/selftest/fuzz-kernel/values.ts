import { LOADS, OPERATIONS } from '../../gpu/translate/operations.js';
import type { ValueType } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { end, i32, i64, op, open, typed } from './build.js';
import type { Random } from './random.js';
import { type Callable, type Code, type Scope, someLocal } from './scope.js';

/** How the binary names the types. */
const I32_CODE = 0x7f;
const I64_CODE = 0x7e;
export const FUNCREF_CODE = 0x70;

export const EDGES_32 = [0, 1, -1, 2, 3, 4, 31, 32, 33, 0x7fffffff, -0x80000000, 255, 256, 65_535, 65_536, 8192];
export const EDGES_64 = [
  0n,
  1n,
  -1n,
  31n,
  32n,
  63n,
  64n,
  1n << 32n,
  (1n << 63n) - 1n,
  -(1n << 63n),
  0xffffffffn,
  0x100000001n,
  0x80000000n,
  -0x80000000n,
];

const BY_RESULT = {
  i32: [...OPERATIONS].filter(([, o]) => o.result === 'i32'),
  i64: [...OPERATIONS].filter(([, o]) => o.result === 'i64'),
};
const LOADS_OF = {
  i32: [...LOADS].filter(([, l]) => l.type === 'i32').map(([code]) => code),
  i64: [...LOADS].filter(([, l]) => l.type === 'i64').map(([code]) => code),
};

export function wideNumber(random: Random): bigint {
  return BigInt.asIntN(64, (BigInt(random.u32()) << 32n) | BigInt(random.u32()));
}

export function constant({ random }: Scope, type: ValueType): Code {
  if (type === 'i64') return [i64(random.once(3) ? wideNumber(random) : random.of(EDGES_64))];
  return [i32(random.once(3) ? random.u32() >>> random.pick(32) : random.of(EDGES_32))];
}

/** An address: mostly in the memory that is used most, aligned or not; sometimes at a border, or anywhere. */
export function address(s: Scope): Code {
  const { random, features } = s;
  const small = random.of([0x1f, 0xff, 0xfc, 0x3ff, 0x3fc]);
  // Constants around the declared minimum, mostly of whole words: where a check might wrongly be left out.
  if (random.once(features.grow ? 24 : 150))
    return [i32(features.minimum + (random.once(4) ? 2 : 4) * (random.pick(6) - 4))];
  if (features.borders.length > 0 && random.once(16)) return [i32(random.of(features.borders) + random.pick(24) - 12)];
  if (random.once(250)) return value(s, 'i32', 1);
  const near: Code = random.once(3) ? [i32(random.u32() & small)] : [...value(s, 'i32', 1), i32(small), op(OP.i32And)];
  return features.anchor === undefined ? near : [...near, op(OP.globalGet, features.anchor), op(OP.i32Add)];
}

/** The offset of a load or store. */
export function offset({ random }: Scope): number {
  if (random.once(200)) return random.of([8184, 65_528, 0x7ffffffc, 0xfffffff8, 0xffffffff]);
  return random.once(2) ? 4 * random.pick(4) : random.pick(9);
}

/** The arguments and the call of a function. */
export function callOf(s: Scope, { index, params }: Callable, depth: number): Code {
  return [...params.flatMap((type) => value(s, type, depth)), op(OP.call, index)];
}

/** Code that leaves one value of `type`. */
export function value(s: Scope, type: ValueType, depth: number): Code {
  const { random, features } = s;
  const sub = (of: ValueType): Code => value(s, of, depth - 1);
  s.budget.left--;
  const leaf = depth <= 0 || s.budget.left <= 0;
  switch (leaf ? random.pick(3) : random.pick(16)) {
    case 0:
      return constant(s, type);
    case 1:
    case 2:
      return [op(OP.localGet, someLocal(s, type))];
    case 3: {
      const globals = features.globals.flatMap((t, i) => (t === type ? [i] : []));
      return [op(OP.globalGet, random.of(globals))];
    }
    case 4:
    case 5:
      return [...address(s), op(random.of(LOADS_OF[type === 'i64' ? 'i64' : 'i32']), offset(s), 0)];
    case 6: {
      const typed = type === 'i64' ? I64_CODE : I32_CODE;
      const choose = random.once(3) ? op(OP.selectTyped, typed) : op(OP.select);
      return [...sub(type), ...sub(type), ...sub('i32'), choose];
    }
    case 7: {
      const inner: Scope = { ...s, labels: [{ carries: [type] }, ...s.labels] };
      const both = [...value(inner, type, depth - 1), op(OP.else), ...value(inner, type, depth - 1)];
      return [...sub('i32'), open(OP.if, typed(type)), ...both, end];
    }
    case 8: {
      const found = s.callable.filter(({ results }) => results.length === 1 && results[0] === type);
      return found.length === 0 ? sub(type) : callOf(s, random.of(found), depth - 1);
    }
    case 9:
      return [...sub(type), op(OP.localTee, someLocal(s, type))];
    case 10:
      return type === 'i32' ? whole(s, depth) : sub(type);
    case 11: {
      const found = features.indirect.filter(({ results }) => results.length === 1 && results[0] === type);
      if (found.length === 0) return sub(type);
      const { typeIndex, params, elements } = random.of(found);
      return [...params.flatMap(sub), ...element(s, elements), op(OP.callIndirect, typeIndex, 0)];
    }
    default: {
      let chosen = random.of(BY_RESULT[type === 'i64' ? 'i64' : 'i32']);
      // Rare, because divisions trap so often that little else would be tested.
      if (chosen[1].effect && !random.once(4)) chosen = random.of(BY_RESULT[type === 'i64' ? 'i64' : 'i32']);
      const [code, { operands }] = chosen;
      return [...operands.flatMap(sub), op(code)];
    }
  }
}

/** An index into the table: mostly one of the right type, else any, sometimes after its end. */
function element(s: Scope, good: readonly number[]): Code {
  const { random, features } = s;
  if (good.length > 0 && !random.once(5)) {
    const [one, other] = [random.of(good), random.of(good)];
    return [i32(one), i32(other), ...value(s, 'i32', 1), op(OP.select)];
  }
  const size = i32(features.tableSize + (random.once(8) ? 1 : 0));
  return random.once(30) ? value(s, 'i32', 1) : [...value(s, 'i32', 1), size, op(0x70)];
}

/** A value that depends on the environment: sizes, context, references. */
function whole(s: Scope, depth: number): Code {
  const { random, features } = s;
  switch (random.pick(4)) {
    case 0:
      return [op(OP.memorySize, 0)];
    case 1: {
      if (!features.grow) return [op(OP.memorySize, 0)];
      const pages: Code = random.once(3)
        ? [...value(s, 'i32', depth - 1), i32(3), op(OP.i32And)]
        : [i32(random.pick(3))];
      return random.once(12) ? [...constant(s, 'i32'), op(OP.memoryGrow, 0)] : [...pages, op(OP.memoryGrow, 0)];
    }
    case 2:
      return [op(OP.call, features.host.request)];
    default:
      return features.tableSize > 0 ? [op(OP.tableSize, 0)] : [op(OP.refNull, 0x70), op(OP.refIsNull)];
  }
}
