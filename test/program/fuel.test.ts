import { describe, expect, it } from 'vitest';
import { MESSAGE_FUEL } from '../../src/program/counters.js';
import type { Instruction } from '../../src/program/module.js';
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
  store,
  WasmBuilder,
} from '../helpers/wasm-builder.js';
import { fuelUsed, run } from './support.js';

const execute = (code: Instruction[], locals: 'i32'[] = []): WasmBuilder => new WasmBuilder().execute(code, locals);
const used = (code: Instruction[], locals: 'i32'[] = []): number => fuelUsed(execute(code, locals));

describe('fuel per basic block (lane rules 5)', () => {
  it('a message has 3,500,000', () => {
    expect(run(execute([i32(4)])).fuelLeft).toBe(MESSAGE_FUEL - 5_000 - 1);
    expect(MESSAGE_FUEL).toBe(3_500_000);
  });

  it('1 per instruction; nop, block, loop, else and end cost nothing', () => {
    expect(used([i32(1), op(OP.drop), i32(4)])).toBe(3);
    expect(used([op(OP.nop), block(), end, loop(), end, op(OP.nop), i32(4)])).toBe(1);
    expect(used([i32(1), if_('i32'), i32(4), else_, i32(5), op(OP.drop), i32(4), end])).toBe(3);
    expect(used([i32(0), if_('i32'), i32(4), else_, i32(5), op(OP.drop), i32(4), end])).toBe(5);
  });

  it('a block is charged whole at its start: what a trap leaves unexecuted is paid', () => {
    const result = run(
      execute([i32(1), i32(0), op(OP.i32DivU), op(OP.drop), i32(1), op(OP.drop), i32(4)]),
      undefined,
      100,
    );
    expect(result).toMatchObject({ status: 'TRAP', fuelLeft: 93 });
  });

  it('a block ends behind br_if, so what follows a taken branch is not paid', () => {
    expect(used([block(), i32(1), op(OP.brIf, 0), i32(9), op(OP.drop), end, i32(4)])).toBe(3);
    expect(used([block(), i32(0), op(OP.brIf, 0), i32(9), op(OP.drop), end, i32(4)])).toBe(5);
  });

  it('a block ends behind br, br_table, return and unreachable; dead code is never paid', () => {
    expect(used([block(), op(OP.br, 0), i32(9), op(OP.drop), end, i32(4)])).toBe(2);
    expect(used([block(), i32(3), brTable(0, 0), i32(9), op(OP.drop), end, i32(4)])).toBe(3);
    expect(used([i32(4), op(OP.return), i32(9), op(OP.drop)])).toBe(2);
    const dead = [op(OP.unreachable), i32(9), op(OP.drop)];
    expect(run(execute(dead), undefined, 100)).toMatchObject({ status: 'TRAP', fuelLeft: 99 });
  });

  it('a block ends behind loop: each turn pays the body, not what stands before it', () => {
    const turns = 5;
    const code = [
      i32(turns),
      set(0),
      loop(),
      get(0),
      i32(1),
      op(OP.i32Sub),
      op(OP.localTee, 0),
      op(OP.brIf, 0),
      end,
      i32(4),
    ];
    expect(used(code, ['i32'])).toBe(2 + turns * 5 + 1);
  });

  it('a block does not end behind a call: the callee runs with the whole block already paid', () => {
    const b = new WasmBuilder();
    const f = b.function('()->()', [op(OP.unreachable)]);
    b.execute([call(f), i32(1), op(OP.drop), i32(4)]);
    // 4 for the calling block, 1 for the callee's.
    expect(run(b, undefined, 100)).toMatchObject({ status: 'TRAP', fuelLeft: 95 });
  });

  it('fuel that ends at exactly 0 is not out of fuel', () => {
    const code = [i32(1), op(OP.drop), i32(4)];
    expect(run(execute(code), undefined, 3)).toMatchObject({ status: 'OK', fuelLeft: 0 });
    expect(run(execute(code), undefined, 2)).toMatchObject({ status: 'OUT_OF_FUEL', fuelLeft: 0 });
  });

  it('an endless loop runs out of fuel, also one that costs nothing but its branch', () => {
    expect(run(execute([loop(), op(OP.br, 0), end, i32(4)]))).toMatchObject({ status: 'OUT_OF_FUEL', fuelLeft: 0 });
  });
});

