import { describe, expect, it } from 'vitest';
import { readModule } from '../../src/program/decode.js';
import type { Instruction } from '../../src/program/module.js';
import { validateModule } from '../../src/program/validate.js';
import {
  block,
  brTable,
  call,
  else_,
  end,
  get,
  i32,
  if_,
  loop,
  OP,
  op,
  set,
  WasmBuilder,
} from '../helpers/wasm-builder.js';
import { run } from './support.js';

function slots(signature: string, code: Instruction[], locals: 'i32'[] = []): number {
  const b = new WasmBuilder();
  b.function(signature, code, locals);
  return validateModule(readModule(b.execute([i32(4)]).bytes())).slots[0];
}

const drops = (n: number): Instruction[] => new Array<Instruction>(n).fill(op(OP.drop));
const pushes = (n: number): Instruction[] => new Array<Instruction>(n).fill(i32(4));

describe('slots of a frame (lane rules 4)', () => {
  it('16, plus parameters and locals, plus the greatest operand depth, plus 1 per started 16 instructions', () => {
    expect(slots('()->()', [])).toBe(17);
    expect(slots('(i32,i64)->()', [], ['i32', 'i32', 'i32'])).toBe(17 + 5);
    expect(slots('()->()', [...pushes(7), ...drops(7)])).toBe(17 + 7);
    expect(slots('()->()', [...pushes(7), ...drops(7), op(OP.nop)])).toBe(17 + 7);
    expect(slots('()->()', [...pushes(8), ...drops(8)])).toBe(18 + 8);
    expect(slots('()->()', [...pushes(1_000), ...drops(1_000)])).toBe(16 + 1_000 + 126);
  });

  it('counts every instruction of the body as it came: nop, block, else, end, dead code and the last end', () => {
    const nops = new Array<Instruction>(14).fill(op(OP.nop));
    expect(slots('()->()', nops)).toBe(17);
    expect(slots('()->()', [...nops, op(OP.nop)])).toBe(17);
    expect(slots('()->()', [...nops, op(OP.nop), op(OP.nop)])).toBe(18);
    expect(slots('()->()', [...nops, block(), end])).toBe(18);
    expect(slots('()->()', [op(OP.return), ...nops, op(OP.nop)])).toBe(18);
    expect(slots('()->()', [...nops.slice(3), op(OP.unreachable), if_(), else_, end])).toBe(17);
    expect(slots('()->()', [...nops.slice(2), op(OP.unreachable), if_(), else_, end])).toBe(18);
  });

  it('is looked at after each instruction, the last end included', () => {
    expect(slots('()->i32', [op(OP.unreachable)])).toBe(17 + 1);
    expect(slots('()->i32,i32', [op(OP.unreachable)])).toBe(17 + 2);
    expect(slots('()->i32', [i32(1), i32(2), op(OP.i32Add)])).toBe(17 + 2);
  });

  it('counts operands below a block, and blocks give back what they hold', () => {
    expect(slots('()->()', [i32(1), i32(2), block('i32'), i32(3), i32(4), op(OP.i32Add), end, ...drops(3)])).toBe(
      17 + 4,
    );
    expect(slots('()->()', [i32(1), if_('i32'), ...pushes(3), ...drops(2), else_, i32(1), end, op(OP.drop)])).toBe(
      17 + 3,
    );
  });

  it('walks dead code as the validation algorithm does: cut to the base of the block, then pushing', () => {
    expect(slots('()->()', [...pushes(3), op(OP.unreachable), i32(1), i32(1), op(OP.drop), op(OP.drop)])).toBe(17 + 3);
    expect(slots('()->()', [op(OP.unreachable), ...pushes(5), ...drops(5)])).toBe(17 + 5);
    // i32.add takes nothing from an empty dead stack and pushes one.
    expect(slots('()->()', [op(OP.unreachable), op(OP.i32Add), op(OP.i32Add), op(OP.drop)])).toBe(17 + 1);
    expect(slots('()->()', [i32(1), block(), op(OP.br, 0), ...pushes(2), ...drops(2), end, op(OP.drop)])).toBe(17 + 3);
    // br_if pushes its label's values even where it popped none.
    expect(slots('()->i32,i32,i32', [op(OP.unreachable), op(OP.brIf, 0)])).toBe(17 + 3);
  });
});

