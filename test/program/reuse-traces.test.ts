import { describe, expect, it } from 'vitest';
import { InternalError } from '../../src/errors/errors.js';
import { TABLE_AT } from '../../src/program/hidden-page.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import type { Reuse } from '../../src/program/reuse.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { RunResult } from '../../src/program/types.js';
import { call, end, get, i32, i64, if_, load, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { freshRun, testHost } from './support.js';

const FUEL = 3_500_000;

/** Code that returns the word which `read` leaves, as a result of four bytes at 104. */
function answering(read: readonly Instruction[], then: readonly Instruction[] = []): Instruction[] {
  return [i32(104), ...read, store(), i32(100), i32(4), store(), ...then, i32(104)];
}

/** Programs that would give another answer at their second run if anything of the first were left. */
const PROGRAMS: Record<
  string,
  { make: () => WasmBuilder; reuse: Reuse; kept: boolean | 'in lent memory' | 'lent at once' }
> = {
  'stores, also to the last byte': {
    make: () => {
      const b = new WasmBuilder();
      const bump = (at: number): Instruction[] => [i32(at), i32(at), load(0, 0), i32(1), op(OP.i32Add), store(0, 0)];
      return b.execute([
        ...bump(65_532),
        ...bump(0),
        ...answering([i32(65_532), load(), i32(0), load(), op(OP.i32Add)]),
      ]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'stores over data': {
    make: () =>
      new WasmBuilder()
        .data(200, Uint8Array.of(7, 0, 0, 0))
        .data(300, Uint8Array.of(5))
        .data(202, Uint8Array.of(1))
        .execute(answering([i32(200), load()], [i32(200), i32(-1), store()])),
    reuse: { reusable: true, images: [{ start: 200, end: 301 }] },
    kept: true,
  },
  globals: {
    make: () => {
      const b = new WasmBuilder();
      const [narrow, wide] = [b.global('i32', -5), b.global('i64', (1n << 62n) + 3n)];
      const read = [op(OP.globalGet, narrow), op(OP.globalGet, wide), op(0xa7), op(OP.i32Add)];
      return b.execute(answering(read, [i32(9), op(OP.globalSet, narrow), i64(9n), op(OP.globalSet, wide)]));
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'a memory that grows': {
    make: () => new WasmBuilder().execute(answering([i32(1), op(OP.memoryGrow, 0)])),
    reuse: { reusable: true, images: [] },
    kept: 'in lent memory',
  },
  'a memory that grows by nothing, or not at all': {
    make: () => {
      const b = new WasmBuilder();
      b.memory = { minPages: 1, maxPages: 1 };
      const bump = [i32(500), i32(500), load(), i32(1), op(OP.i32Add), store()];
      return b.execute([
        ...bump,
        ...answering([
          i32(0),
          op(OP.memoryGrow, 0),
          i32(1),
          op(OP.memoryGrow, 0),
          op(OP.i32Add),
          i32(500),
          load(),
          op(OP.i32Add),
        ]),
      ]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'passive data that stays': {
    make: () => {
      const b = new WasmBuilder();
      b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(1, 2, 3, 4) });
      b.dataCount = 1;
      return b.execute([i32(400), i32(0), i32(4), op(OP.memoryInit, 0), ...answering([i32(400), load()])]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'data.drop': {
    make: () => {
      const b = new WasmBuilder();
      b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(1, 2, 3, 4) });
      b.dataCount = 1;
      const init = [i32(400), i32(0), i32(4), op(OP.memoryInit, 0)];
      return b.execute([...init, op(OP.dataDrop, 0), ...answering([i32(400), load()])]);
    },
    reuse: { reusable: false, reason: 'segment' },
    kept: false,
  },
  'elem.drop': {
    make: () => {
      const b = new WasmBuilder();
      const f = b.function('()->()', []);
      b.tableOf(f);
      b.elements.push({ mode: 'passive', table: 0, offset: undefined, items: [{ kind: 'ref.func', index: f }] });
      return b.execute([op(OP.elemDrop, 1), ...answering([i32(3)])]);
    },
    reuse: { reusable: false, reason: 'segment' },
    kept: false,
  },
  'table.set': {
    make: () => {
      const b = new WasmBuilder();
      const [one, two] = [b.function('()->i32', [i32(1)]), b.function('()->i32', [i32(2)])];
      b.tableOf(one, two);
      const call0 = [i32(0), op(OP.callIndirect, b.type('()->i32'), 0)];
      return b.execute(answering(call0, [i32(0), i32(1), op(OP.tableGet, 0), op(OP.tableSet, 0)]));
    },
    reuse: { reusable: true, images: [{ start: TABLE_AT, end: TABLE_AT + 8 }] },
    kept: true,
  },
  'table.grow': {
    make: () => {
      const b = new WasmBuilder();
      b.tableOf(b.function('()->()', []));
      return b.execute(answering([op(OP.refNull, 0x70), i32(1), op(OP.tableGrow, 0)]));
    },
    reuse: { reusable: true, images: [{ start: TABLE_AT, end: TABLE_AT + 4 }] },
    kept: true,
  },
  'table.init, and dropping what it took and what memory.init took': {
    make: () => {
      const b = new WasmBuilder();
      const f = b.function('()->i32', [i32(5)]);
      b.table = { min: 2, max: 2 };
      b.elements.push({ mode: 'passive', table: 0, offset: undefined, items: [{ kind: 'ref.func', index: f }] });
      b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(1, 2, 3, 4) });
      b.dataCount = 1;
      const init = [i32(1), i32(0), i32(1), op(OP.tableInit, 0, 0), i32(400), i32(0), i32(4), op(OP.memoryInit, 0)];
      const called = [i32(1), op(OP.callIndirect, b.type('()->i32'), 0), i32(400), load(), op(OP.i32Add)];
      return b.execute([...init, op(OP.elemDrop, 0), op(OP.dataDrop, 0), ...answering(called)]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'a table that changes, and more globals than are reset elsewhere': {
    make: () => {
      const b = new WasmBuilder();
      b.table = { min: 1, max: 1 };
      const globals = Array.from({ length: 300 }, (_, i) => b.global('i32', i));
      const sum = globals.flatMap((g) => [op(OP.globalGet, g), op(OP.i32Add), i32(9), op(OP.globalSet, g)]);
      return b.execute(answering([i32(0), ...sum], [i32(0), op(OP.refNull, 0x70), op(OP.tableSet, 0)]));
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'a global that holds a reference': {
    make: () => {
      const b = new WasmBuilder();
      const f = b.function('()->()', []);
      b.tableOf(f);
      const g = b.globals.push({ type: 'funcref', mutable: true, init: { kind: 'ref.null' } }) - 1;
      return b.execute(answering([op(OP.globalGet, g), op(OP.refIsNull)], [op(OP.refFunc, f), op(OP.globalSet, g)]));
    },
    reuse: { reusable: true, images: [{ start: TABLE_AT, end: TABLE_AT + 4 }] },
    kept: true,
  },
  'a large memory': {
    make: () => {
      const b = new WasmBuilder();
      b.memory = { minPages: 33, maxPages: undefined };
      return b.execute(answering([i32(33 * 65_536 - 4), load()], [i32(33 * 65_536 - 4), i32(1), store()]));
    },
    reuse: { reusable: true, images: [] },
    kept: 'lent at once',
  },
  'the largest memory, with data at both ends': {
    make: () => {
      const b = new WasmBuilder();
      b.memory = { minPages: 512, maxPages: undefined };
      b.data(200, Uint8Array.of(1, 2))
        .data(512 * 65_536 - 4, Uint8Array.of(3, 0, 0, 0))
        .data(201, Uint8Array.of(9));
      const last = i32(512 * 65_536 - 4);
      return b.execute(answering([last, load()], [last, i32(1), store(), i32(200), i32(1), store()]));
    },
    reuse: {
      reusable: true,
      images: [
        { start: 200, end: 202 },
        { start: 512 * 65_536 - 4, end: 512 * 65_536 },
        { start: 201, end: 202 },
      ],
    },
    kept: 'lent at once',
  },
  'more globals than are set back': {
    make: () => {
      const b = new WasmBuilder();
      const all = Array.from({ length: 257 }, () => b.global('i32', 1));
      const add = all.flatMap((g) => [op(OP.globalGet, g), i32(1), op(OP.i32Add), op(OP.globalSet, g)]);
      return b.execute([...add, ...answering([op(OP.globalGet, all[256])])]);
    },
    reuse: { reusable: false, reason: 'globals' },
    kept: false,
  },
  'a start function, which is part of every run': {
    make: () => {
      const b = new WasmBuilder();
      const g = b.global('i32', 3);
      b.start = b.function('()->()', [op(OP.globalGet, g), i32(1), op(OP.i32Add), op(OP.globalSet, g)]);
      return b.execute(answering([op(OP.globalGet, g)]));
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'a trap deep in calls, behind a store': {
    make: () => {
      const b = new WasmBuilder();
      const g = b.global('i32', 0);
      const f = b.function('(i32)->()', [
        ...[op(OP.globalGet, g), i32(1), op(OP.i32Add), op(OP.globalSet, g)],
        ...[get(0), i32(1), store()],
        ...[op(OP.globalGet, g), i32(20), op(OP.i32Eq), if_(), op(OP.unreachable), end],
        ...[i32(0), call(b.nextFunction)],
      ]);
      return b.execute([i32(0), call(f), i32(4)]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  'the end of the stack budget': {
    make: () => {
      const b = new WasmBuilder();
      const f = b.function('()->()', [call(0)]);
      return b.execute([call(f), i32(4)]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  abort: {
    make: () => {
      const b = new WasmBuilder();
      const abort = b.import('abort');
      const g = b.global('i32', 0);
      const set = [i32(1), op(OP.globalSet, g)];
      return b.execute([
        op(OP.globalGet, g),
        if_(),
        op(OP.unreachable),
        end,
        ...set,
        ...[1, 2, 3, 4].map(i32),
        call(abort),
        i32(4),
      ]);
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
  '__is_dry_run asked': {
    make: () => {
      const b = new WasmBuilder();
      const ask = b.import('__is_dry_run');
      return b.execute(answering([call(ask)]));
    },
    reuse: { reusable: true, images: [] },
    kept: true,
  },
};

describe('programs that leave something behind', () => {
  for (const [name, { make, reuse, kept }] of Object.entries(PROGRAMS)) {
    it(name, () => {
      const program = prepareProgram(make().bytes());
      expect(program.reuse).toEqual(reuse);
      const runner = new ProgramRunner({ compiles: 'everything' });
      for (let i = 0; i < 4; i++) {
        const fuel = i === 2 ? program.entryFuel + 9 : FUEL;
        expect(runner.run(program, testHost().host, fuel)).toEqual(freshRun(program, fuel));
        const isLent = kept === 'lent at once' || (kept === 'in lent memory' && i > 0);
        const again = isLent || kept === true || (i === 2 && reuse.reusable);
        expect(runner.kept.instances).toBe(again ? 1 : 0);
        expect(runner.kept.inLent).toBe(isLent ? 1 : 0);
      }
    });
  }

  it('the next run asks its own host and begins without having asked for the dry run', () => {
    const b = new WasmBuilder();
    const [height, dry] = [b.import('__height'), b.import('__is_dry_run')];
    const code = [
      i32(104),
      call(height),
      i32(104),
      load(),
      i32(7),
      op(OP.i32Eq),
      if_(),
      call(dry),
      op(OP.drop),
      end,
      i32(104),
    ];
    const program = prepareProgram(b.execute(code).bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    const asked = [7, 8, 7].map((h) => {
      const { result, askedDryRun } = runner.run(program, testHost({ height: h }).host, FUEL);
      return [result?.[0], askedDryRun];
    });
    expect(asked).toEqual([
      [7, true],
      [8, false],
      [7, true],
    ]);
  });

  it('an instance whose host failed, or whose engine overflowed, is not used again, and the runner goes on', () => {
    const b = new WasmBuilder();
    const sequence = b.import('__sequence');
    const program = prepareProgram(b.execute([i32(104), call(sequence), i32(104)]).bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    expect(runner.run(program, testHost().host, FUEL).status).toBe('OK');
    const failing = testHost({
      sequence: () => {
        throw new TypeError('the database is gone');
      },
    });
    expect(() => runner.run(program, failing.host, FUEL)).toThrow(TypeError);
    expect(runner.kept.instances).toBe(0);
    const overflowing = testHost({
      sequence: function overflow(): bigint {
        return overflow() + 1n;
      },
    });
    expect(() => runner.run(program, overflowing.host, FUEL)).toThrow(InternalError);
    expect(runner.kept.instances).toBe(0);
    expect(runner.run(program, testHost().host, FUEL)).toEqual(freshRun(program, FUEL));
  });

  it('a program may be run by the host of another run of it', () => {
    const b = new WasmBuilder();
    const sequence = b.import('__sequence');
    const bump = [i32(200), i32(200), load(), i32(1), op(OP.i32Add), store()];
    const program = prepareProgram(
      b.execute([...bump, i32(300), call(sequence), ...bump, ...answering([i32(200), load()])]).bytes(),
    );
    const runner = new ProgramRunner({ compiles: 'everything' });
    let inner: RunResult | undefined;
    const nesting = testHost({
      sequence: () => {
        inner = runner.run(program, testHost().host, FUEL);
        return 1n;
      },
    });
    for (let i = 0; i < 2; i++) {
      const outer = runner.run(program, nesting.host, FUEL);
      expect(outer).toEqual(freshRun(program, FUEL));
      expect(inner).toEqual(outer);
    }
  });
});