describe('fuel of bulk instructions (lane rules 5)', () => {
  const fill = (length: number): Instruction[] => [i32(0), i32(7), i32(length), op(OP.memoryFill, 0), i32(4)];

  it('memory.fill, memory.copy and memory.init pay 1 more per started 16 bytes', () => {
    for (const [length, extra] of [
      [0, 0],
      [1, 1],
      [16, 1],
      [17, 2],
      [65_536, 4_096],
    ]) {
      expect(used(fill(length))).toBe(5 + extra);
      expect(used([i32(0), i32(0), i32(length), op(OP.memoryCopy, 0, 0), i32(4)])).toBe(5 + extra);
    }
    const b = execute([i32(0), i32(0), i32(17), op(OP.memoryInit, 0, 0), op(OP.dataDrop, 0), i32(4)]);
    b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(65) });
    b.dataCount = 1;
    expect(fuelUsed(b)).toBe(6 + 2);
  });

  it('the length operand decides, unsigned, and is charged before the instruction runs', () => {
    // 65,537 bytes do not fit one page: the charge is taken, then it traps.
    expect(run(execute(fill(65_537)), undefined, 10_000)).toMatchObject({
      status: 'TRAP',
      fuelLeft: 10_000 - 5 - 4_097,
    });
    expect(run(execute(fill(-1)))).toMatchObject({ status: 'OUT_OF_FUEL' });
    expect(run(execute(fill(-1)), undefined, 268_435_461)).toMatchObject({ status: 'TRAP', fuelLeft: 0 });
  });

  it('table.copy, init, fill and grow pay 4 more per element; elem.drop and data.drop nothing', () => {
    const withTable = (code: Instruction[]): WasmBuilder => {
      const b = new WasmBuilder();
      const f = b.function('()->()', []);
      b.execute([...code, i32(4)]);
      b.tableOf(...new Array<number>(20).fill(f));
      b.elements.push({
        mode: 'passive',
        table: 0,
        offset: undefined,
        items: new Array(20).fill({ kind: 'ref.func', index: f }),
      });
      return b;
    };
    expect(fuelUsed(withTable([i32(0), i32(0), i32(9), op(OP.tableCopy, 0, 0)]))).toBe(5 + 36);
    expect(fuelUsed(withTable([i32(0), i32(0), i32(8), op(OP.tableInit, 1, 0)]))).toBe(5 + 32);
    expect(fuelUsed(withTable([i32(0), op(OP.refNull, 0x70), i32(9), op(OP.tableFill, 0)]))).toBe(5 + 36);
    expect(
      fuelUsed(withTable([op(OP.refNull, 0x70), i32(9), op(OP.tableGrow, 0), op(OP.drop), op(OP.elemDrop, 1)])),
    ).toBe(6 + 36);
    // By the operand, before it runs: also where it traps or gives -1, and without overflow.
    expect(fuelUsed(withTable([op(OP.refNull, 0x70), i32(4_097), op(OP.tableGrow, 0), op(OP.drop)]))).toBe(5 + 16_388);
    const fill = (length: number): WasmBuilder =>
      withTable([i32(0), op(OP.refNull, 0x70), i32(length), op(OP.tableFill, 0)]);
    expect(run(fill(21), undefined, 100)).toMatchObject({ status: 'TRAP', fuelLeft: 100 - 5 - 84 });
    for (const length of [-1, 0x40000000, 0x40000001]) expect(run(fill(length)).status).toBe('OUT_OF_FUEL');
  });

  it('table.grow beyond 4,096 elements gives -1', () => {
    const b = new WasmBuilder();
    const f = b.function('()->i32', [op(OP.refNull, 0x70), i32(4_076), op(OP.tableGrow, 0)]);
    const g = b.function('()->i32', [op(OP.refNull, 0x70), i32(1), op(OP.tableGrow, 0)]);
    b.tableOf(...new Array<number>(20).fill(f));
    const expectValue = (value: number): Instruction[] => [i32(value), op(OP.i32Ne), if_(), op(OP.unreachable), end];
    b.execute([call(f), ...expectValue(20), call(g), ...expectValue(-1), i32(4)]);
    expect(run(b).status).toBe('OK');
  });

  it('memory.grow pays 1,000 and 5,000 per page, also when it gives -1; memory.grow(-1) is out of fuel', () => {
    expect(used([i32(0), op(OP.memoryGrow, 0), op(OP.drop), i32(4)])).toBe(1_004);
    expect(used([i32(3), op(OP.memoryGrow, 0), op(OP.drop), i32(4)])).toBe(16_004);
    expect(run(execute([i32(600), op(OP.memoryGrow, 0), op(OP.drop), i32(4)]))).toMatchObject({
      status: 'OK',
      fuelLeft: MESSAGE_FUEL - 5_000 - 3_001_004,
    });
    expect(run(execute([i32(-1), op(OP.memoryGrow, 0)]))).toMatchObject({ status: 'OUT_OF_FUEL' });
    expect(run(execute([i32(3), op(OP.memoryGrow, 0), op(OP.drop), i32(4)]), undefined, 16_004).status).toBe('OK');
    expect(run(execute([i32(3), op(OP.memoryGrow, 0), op(OP.drop), i32(4)]), undefined, 16_003).status).toBe(
      'OUT_OF_FUEL',
    );
  });

  it('memory.grow beyond 512 pages gives -1, whatever maximum the module declares', () => {
    for (const maxPages of [undefined, 60_000]) {
      const b = new WasmBuilder();
      b.memory = { minPages: 1, maxPages };
      // The result of the second grow is stored as the length of the result: -1 + 2 = 1 byte.
      b.execute([
        i32(511),
        op(OP.memoryGrow, 0),
        op(OP.drop),
        i32(0),
        i32(1),
        op(OP.memoryGrow, 0),
        i32(2),
        op(OP.i32Add),
        store(),
        i32(4),
      ]);
      expect(run(b).result).toEqual(Uint8Array.of(0));
    }
  });
});