describe('the stack budget of 32,768 slots (lane rules 4)', () => {
  /** Code and locals of a function () -> () whose frame takes `size` slots in all. */
  const frameOf = (size: number): { code: Instruction[]; locals: 'i32'[] } => {
    const depth = Math.floor(((size - 18) * 8) / 9);
    const rest = size - 16 - depth - Math.ceil((2 * depth + 1) / 16);
    return { code: [...pushes(depth), ...drops(depth)], locals: new Array<'i32'>(rest).fill('i32') };
  };
  /** One function whose frame takes `size` slots in all, called by `__execute`, which takes 18. */
  const oneFrame = (size: number): WasmBuilder => {
    const b = new WasmBuilder();
    const { code, locals } = frameOf(size);
    const f = b.function('()->()', code, locals);
    return b.execute([call(f), i32(4)]);
  };

  it('a frame that ends at exactly 32,768 slots', () => {
    expect(run(oneFrame(32_768 - 18)).status).toBe('OK');
    expect(run(oneFrame(32_768 - 17)).status).toBe('TRAP');
    expect(run(oneFrame(40_000)).status).toBe('TRAP');
  });

  it('is taken before the entry block pays: a frame over the budget leaves that fuel', () => {
    expect(run(oneFrame(32_768 - 17), undefined, 1_000_000)).toMatchObject({ status: 'TRAP', fuelLeft: 1_000_000 - 2 });
    expect(run(oneFrame(40_000), undefined, 1_000_000)).toMatchObject({ status: 'TRAP', fuelLeft: 1_000_000 - 2 });
    // Neither fuel nor budget would do: the stack is looked at first.
    expect(run(oneFrame(40_000), undefined, 2)).toMatchObject({ status: 'TRAP', fuelLeft: 0 });
  });

  it('endless recursion traps by the budget, long before the engine overflows', () => {
    for (const locals of [0, 10, 1_000]) {
      const b = new WasmBuilder();
      const f = b.function('()->()', [call(0)], new Array(locals).fill('i64'));
      b.execute([call(f), i32(4)]);
      const frames = Math.floor((32_768 - 18) / (17 + locals));
      expect(run(b, undefined, 1_000_000)).toMatchObject({ status: 'TRAP', fuelLeft: 1_000_000 - 2 - frames });
    }
  });

  it('is given back on every way out', () => {
    const exits: Record<string, Instruction[]> = {
      'the end': [],
      return: [op(OP.return)],
      'return in a loop': [loop(), op(OP.return), end],
      'br to the outermost label': [block(), op(OP.br, 1), end],
      'br_if to the outermost label': [i32(1), op(OP.brIf, 0), op(OP.unreachable)],
      'br_table to the outermost label': [block(), i32(1), brTable(0, 1), end, op(OP.unreachable)],
      'if without else': [get(0), if_(), op(OP.return), end, op(OP.unreachable)],
    };
    for (const [name, code] of Object.entries(exits)) {
      const b = new WasmBuilder();
      const f = b.function('(i32)->()', code);
      // 5,000 calls of 17 or more slots each pass only if each gives its slots back.
      b.execute(
        [
          i32(5_000),
          set(0),
          loop(),
          i32(1),
          call(f),
          get(0),
          i32(1),
          op(OP.i32Sub),
          op(OP.localTee, 0),
          op(OP.brIf, 0),
          end,
          i32(4),
        ],
        ['i32'],
      );
      expect(run(b).status, name).toBe('OK');
    }
  });

  it('the way out keeps several results', () => {
    const b = new WasmBuilder();
    const f = b.function(
      '()->i32,i64,i32',
      [i32(10), op(0x42, undefined), i32(3), op(OP.return)].map((i) => (i.op === 0x42 ? { ...i, value: 5n } : i)),
    );
    const g = b.function('()->i32', [call(f), set(0), op(0xa7), op(OP.i32Add), get(0), op(OP.i32Add)], ['i32']);
    b.execute([i32(0), call(g), op(OP.i32Store, 0, 2), i32(4)]);
    expect(run(b).result).toHaveLength(18);
  });

  it('the start function is a frame like any other, given back before __execute is entered', () => {
    const starting = (size: number): WasmBuilder => {
      const b = new WasmBuilder();
      const { code, locals } = frameOf(size);
      b.start = b.function('()->()', code, locals);
      return b.execute([i32(4)]);
    };
    expect(run(starting(32_768)).status).toBe('OK');
    expect(run(starting(32_769), undefined, 1_000_000)).toMatchObject({ status: 'TRAP', fuelLeft: 1_000_000 });
  });
});
