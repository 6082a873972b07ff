import { OP } from '../../program/opcodes.js';
import { i32, op } from './build.js';
import type { Code, Scope } from './scope.js';
import { FUNCREF_CODE, value } from './values.js';

/** An instruction that reads or changes references in the table: a PUNT in the kernel, unlike the code before it. */
export function tableStatement(s: Scope): Code {
  const { random, features } = s;
  const size = features.tableSize;
  // Usually inside the table.
  const place = (): Code => (random.once(8) ? value(s, 'i32', 1) : [i32(random.pick(size + 1))]);
  const few = (): Code => [i32(random.pick(3))];
  const reference = (): Code => {
    const some = s.callable[0];
    const one = some === undefined || random.once(3) ? op(OP.refNull, FUNCREF_CODE) : op(OP.refFunc, some.index);
    if (!random.once(3)) return [one];
    return [one, op(OP.refNull, FUNCREF_CODE), ...value(s, 'i32', 1), op(OP.selectTyped, FUNCREF_CODE)];
  };
  const passive = size;
  switch (random.pick(7)) {
    case 0:
      return [...place(), op(OP.tableGet, 0), op(OP.refIsNull), op(OP.drop)];
    case 1:
      return [...place(), ...reference(), op(OP.tableSet, 0)];
    case 2:
      return [...reference(), ...few(), op(OP.tableGrow, 0), op(OP.drop)];
    case 3:
      return [...place(), ...reference(), ...few(), op(OP.tableFill, 0)];
    case 4:
      return [...place(), ...place(), ...few(), op(OP.tableCopy, 0, 0)];
    case 5:
      return [...place(), ...few(), ...few(), op(OP.tableInit, passive, 0)];
    default:
      return [op(OP.elemDrop, passive)];
  }
}
