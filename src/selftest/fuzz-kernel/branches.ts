import { OP } from '../../program/opcodes.js';
import { branchTable, end, i32, op, open } from './build.js';
import { type Code, type Label, PLAIN, type Scope } from './scope.js';
import { value } from './values.js';

/** Counts a loop's local down; leaves whether it may iterate again. */
export function countdown(counter: number): Code {
  return [op(OP.localGet, counter), i32(1), op(OP.i32Sub), op(OP.localTee, counter), i32(0), op(0x4a)];
}

/** br, br_if or return to any label, including those of loops. */
export function branch(s: Scope): Code {
  const { random } = s;
  const loops = s.labels.flatMap((label, depth) => (label.counter === undefined ? [] : [depth]));
  const target = loops.length > 0 && random.once(2) ? random.of(loops) : random.pick(s.labels.length);
  const { carries, counter } = s.labels[target] as Label;
  const values = (scope: Scope): Code => carries.flatMap((type) => value(scope, type, 1));
  const condition = (): Code => (counter === undefined ? value(s, 'i32', 1) : countdown(counter));
  if (random.pick(3) > 0) {
    return [...values(s), ...condition(), op(OP.brIf, target), ...carries.map(() => op(OP.drop))];
  }
  // The code after a branch is dead and may claim any operands.
  const dead: Code = random.once(3) ? [op(OP.i32Add), op(OP.drop), ...value(s, 'i64', 1), op(OP.drop)] : [];
  const outermost = s.returns && target === s.labels.length - 1;
  const leave = outermost && random.once(2) ? op(OP.return) : op(OP.br, target + 1);
  return [...condition(), open(OP.if), ...values({ ...s, labels: [PLAIN, ...s.labels] }), leave, ...dead, end];
}

/** br_table to labels of any depth that carry the same types, including heads of loops. */
export function branchTables(s: Scope): Code {
  const { random } = s;
  const loops = s.labels.filter((label) => label.counter !== undefined);
  const { carries } = random.of(loops.length > 0 && random.once(2) ? loops : s.labels);
  const alike = s.labels.flatMap((label, depth) => (`${label.carries}` === `${carries}` ? [{ depth, ...label }] : []));
  const back = random.of([undefined, ...alike.filter(({ counter }) => counter !== undefined)]);
  const usable = alike.filter(({ counter, depth }) => counter === undefined || depth === back?.depth);
  const only = usable.length > 0 ? usable : alike.slice(0, 1);
  const guard = only.find(({ counter }) => counter !== undefined)?.counter;
  const targets = Array.from({ length: 1 + random.pick(9) }, () => random.of(only).depth + 1);
  const scope: Scope = { ...s, labels: [PLAIN, ...s.labels] };
  return [
    ...(guard === undefined ? value(s, 'i32', 1) : countdown(guard)),
    open(OP.if),
    ...carries.flatMap((type) => value(scope, type, 1)),
    ...value(scope, 'i32', 1),
    i32(targets.length),
    op(0x70),
    branchTable(targets),
    end,
  ];
}
