/** Every shape of block with every way out of it; a model in the test says what each gives. */

type Type = 'i32' | 'i64';
type Kind = 'block' | 'loop' | 'if' | 'else';
type Exit = 'end' | 'br' | 'br_if' | 'br_table' | 'return';

const KINDS: readonly Kind[] = ['block', 'loop', 'if', 'else'];
const EXITS: readonly Exit[] = ['end', 'br', 'br_if', 'br_table', 'return'];
const TYPES: readonly (readonly Type[])[] = [[], ['i32'], ['i64', 'i32']];
/** Blocks inside that a branch leaves, too; what goes through no label needs one only. */
const depthsOf = (exit: Exit): readonly number[] => (exit === 'end' || exit === 'return' ? [0] : [0, 2]);
/** Rounds that a loop is branched back to. */
const ROUNDS = 3;

/** The shapes that were made, in words, for the coverage test. */
export const shapesSeen = new Set<string>();

const constants = (types: readonly Type[], from: number): string =>
  types.map((type, i) => `(${type}.const ${from + i * 7})`).join(' ');
const values = (types: readonly Type[], from: number): number[] => types.map((_, i) => from + i * 7);
/** Takes values of these types off the stack and folds them into $sum, the top first. */
const fold = (types: readonly Type[]): string =>
  [...types]
    .reverse()
    .map((type) => (type === 'i32' ? '(call $fold32)' : '(call $fold)'))
    .join(' ');
const folded = (sum: bigint, numbers: readonly number[]): bigint =>
  [...numbers].reverse().reduce((s, n) => BigInt.asIntN(64, s * 31n + BigInt(n)), sum);
const listed = (what: 'param' | 'result', types: readonly Type[]): string =>
  types.length > 0 ? `(${what} ${types.join(' ')})` : '';
const typeOf = (params: readonly Type[], results: readonly Type[]): string =>
  `${listed('param', params)} ${listed('result', results)}`;
const DEAD = '(drop) (i64.add) (drop) (i32.const 5) (drop)';