describe('start functions (lane rules 3)', () => {
  it('the start function is called first thing in every __execute and charged like the rest', () => {
    const b = new WasmBuilder();
    const g = b.global('i32', 0);
    b.start = b.function('()->()', [i32(5), op(OP.globalSet, g)]);
    b.execute([i32(0), op(OP.globalGet, g), store(), i32(4)]);
    for (let i = 0; i < 2; i++) {
      const result = run(b, undefined, 100);
      expect(result.result).toHaveLength(5);
      expect(result.fuelLeft).toBe(100 - 2 - 4);
    }
  });

  it('an inner call of __execute does not run it again', () => {
    const b = new WasmBuilder();
    const g = b.global('i32', 0);
    b.start = b.function('()->()', [op(OP.globalGet, g), i32(1), op(OP.i32Add), op(OP.globalSet, g)]);
    const self = b.nextFunction;
    const entered = b.global('i32', 0);
    b.execute([
      op(OP.globalGet, entered),
      op(OP.i32Eqz),
      if_(),
      i32(1),
      op(OP.globalSet, entered),
      call(self),
      op(OP.drop),
      end,
      i32(0),
      op(OP.globalGet, g),
      store(),
      i32(4),
    ]);
    expect(run(b).result).toHaveLength(1);
  });

  it('a start function that traps or never ends is the message that fails', () => {
    const b = new WasmBuilder();
    b.start = b.function('()->()', [loop(), op(OP.br, 0), end]);
    b.execute([i32(4)]);
    expect(run(b).status).toBe('OUT_OF_FUEL');
  });
});

describe('fresh state', () => {
  it('memory, globals and tables are fresh for every message', () => {
    const b = new WasmBuilder();
    const g = b.global('i64', 0n);
    b.execute([
      op(OP.globalGet, g),
      op(0xa7),
      op(0x28, 64, 2),
      i32(64),
      op(0x28, 0, 2),
      op(OP.i32Add),
      if_(),
      op(OP.unreachable),
      end,
      i64(1n),
      op(OP.globalSet, g),
      i32(64),
      i32(1),
      store(),
      i32(4),
    ]);
    expect([run(b).status, run(b).status]).toEqual(['OK', 'OK']);
  });
});
