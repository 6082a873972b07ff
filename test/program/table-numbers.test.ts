import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program } from '../../src/program/types.js';
import {
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
import { freshRun, testHost } from './support.js';

const FUEL = 60_000;
const SIZE = 20;
const MAX = 30;
/** Functions 1 to 40, which say their number: the first 20 are in the table, the others in a passive segment. */
const OTHERS = 40;
const [INPUT, OUTPUT] = [1_004, 2_004];

/**
 * Does `bulk` with the three numbers that it is given, `drops`: once more after its segment is dropped, and answers the
 * numbers of all elements.
 */
function showing(bulk: readonly Instruction[], drops: boolean): Program {
  const b = new WasmBuilder();
  const context = b.import('__load_context');
  const numbers = Array.from({ length: OTHERS }, (_, i) => b.function('()->i32', [i32(i + 1)]));
  const items = numbers.map((index) => ({ kind: 'ref.func', index }) as const);
  b.table = { min: SIZE, max: MAX };
  b.elements.push(
    { mode: 'active', table: 0, offset: { kind: 'i32', value: 0 }, items: items.slice(0, SIZE) },
    { mode: 'passive', table: 0, offset: undefined, items: items.slice(SIZE) },
  );
  const element = [get(0), op(OP.tableGet, 0), op(OP.refIsNull), op(OP.i32Eqz), if_('i32')];
  const number = [...element, get(0), op(OP.callIndirect, b.type('()->i32'), 0), else_, i32(0), end];
  b.execute(
    [
      ...[i32(INPUT), call(context), op(OP.drop), ...bulk, ...(drops ? [op(OP.elemDrop, 1), ...bulk] : [])],
      ...[i32(OUTPUT - 4), op(OP.tableSize, 0), store(), loop(), get(0), op(OP.tableSize, 0), op(OP.i32LtU), if_()],
      ...[get(0), ...number, op(0x3a, OUTPUT, 0), get(0), i32(1), op(OP.i32Add), set(0), op(OP.br, 1), end, end],
      i32(OUTPUT),
    ],
    ['i32'],
  );
  return prepareProgram(b.bytes());
}

const INPUTS = [0, 4, 8].map((at) => [i32(INPUT + at), load()]);
const TWO_NUMBERS = [INPUTS[0], INPUTS[2]].flat();
const COUNTS = [0, 1, 2, 3, 14, 15, 16, 17, 20, 21, -1];
const ELEMENTS = [0, 1, 2, 5, 17, 19, 20, 21, -1];
const function33 = op(OP.refFunc, 33);

/** By name: the instruction, and what it makes of the table; undefined if it traps. */
const BULK: Record<string, readonly [code: Instruction[], model: (table: number[], n: number[]) => boolean]> = {
  'table.copy': [
    [...INPUTS.flat(), op(OP.tableCopy, 0, 0)],
    (table, [to, from, count]) =>
      fits(SIZE, to, count) && fits(SIZE, from, count) && copyTo(table, to, table, from, count),
  ],
  'table.init': [
    [...INPUTS.flat(), op(OP.tableInit, 1, 0)],
    (table, [to, from, count]) => {
      const segment = Array.from({ length: OTHERS - SIZE }, (_, i) => SIZE + i + 1);
      return fits(SIZE, to, count) && fits(segment.length, from, count) && copyTo(table, to, segment, from, count);
    },
  ],
  'table.fill with a function': [
    [...INPUTS[0], function33, ...INPUTS[2], op(OP.tableFill, 0)],
    (table, [to, , count]) => fits(SIZE, to, count) && copyTo(table, to, new Array(SIZE).fill(33), 0, count),
  ],
  'table.fill with null': [
    [...INPUTS[0], op(OP.refNull, 0x70), ...INPUTS[2], op(OP.tableFill, 0)],
    (table, [to, , count]) => fits(SIZE, to, count) && copyTo(table, to, new Array(SIZE).fill(0), 0, count),
  ],
  'table.grow': [
    [function33, ...INPUTS[0], op(OP.tableGrow, 0), op(OP.drop)],
    (table, [count]) => {
      if (fits(MAX, SIZE, count)) table.push(...new Array<number>(count).fill(33));
      return true;
    },
  ],
  'table.set': [
    [...TWO_NUMBERS.slice(0, 2), function33, op(OP.tableSet, 0)],
    (table, [at]) => fits(SIZE, at, 1) && copyTo(table, at, [33], 0, 1),
  ],
};

const fits = (size: number, at: number, count: number): boolean => (at >>> 0) + (count >>> 0) <= size;

function copyTo(table: number[], to: number, from: readonly number[], at: number, count: number): boolean {
  table.splice(to, count, ...from.slice(at, at + count));
  return true;
}

describe('a table kept as numbers, after', () => {
  it.each(Object.entries(BULK))('%s, of all counts and places', (name, [code, model]) => {
    const program = showing(code, false);
    const runner = new ProgramRunner({ compiles: 'everything' });
    for (const to of name === 'table.grow' ? [0, 1, 9, 10, 11, -1] : ELEMENTS) {
      for (const from of ELEMENTS) {
        for (const count of COUNTS) {
          const table = Array.from({ length: SIZE }, (_, i) => i + 1);
          const free = [to, from, count].every((n) => n >= 0);
          const expected = model(table, [to, from, count]) ? Uint8Array.from(table) : undefined;
          const host = testHost({ context: new Uint8Array(Int32Array.of(to, from, count).buffer) }).host;
          const { status, result } = runner.run(program, host, FUEL);
          if (free || status !== 'OUT_OF_FUEL') expect([to, from, count, result]).toEqual([to, from, count, expected]);
        }
      }
    }
    expect(runner.kept.instances).toBe(1);
  });

  it('a dropped segment of elements has none', () => {
    const program = showing(BULK['table.init'][0], true);
    const run = (...numbers: number[]) => {
      const host = testHost({ context: new Uint8Array(Int32Array.from(numbers).buffer) }).host;
      return freshRun(program, FUEL, host).status;
    };
    expect([run(0, 0, 0), run(0, 0, 1), run(0, 1, 0)]).toEqual(['OK', 'TRAP', 'TRAP']);
  });
});
