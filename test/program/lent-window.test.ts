// What a run touches of a lent memory, and that nothing of it is left to the next.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProgramInstance } from '../../src/program/instance.js';
import { ACCESSES } from '../../src/program/lent-code.js';
import { LentMemory } from '../../src/program/lent-memory.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { HostState } from '../../src/program/run-state.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { CallBuffers, CallingFrame, Program, RunHost, RunResult } from '../../src/program/types.js';
import { readU32 } from '../../src/util/bytes.js';
import { call, end, get, i32, i64, load, loop, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from './support.js';

const FUEL = 90_000_000;
const PAGE = 65_536;
const PAGES = 17;
const MIB = 2 ** 20;

const WIDE = [0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35];
const WIDE_STORES = [0x37, 0x3c, 0x3d, 0x3e];
const drop = op(OP.drop);

/** One access, bulk instruction or host write; each is in bounds or traps. */
function use(kind: number, address: number, offset: number, length: number, context: number): Instruction[] {
  const access = ACCESSES[kind % ACCESSES.length];
  switch (kind % 7) {
    case 0:
      return [i32(address), i32(offset), i32(length), op(OP.memoryFill, 0)];
    case 1:
      return [i32(address), i32(offset), i32(length), op(OP.memoryCopy, 0, 0)];
    case 2:
      return [i32(address), call(context), drop];
  }
  const memory = op(access, offset, 0);
  if (access >= OP.i32Store) return [i32(address), WIDE_STORES.includes(access) ? i64(-2n) : i32(-2), memory];
  return [i32(address), memory, ...(WIDE.includes(access) ? [op(0xa7)] : []), drop];
}

/** A number of any size, near the borders of pages and of the memory more often than elsewhere. */
const place = fc.oneof(
  fc.nat(3 * PAGE),
  fc.tuple(fc.nat(4), fc.integer({ min: -9, max: 9 })).map(([page, by]) => page * PAGE + by),
  fc.tuple(fc.nat(40), fc.integer({ min: -9, max: 9 })).map(([grain, by]) => grain * 4_096 + by),
  fc.integer({ min: -20, max: 20 }),
);

function bytesOf(instance: ProgramInstance): {
  readonly status: string;
  readonly left: number;
  readonly memory: Buffer;
} {
  let status = 'ok';
  instance.begin(new HostState(testHost().host), FUEL);
  try {
    instance.execute();
  } catch (error) {
    status = error instanceof WebAssembly.RuntimeError ? 'trap' : String((error as { reason?: string }).reason);
  }
  const memory = Buffer.from(instance.functions.memory.bytes);
  const left = instance.fuel.value as number;
  instance.finish();
  return { status, left, memory };
}

function inLent(program: Program, lent: LentMemory): ProgramInstance {
  return new ProgramInstance(program, new WebAssembly.Module(program.instrumentedToLend.slice()), refuseCall, lent);
}

describe('the window of a program in a lent memory', () => {
  it('covers all that any access or the host writes: nothing is left once the memory is cleared', () => {
    const lent = new LentMemory();
    const ends = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(200), place, place, fc.nat(9_000)), { minLength: 1, maxLength: 8 }),
        fc.nat(2),
        fc.boolean(),
        (uses, grow, erased) => {
          const b = new WasmBuilder();
          b.memory = { minPages: 1, maxPages: undefined };
          b.data(40_000, Uint8Array.of(1, 2, 3));
          const context = b.import('__load_context');
          const f = b.function('()->()', []);
          if (erased) b.tableOf(f);
          const table = erased ? [i32(0), op(OP.refNull), op(OP.tableSet, 0)] : [];
          const code = uses.flatMap(([kind, address, offset, length]) => use(kind, address, offset, length, context));
          b.execute([...table, i32(grow), op(OP.memoryGrow, 0), drop, ...code, i32(4)]);
          const program = prepareProgram(b.bytes());
          const own = new ProgramInstance(program, new WebAssembly.Module(program.instrumented.slice()), refuseCall);
          const expected = bytesOf(own);
          ends.add(expected.status);
          const instance = inLent(program, lent);
          for (let run = 0; run < 2; run++) {
            const found = bytesOf(instance);
            expect([found.status, found.left]).toEqual([expected.status, expected.left]);
            expect(found.memory.equals(expected.memory)).toBe(true);
          }
          lent.clear();
          expect(new Uint32Array(lent.memory.buffer).every((word) => word === 0)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    expect([...ends].sort()).toEqual(['bad-pointer', 'ok', 'trap']);
  });

  it('ends where its last byte does: an access that passes it traps at the end of memory, or widens it', () => {
    const lent = new LentMemory();
    for (const end of [PAGE, 2 * 4_096]) {
      for (let by = 0; by <= 8; by++) {
        const b = new WasmBuilder();
        b.memory = { minPages: 1, maxPages: undefined };
        const touch = [i32(end - 1), i32(7), op(0x3a, 0, 0)];
        const program = prepareProgram(
          b.execute([...touch, i32(end - 8 + by), i64(-1n), op(0x37, 0, 0), i32(4)]).bytes(),
        );
        expect(bytesOf(inLent(program, lent)).status).toBe(end === PAGE && by > 0 ? 'trap' : 'ok');
        lent.clear();
        expect(new Uint32Array(lent.memory.buffer).every((word) => word === 0)).toBe(true);
      }
    }
  });

  it('covers what a copy and the host write, with the length word before it', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: 1, maxPages: undefined };
    b.data(40_000, Uint8Array.of(1, 2, 3));
    const context = b.import('__load_context');
    const copied = [i32(50_000), i32(40_000), i32(3), op(OP.memoryCopy, 0, 0)];
    const program = prepareProgram(b.execute([...copied, i32(8_192), call(context), drop, i32(4)]).bytes());
    const lent = new LentMemory();
    const { status, memory } = bytesOf(inLent(program, lent));
    expect([status, memory[50_002], memory[8_188], memory[8_194]]).toEqual(['ok', 3, 3, 3]);
    lent.clear();
    expect(new Uint32Array(lent.memory.buffer).every((word) => word === 0)).toBe(true);
  });

  it('is no more than what was touched, however many pages the program has', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: PAGES, maxPages: undefined };
    b.data(16 * PAGE + 100, new Uint8Array(1_000).fill(1));
    const [deep, high] = [16 * PAGE - 20_000, 17 * PAGE + 5_000];
    b.execute([
      ...[i32(1), op(OP.memoryGrow, 0), drop, i32(deep), i32(7), store(), i32(high), i32(7), store(), i32(deep)],
    ]);
    const lent = new LentMemory();
    const instance = inLent(prepareProgram(b.bytes()), lent);
    expect(bytesOf(instance).status).toBe('ok');
    expect(lent.takenBytes).toBeGreaterThanOrEqual(high + 4 - deep);
    expect(lent.takenBytes).toBeLessThan(high - deep + 3 * 4_096);
  });

  it('grows with the program beyond what the memory began with', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: PAGES, maxPages: undefined };
    const last = 512 * PAGE - 4;
    b.execute([
      ...[i32(512 - PAGES), op(OP.memoryGrow, 0), drop, i32(104), i32(last), load(), op(OP.memorySize, 0)],
      ...[op(OP.i32Add), store(), i32(last), i32(-1), store(), i32(100), i32(4), store(), i32(104)],
    ]);
    const program = prepareProgram(b.bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    for (let run = 0; run < 3; run++) {
      const { status, result } = runner.run(program, testHost().host, FUEL);
      expect([status, result && readU32(result, 0)]).toEqual(['OK', 512]);
    }
    expect(runner.kept.inLent).toBe(1);
  });
});