interface Shape {
  readonly kind: Kind;
  readonly exit: Exit;
  readonly depth: number;
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

/**
 * Body of a block: parameters are folded, then the exit is taken from `depth` blocks further inside, or the end is
 * reached.
 */
function bodyOf({ kind, exit, depth, params, results }: Shape): string {
  const carried = kind === 'loop' ? params : results;
  const leave = ((): string => {
    switch (exit) {
      case 'end':
        return '';
      case 'br':
        return `(if (local.get $go) (then ${constants(carried, 50)} (br ${depth + 1}) ${DEAD}))`;
      case 'return':
        return `(if (local.get $go) (then (i64.const 77) (return) ${DEAD}))`;
      case 'br_if':
        return `${constants(carried, 50)} (br_if ${depth} (local.get $go)) ${carried.map(() => '(drop)').join(' ')}`;
      case 'br_table':
        // Index 0 leaves an outer block with nothing, where labels agree; else all labels are the same one.
        return `(if (local.get $go) (then ${constants(carried, 50)}
          (br_table ${depth + 1} ${depth + 1} ${depth + 1} (local.get $x)) ${DEAD}))`;
    }
  })();
  const again =
    kind === 'loop'
      ? `(i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const ${ROUNDS}))`
      : '(i32.const 1)';
  const decide = `(local.set $go (i32.and (i32.ne (local.get $x) (i32.const 0)) ${again}))`;
  const nested = `${'(block '.repeat(depth)}${leave}${')'.repeat(depth)}`;
  return `${fold(params)} ${decide} ${nested} ${constants(results, 20)}`;
}

function functionOf(name: string, shape: Shape): string {
  const { kind, params, results } = shape;
  const type = typeOf(params, results);
  const body = bodyOf(shape);
  const other = `${params.map(() => '(drop)').join(' ')} ${constants(results, 90)}`;
  const inner = ((): string => {
    if (kind === 'block' || kind === 'loop') return `${kind} ${type} ${body} end`;
    const test = kind === 'if' ? '(i32.const 1)' : '(i32.const 0)';
    return kind === 'if'
      ? `${test} if ${type} ${body} else ${other} end`
      : `${test} if ${type} ${other} else ${body} end`;
  })();
  return `(func (export "${name}") (param $x i32) (result i64) (local $n i32) (local $go i32)
    (global.set $sum (i64.const 1)) ${constants(params, 3)} ${inner} ${fold(results)} (global.get $sum))`;
}

/** What a shape gives: the sum over the values that were seen. */
function meaningOf({ kind, exit, params, results }: Shape, x: number): bigint {
  let sum = folded(1n, values(params, 3));
  if (x === 0 || exit === 'end') return folded(sum, values(results, 20));
  if (exit === 'return') return 77n;
  if (kind !== 'loop') return folded(sum, values(results, 50));
  for (let n = 1; n < ROUNDS; n++) sum = folded(sum, values(params, 50));
  return folded(sum, values(results, 20));
}

const HELPERS = `(global $sum (mut i64) (i64.const 0))
  (func $fold (param i64) (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 31)) (local.get 0))))
  (func $fold32 (param i32) (call $fold (i64.extend_i32_s (local.get 0))))`;

/** A script per kind of block: parameters x results x way out x depth. */
export function blockScripts(): string[] {
  return KINDS.map((kind) => {
    const functions: string[] = [];
    const calls: string[] = [];
    for (const params of TYPES) {
      for (const results of TYPES) {
        for (const exit of EXITS) {
          for (const depth of depthsOf(exit)) {
            const shape = { kind, exit, depth, params, results };
            const name = `${kind} ${typeOf(params, results)}: ${exit} from ${depth}`;
            shapesSeen.add(`${kind} ${exit} ${depth} ${params.length} ${results.length}`);
            functions.push(functionOf(name, shape));
            for (const x of [0, 1, 5]) {
              calls.push(`(assert_return (invoke "${name}" (i32.const ${x})) (i64.const ${meaningOf(shape, x)}))`);
            }
          }
        }
      }
    }
    return `(module ${HELPERS}\n${functions.join('\n')})\n${calls.join('\n')}`;
  });
}

/** br_table to each of several nested blocks, ifs and a loop; every index, and those over the end. */
export function branchTableScript(): string {
  const functions: string[] = [];
  const calls: string[] = [];
  for (const opener of ['block', '(i32.const 1) if', 'loop']) {
    for (let depth = 1; depth <= 5; depth++) {
      const name = `br_table in ${depth} of ${opener}`;
      const labels = Array.from({ length: depth }, (_, i) => i);
      let body = `(br_table ${labels.join(' ')} ${depth} (local.get $x)) ${DEAD}`;
      for (let level = 0; level < depth; level++) {
        // A loop is entered again where its label is branched to: $x then leads out of all.
        const first = opener === 'loop' ? `(local.set $a (i32.add (local.get $a) (i32.const ${1 << level})))` : '';
        const turn = opener === 'loop' && level === 0 ? TURN : '';
        const around = `${opener} ${first} ${turn} ${body} end`;
        body = `${around} (local.set $a (i32.add (local.get $a) (i32.const ${10 * (level + 1)})))`;
      }
      functions.push(`(func (export "${name}") (param $x i32) (result i32) (local $a i32) (local $turns i32)
        block ${body} end (local.get $a))`);
      for (const x of [...labels, depth, depth + 1, -1]) {
        const value = opener === 'loop' ? loopsGive(depth, x) : blocksGive(depth, x);
        calls.push(`(assert_return (invoke "${name}" (i32.const ${x})) (i32.const ${value}))`);
      }
    }
  }
  return `(module ${functions.join('\n')})\n${calls.join('\n')}`;
}

/** On the second turn the index is one that leads out of everything. */
const TURN = `(if (local.get $turns) (then (local.set $x (i32.const -1)))) (local.set $turns (i32.const 1))`;

/** Levels from the one left on add 10 x (level + 1). */
function blocksGive(depth: number, x: number): number {
  if (x < 0 || x >= depth) return 0;
  let sum = 0;
  for (let level = x; level < depth; level++) sum += 10 * (level + 1);
  return sum;
}

/** Entering a loop adds 1 << level; branching to level x enters that and those inside again. */
function loopsGive(depth: number, x: number): number {
  const entered = (from: number): number => (1 << (from + 1)) - 1;
  return entered(depth - 1) + (x < 0 || x >= depth ? 0 : entered(x));
}

const lines = (numbers: readonly number[], line: (n: number) => string): string => numbers.map(line).join('\n');
const indirect = (i: number, x: number): string => `(invoke "call_indirect" (i32.const ${i}) (i32.const ${x}))`;
const indirectOther = (i: number): string => `(invoke "call_indirect of another type" (i32.const ${i}) (i64.const 1))`;

/** Calls, also through tables; globals, locals, select, traps and references. */
export function callScript(): string {
  return `(module
    (type $ii (func (param i32) (result i32))) (type $other (func (param i64) (result i32)))
    (type $same (func (param i32) (result i32)))
    (table 6 funcref) (elem (i32.const 0) $double $wide $forty $self)
    (global $g32 (mut i32) (i32.const -7)) (global $g64 (mut i64) (i64.const 0x123456789abcdef))
    (global $c i64 (i64.const -1))
    (func $double (type $same) (i32.add (local.get 0) (local.get 0)))
    (func $wide (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
    (func $forty (param i32) (result i32) (i32.const 40))
    (func $self (param i32) (result i32) (i32.mul (local.get 0) (call $forty (i32.const 0))))
    (func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
    (func (export "call_indirect") (param i32 i32) (result i32) (call_indirect (type $ii) (local.get 1) (local.get 0)))
    (func (export "call_indirect of another type") (param i32 i64) (result i32)
      (call_indirect (type $other) (local.get 1) (local.get 0)))
    (func (export "call") (param i32) (result i32) (call $self (local.get 0)))
    (func (export "call with results") (param i32 i64) (result i64 i32) (call $swap (local.get 0) (local.get 1)))
    (func (export "global.get") (result i32 i64 i64) (global.get $g32) (global.get $g64) (global.get $c))
    (func (export "global.set") (param i32 i64) (global.set $g32 (local.get 0)) (global.set $g64 (local.get 1)))
    (func (export "select") (param i32 i64) (result i64) (select (i64.const -5) (local.get 1) (local.get 0)))
    (func (export "select t") (param i32) (result i32)
      (ref.is_null (select (result funcref) (ref.null func) (ref.func $double) (local.get 0))))
    (func (export "locals") (param i32) (result i32) (local i32 i64)
      (local.set 1 (local.tee 0 (i32.add (local.get 0) (i32.const 1)))) (nop) (drop (i64.const 3))
      (i32.add (i32.add (local.get 0) (local.get 1)) (i32.wrap_i64 (local.get 2))))
    (func (export "unreachable") (param i32) (result i32) (if (local.get 0) (then (unreachable))) (i32.const 3))
  )
  ${lines([0, 1, 7, -3], (x) => `(assert_return ${indirect(0, x)} (i32.const ${x * 2}))`)}
  (assert_return (invoke "call_indirect" (i32.const 2) (i32.const 9)) (i32.const 40))
  (assert_return (invoke "call_indirect" (i32.const 3) (i32.const 6)) (i32.const 240))
  ${lines([1, 4, 5, 6, 7, -1], (i) => `(assert_trap ${indirect(i, 1)} "")`)}
  (assert_return (invoke "call_indirect of another type" (i32.const 1) (i64.const 0x900000001)) (i32.const 9))
  ${lines([0, 2, 3, 4, 6], (i) => `(assert_trap ${indirectOther(i)} "")`)}
  (assert_return (invoke "call" (i32.const 10)) (i32.const 400))
  (assert_return (invoke "call with results" (i32.const 4) (i64.const -9)) (i64.const -9) (i32.const 4))
  (assert_return (invoke "global.get") (i32.const -7) (i64.const 0x123456789abcdef) (i64.const -1))
  (assert_return (invoke "global.set" (i32.const 8) (i64.const -8)))
  (assert_return (invoke "global.get") (i32.const 8) (i64.const -8) (i64.const -1))
  (assert_return (invoke "select" (i32.const 0) (i64.const 6)) (i64.const 6))
  (assert_return (invoke "select" (i32.const 256) (i64.const 6)) (i64.const -5))
  (assert_return (invoke "select t" (i32.const 0)) (i32.const 0))
  (assert_return (invoke "select t" (i32.const -1)) (i32.const 1))
  (assert_return (invoke "locals" (i32.const 20)) (i32.const 42))
  (assert_return (invoke "unreachable" (i32.const 0)) (i32.const 3))
  (assert_trap (invoke "unreachable" (i32.const 1)) "")`;
}

/** Functions that call themselves and each other, with an end and without. */
export function recursionScript(): string {
  return `(module (table 1 funcref) (elem (i32.const 0) $through)
    (func $factorial (export "factorial") (param i64) (result i64)
      (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1))
        (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1)))))))
    (func $even (export "even") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
    (func $odd (param i32) (result i32)
      (if (result i32) (local.get 0) (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
    (func $through (export "through a table") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 2) (call_indirect (param i32) (result i32)
          (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))
        (else (i32.const 1))))
    (func $endless (export "without end") (call $endless)))
  (assert_return (invoke "factorial" (i64.const 20)) (i64.const 2432902008176640000))
  (assert_return (invoke "even" (i32.const 100)) (i32.const 1))
  (assert_return (invoke "even" (i32.const 99)) (i32.const 0))
  (assert_return (invoke "through a table" (i32.const 50)) (i32.const 101))
  (assert_trap (invoke "without end") "")`;
}

/** Tables that change: what is in a place is told by calling it. */
export function tableScript(): string {
  const three = (name: string, ...n: number[]): string =>
    `(invoke "${name}" ${n.map((v) => `(i32.const ${v})`).join(' ')})`;
  const calls: string[] = [];
  // Numbers of functions by place; 0 for null.
  const table: number[] = [1, 2, 3, 0, 0, 0];
  const passive = [3, 2, 1, 0];
  const view = (): void => {
    table.forEach((of, i) => {
      calls.push(`(assert_return ${three('is null', i)} (i32.const ${of === 0 ? 1 : 0}))`);
      calls.push(
        of === 0 ? `(assert_trap ${three('at', i)} "")` : `(assert_return ${three('at', i)} (i32.const ${of * 11}))`,
      );
    });
    calls.push(`(assert_return (invoke "size") (i32.const ${table.length}))`);
  };
  const ok = (name: string, ...n: number[]): void => void calls.push(`(assert_return ${three(name, ...n)})`);
  const traps = (name: string, ...n: number[]): void => void calls.push(`(assert_trap ${three(name, ...n)} "")`);
  view();
  ok('set', 4, 0);
  table[4] = 1;
  view();
  for (const i of [6, -1]) {
    traps('set', i, 0);
    traps('is null', i);
    traps('at', i);
  }
  ok('copy', 1, 0, 3);
  table.copyWithin(1, 0, 3);
  view();
  ok('copy', 6, 6, 0);
  for (const n of [
    [6, 0, 1],
    [0, 6, 1],
    [4, 0, 3],
    [7, 0, 0],
    [-1, 0, 1],
  ])
    traps('copy', ...n);
  ok('fill', 3, 1, 2);
  table.fill(2, 3, 5);
  view();
  for (const n of [
    [6, 0, 1],
    [7, 0, 0],
    [5, 0, 2],
  ])
    traps('fill', ...n);
  ok('init', 2, 0, 4);
  table.splice(2, 4, ...passive);
  view();
  for (const n of [
    [0, 0, 5],
    [0, 5, 0],
    [4, 0, 3],
    [7, 0, 0],
  ])
    traps('init', ...n);
  calls.push('(assert_return (invoke "drop"))');
  traps('init', 0, 0, 1);
  ok('init', 0, 0, 0);
  calls.push(
    `(assert_return ${three('grow', 2, 2)} (i32.const 6))`,
    `(assert_return ${three('grow', 0, 5000)} (i32.const -1))`,
  );
  table.push(3, 3);
  view();
  return `(module (type $t (func (result i32))) (table 6 5008 funcref) (elem (i32.const 0) $one $two $three)
    (elem $p funcref (ref.func $three) (ref.func $two) (ref.func $one) (ref.null func))
    (func $one (result i32) (i32.const 11)) (func $two (result i32) (i32.const 22))
    (func $three (result i32) (i32.const 33))
    (func $ref (param i32) (result funcref)
      (select (result funcref) (ref.func $one)
        (select (result funcref) (ref.func $two) (ref.func $three) (i32.eq (local.get 0) (i32.const 1)))
        (i32.eqz (local.get 0))))
    (func (export "is null") (param i32) (result i32) (ref.is_null (table.get 0 (local.get 0))))
    (func (export "at") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
    (func (export "size") (result i32) (table.size 0))
    (func (export "set") (param i32 i32) (table.set 0 (local.get 0) (call $ref (local.get 1))))
    (func (export "copy") (param i32 i32 i32) (table.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "fill") (param i32 i32 i32) (table.fill 0 (local.get 0) (call $ref (local.get 1)) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (table.init $p (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (elem.drop $p))
    (func (export "grow") (param i32 i32) (result i32) (table.grow 0 (call $ref (local.get 0)) (local.get 1))))
  ${calls.join('\n')}`;
}