/**
 * Grows, answers the sum of what it finds and of what a call gives, and fills `pages` behind its first. It calls
 * itself as deep as its host lets it.
 */
function nesting(pages: number): Program {
  const b = new WasmBuilder();
  const [makeCall, copy] = [b.import('__call'), b.import('__returndatacopy')];
  b.memory = { minPages: PAGES, maxPages: undefined };
  b.data(1_000, Uint8Array.of(0, 0, 0, 0));
  const counted = b.global('i32', 5);
  const called = [i32(1_004), i32(1_004), i32(1_004), i64(0n), call(makeCall), drop, i32(2_000), call(copy)];
  const found = [i32(2_000), load(), i32(PAGE), load(), op(OP.i32Add), i32(pages * PAGE), load(), op(OP.i32Add)];
  return prepareProgram(
    b
      .execute([
        ...[i32(pages), op(OP.memoryGrow, 0), drop, ...called, i32(104), ...found, op(OP.globalGet, counted)],
        ...[op(OP.i32Add), store(), i32(0), op(OP.globalSet, counted), i32(PAGE), i32(0xee), i32(pages * PAGE)],
        ...[op(OP.memoryFill, 0), i32(100), i32(4), store(), i32(104)],
      ])
      .bytes(),
  );
}

/** Lets a program call itself down to `depth`. */
class Nest {
  readonly host: RunHost = testHost({ call: (_: CallBuffers, frame: CallingFrame) => this.#call(frame) }).host;
  ended = 0;

  constructor(
    readonly program: Program,
    readonly depth: number,
  ) {}

  #call(frame: CallingFrame): Uint8Array {
    if (frame.depth >= this.depth) return new Uint8Array(4);
    const end: RunResult | undefined = frame.run(this.program, this.host);
    if (end?.result === undefined) throw new RangeError(`a frame did not end well: ${end?.status}`);
    this.ended++;
    return end.result;
  }
}

describe('frames in lent memories', () => {
  it('have one each, fresh for every frame, also where a contract calls itself', () => {
    const runner = new ProgramRunner({ compiles: 'everything' });
    const nest = new Nest(nesting(2), 5);
    for (let run = 0; run < 3; run++) {
      const { result } = runner.run(nest.program, nest.host, FUEL);
      expect(result && readU32(result, 0)).toBe(6 * 5);
    }
    expect(nest.ended).toBe(3 * 5);
    expect(runner.kept).toMatchObject({ instances: 6, inLent: 6, bytes: 0 });
  });

  it('give memory back to the machine when they took much of it', () => {
    const nest = new Nest(nesting(160), 8);
    const runner = new ProgramRunner({ compiledBytes: 1, compiles: 'everything' });
    for (let run = 0; run < 4; run++) {
      const { result } = runner.run(nest.program, nest.host, FUEL);
      expect(result && readU32(result, 0)).toBe(9 * 5);
      expect(runner.kept.lentBytes).toBeLessThanOrEqual(32 * MIB);
      // Of nine, each of some 10 MiB.
      expect(runner.kept.inLent).toBe(3);
      // What was given back is collected before there is much of it.
      expect(runner.kept.forgottenBytes).toBeLessThanOrEqual(128 * MIB);
    }
    const roomy = new ProgramRunner({ compiles: 'everything' });
    roomy.run(nest.program, nest.host, FUEL);
    expect(roomy.kept.lentBytes).toBeGreaterThan(9 * 160 * PAGE);
    expect(roomy.kept.inLent).toBe(9);
  });

  it('are not used for a program whose static data lies outside of its memory: it traps', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: PAGES, maxPages: undefined };
    b.data(PAGES * PAGE - 1, Uint8Array.of(1, 2));
    const program = prepareProgram(b.execute([i32(1), op(OP.memoryGrow, 0), drop, i32(4)]).bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    for (let run = 0; run < 2; run++) expect(runner.run(program, testHost().host, FUEL).status).toBe('TRAP');
    expect(runner.kept.inLent).toBe(0);
  });

  it('run a program that computes for long in a memory of its own from the next run on, and back', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: PAGES, maxPages: undefined };
    const context = b.import('__request_context');
    const count = [loop(), get(0), i32(1), op(OP.i32Sub), op(OP.localTee, 0), op(OP.brIf, 0), end];
    const f = b.function('(i32)->()', count);
    const grow = [i32(0), op(OP.memoryGrow, 0), drop];
    const program = prepareProgram(b.execute([...grow, call(context), call(f), i32(4)]).bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    const inLentAfter = [1_000, 1_000_000, 1_000, 1_000].map((rounds) => {
      const host = testHost({ context: new Uint8Array(rounds) }).host;
      expect(runner.run(program, host, FUEL).status).toBe('OK');
      const { inLent, instances } = runner.kept;
      return [inLent, instances - inLent];
    });
    // The second is lent a memory yet, and the third has one of its own yet.
    expect(inLentAfter).toEqual([
      [1, 0],
      [1, 0],
      [1, 1],
      [1, 1],
    ]);
  });
});
