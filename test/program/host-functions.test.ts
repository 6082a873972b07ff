import { describe, expect, it } from 'vitest';
import { InternalError } from '../../src/errors/errors.js';
import { encodeModule } from '../../src/program/encode.js';
import { ENV_IMPORTS } from '../../src/program/env.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { RunHost, RunResult } from '../../src/program/types.js';
import { u32Bytes } from '../../src/util/bytes.js';
import { call, end, get, i32, i64, loop, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { priceOf, run, testHost } from './support.js';

const FUEL = 100_000;

/** A program that calls one import with these constants and returns the buffer at `result`. */
function calling(name: string, args: (number | bigint)[], result = 4, prepare: Instruction[] = []): WasmBuilder {
  const b = new WasmBuilder();
  const imported = b.import(name);
  const returns = ENV_IMPORTS[name].endsWith('i32');
  const pushed = args.map((a) => (typeof a === 'bigint' ? i64(a) : i32(a)));
  return b.execute([...prepare, ...pushed, call(imported), ...(returns ? [op(OP.drop)] : []), i32(result)]);
}

/** Fuel of the host call alone. */
function cost(builder: WasmBuilder, host?: RunHost): number {
  const result = run(builder, host, FUEL);
  expect(result.status).toBe('OK');
  const instructions = builder.functions.at(-1)!.code.length - 1;
  return FUEL - result.fuelLeft - instructions;
}

/** A buffer at `at`: length word, then data. */
const buffer = (at: number, data: Uint8Array): [number, Uint8Array] => [
  at - 4,
  Uint8Array.of(...u32Bytes(data.length), ...data),
];
const KEY = Uint8Array.of(0x6b, 0x65, 0x79);
const ID = new Uint8Array(32).fill(1);

function withBuffers(builder: WasmBuilder, ...buffers: [number, Uint8Array][]): WasmBuilder {
  for (const [at, data] of buffers) builder.data(at, data);
  return builder;
}

const value = Uint8Array.of(9, 8, 7, 6, 5);
const stocked = () => testHost({ values: { key: value } });

describe('what host calls pay for (lane rules 5.4)', () => {
  it('__request_storage pays for the bytes of key and value', () => {
    const b = withBuffers(calling('__request_storage', [104]), buffer(104, KEY));
    expect(cost(b, stocked().host)).toBe(priceOf('__request_storage', KEY.length + value.length));
    expect(cost(b, testHost().host)).toBe(priceOf('__request_storage', KEY.length));
  });

  it('__load_storage pays for the bytes of key and value; it writes the value and returns out', () => {
    const b = withBuffers(calling('__load_storage', [104, 204], 204), buffer(104, KEY));
    expect(cost(b, stocked().host)).toBe(priceOf('__load_storage', KEY.length + value.length));
    expect(run(b, stocked().host).result).toEqual(value);
    const c = new WasmBuilder();
    const load = c.import('__load_storage');
    withBuffers(c.execute([i32(104), i32(204), call(load)]), buffer(104, KEY));
    expect(run(c, stocked().host).result).toEqual(value);
    expect(run(c, testHost().host).result).toHaveLength(0);
  });

  it('__request_context pays for no bytes, __load_context for what it writes; it returns out', () => {
    expect(cost(calling('__request_context', []))).toBe(priceOf('__request_context'));
    const b = new WasmBuilder();
    const load = b.import('__load_context');
    b.execute([i32(204), call(load)]);
    expect(cost(b)).toBe(priceOf('__load_context', 3));
    expect(run(b).result).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('__request_transaction and __request_block pay for no bytes, loading them for what is written', () => {
    for (const name of ['__request_transaction', '__request_block']) {
      expect(cost(calling(name, []))).toBe(priceOf(name));
    }
    for (const name of ['__load_transaction', '__load_block']) {
      for (const length of [0, 1, 8, 9, 60_000]) {
        const { host } = testHost({ transaction: new Uint8Array(length), block: new Uint8Array(length) });
        expect(cost(calling(name, [204]), host)).toBe(priceOf(name, length));
      }
    }
    expect(run(calling('__load_transaction', [204], 204)).result).toEqual(Uint8Array.of(4, 5));
    expect(run(calling('__load_block', [204], 204)).result).toEqual(Uint8Array.of(6));
  });

  it('__sequence, __fuel, __height and __balance pay for no bytes', () => {
    for (const name of ['__sequence', '__fuel', '__height']) {
      expect(cost(calling(name, [204]))).toBe(priceOf(name));
    }
    const b = withBuffers(calling('__balance', [304, 404, 204], 204), buffer(304, ID), buffer(404, ID));
    expect(cost(b)).toBe(priceOf('__balance'));
    expect(run(calling('__sequence', [204], 204)).result).toEqual(Uint8Array.of(1, ...new Array<number>(15).fill(0)));
    expect(run(calling('__height', [204], 204)).result).toEqual(Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0));
  });

  it('__fuel gives what is left after its own charge', () => {
    const b = calling('__fuel', [204], 204);
    const { result, fuelLeft } = run(b, undefined, 1_000);
    expect(fuelLeft).toBe(1_000 - 3 - priceOf('__fuel'));
    expect(new DataView(result!.buffer).getBigUint64(0, true)).toBe(BigInt(fuelLeft));
  });

  it('__returndatacopy pays for what it writes: the last response is empty', () => {
    expect(cost(calling('__returndatacopy', [204]))).toBe(priceOf('__returndatacopy'));
    expect(run(calling('__returndatacopy', [204], 204)).result).toHaveLength(0);
  });

  it('__log and __record_* pay for the bytes of their input, __is_dry_run for none; bad UTF-8 is fine', () => {
    for (const name of ['__log', '__record_get', '__record_put']) {
      const b = withBuffers(calling(name, [104]), buffer(104, Uint8Array.of(0xff, 0xc0, 0x80, 1)));
      expect(cost(b)).toBe(priceOf(name, 4));
    }
    expect(cost(calling('__is_dry_run', []))).toBe(priceOf('__is_dry_run'));
  });

  it('__record_get and __record_put declare keys; __is_dry_run is 0 outside the dry run and noted', () => {
    const { host, reads, writes } = testHost();
    run(withBuffers(calling('__record_get', [104]), buffer(104, KEY)), host);
    expect([reads, writes]).toEqual([['key'], []]);
    run(withBuffers(calling('__record_put', [104]), buffer(104, KEY)), host);
    expect([reads, writes]).toEqual([['key'], ['key']]);
    const b = new WasmBuilder();
    const asks = b.import('__is_dry_run');
    b.execute([i32(0), call(asks), store(), i32(4)]);
    expect(run(b)).toMatchObject({ result: new Uint8Array(0), askedDryRun: true });
    expect(run(b, testHost({ isDryRun: true }).host)).toMatchObject({ result: Uint8Array.of(0), askedDryRun: true });
    expect(run(calling('__height', [204]))).toMatchObject({ askedDryRun: false });
  });

  it('a charge equal to what is left ends at exactly 0; one more is out of fuel', () => {
    const b = calling('__height', [204]);
    const instructions = 3;
    expect(run(b, undefined, instructions + priceOf('__height'))).toMatchObject({ status: 'OK', fuelLeft: 0 });
    expect(run(b, undefined, instructions + priceOf('__height') - 1)).toMatchObject({
      status: 'OUT_OF_FUEL',
      fuelLeft: 0,
    });
  });
});

describe('order of a host call (lane rules 5)', () => {
  const BAD = 0x7fffffff;

  it('a bad input buffer comes before the charge', () => {
    expect(run(calling('__log', [BAD]), undefined, 3)).toMatchObject({ status: 'REVERT', reason: 'bad-pointer' });
    expect(run(calling('__request_storage', [0]), undefined, 4)).toMatchObject({ status: 'REVERT' });
  });

  it('the charge comes before the check of where it writes', () => {
    const b = calling('__load_transaction', [BAD]);
    const needed = 3 + priceOf('__load_transaction', 2);
    expect(run(b, undefined, needed - 1)).toMatchObject({ status: 'OUT_OF_FUEL' });
    expect(run(b, undefined, needed)).toMatchObject({ status: 'REVERT', reason: 'bad-pointer', fuelLeft: 0 });
  });

  it('the check comes before acting: a bad pointer of __sequence reads nothing', () => {
    const { host, reads } = testHost();
    expect(run(calling('__sequence', [BAD]), host)).toMatchObject({ status: 'REVERT', reason: 'bad-pointer' });
    expect(reads).toEqual([]);
  });

  it('a read that a message ran out of fuel on is still a read, unless the key alone was too dear', () => {
    for (const [name, args] of [
      ['__request_storage', [104]],
      ['__load_storage', [104, 204]],
    ] as const) {
      const key = priceOf(name, KEY.length);
      const b = withBuffers(calling(name, [...args]), buffer(104, KEY));
      const instructions = b.functions.at(-1)!.code.length - 1;
      const paid = stocked();
      expect(run(b, paid.host, instructions + key)).toMatchObject({ status: 'OUT_OF_FUEL' });
      expect(paid.reads).toEqual(['key']);
      const short = stocked();
      expect(run(b, short.host, instructions + key - 1)).toMatchObject({ status: 'OUT_OF_FUEL' });
      expect(short.reads).toEqual([]);
    }
  });
});

describe('what ends a run at once (lane rules 4)', () => {
  it('abort followed by an endless loop (REVERT)', () => {
    const b = new WasmBuilder();
    const abort = b.import('abort');
    b.execute([i32(0), i32(0), i32(0), i32(0), call(abort), loop(), op(OP.br, 0), end, i32(4)]);
    expect(run(b, undefined, FUEL)).toMatchObject({
      status: 'REVERT',
      reason: 'abort',
      fuelLeft: FUEL - 5 - priceOf('abort'),
      result: undefined,
    });
  });

  it('abort reads nothing and pays before it ends the run', () => {
    const b = calling('abort', [-1, -1, -1, -1]);
    expect(run(b, undefined, 6 + priceOf('abort'))).toMatchObject({ status: 'REVERT', reason: 'abort', fuelLeft: 0 });
    expect(run(b, undefined, 6 + priceOf('abort') - 1)).toMatchObject({ status: 'OUT_OF_FUEL', fuelLeft: 0 });
  });

  it('an id buffer shorter than 32 bytes', () => {
    const short = (who: number, what: number): RunResult =>
      run(
        withBuffers(
          calling('__balance', [304, 404, 204]),
          buffer(304, new Uint8Array(who)),
          buffer(404, new Uint8Array(what)),
        ),
      );
    expect(short(31, 32)).toMatchObject({ status: 'REVERT', reason: 'short-id' });
    expect(short(32, 31)).toMatchObject({ status: 'REVERT', reason: 'short-id' });
    expect(short(32, 40).status).toBe('OK');
  });

  it('a bad pointer: below 4, beyond the memory, or with a length beyond it; the last byte may be used', () => {
    const page = 65_536;
    const log = (pointer: number, length: number): string => {
      const b = new WasmBuilder();
      const imported = b.import('__log');
      const word = pointer >= 4 && pointer <= page ? [i32(pointer - 4), i32(length), store()] : [];
      b.execute([...word, i32(pointer), call(imported), i32(4)]);
      return run(b).status;
    };
    expect(log(3, 0)).toBe('REVERT');
    expect(log(4, 0)).toBe('OK');
    expect(log(page, 0)).toBe('OK');
    expect(log(page + 1, 0)).toBe('REVERT');
    expect(log(page - 10, 10)).toBe('OK');
    expect(log(page - 10, 11)).toBe('REVERT');
    expect(log(100, -1)).toBe('REVERT');
    // Pointers are unsigned.
    expect(log(-4, 0)).toBe('REVERT');
    expect(run(calling('__height', [page - 8])).status).toBe('OK');
    expect(run(calling('__height', [page - 7])).status).toBe('REVERT');
    expect(run(calling('__height', [3])).status).toBe('REVERT');
  });

  it('the host writes the length word and the data itself, and nothing else', () => {
    const b = new WasmBuilder();
    const height = b.import('__height');
    // Bytes 200..203 are the length word, 204..211 the data; the memory around stays what it was.
    withBuffers(b.execute([i32(204), call(height), i32(190)]), buffer(190, new Uint8Array(30).fill(0xee)));
    const bytes = run(b).result!;
    expect([...bytes.slice(0, 10)]).toEqual(new Array(10).fill(0xee));
    expect([...bytes.slice(10, 22)]).toEqual([8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
    expect([...bytes.slice(22)]).toEqual(new Array(8).fill(0xee));
  });

  it('buffers are found in memory that grew during the run', () => {
    const b = new WasmBuilder();
    const height = b.import('__height');
    b.execute([i32(1), op(OP.memoryGrow, 0), op(OP.drop), i32(100_000), call(height), i32(100_000)]);
    expect(run(b).result).toHaveLength(8);
  });
});

describe('how a run ends (lane rules 4)', () => {
  it('a result pointer that is bad leaves no result; the run was OK', () => {
    expect(run(new WasmBuilder().execute([i32(0)]))).toMatchObject({ status: 'OK', result: undefined });
    expect(run(new WasmBuilder().execute([i32(-1)]))).toMatchObject({ status: 'OK', result: undefined });
    const b = new WasmBuilder().execute([i32(100), i32(65_536), store(), i32(104)]);
    expect(run(b)).toMatchObject({ status: 'OK', result: undefined });
  });

  it('a WASM trap is TRAP, with the fuel left that the block paid', () => {
    const b = new WasmBuilder().execute([i32(65_533), i32(0), store(), i32(4)]);
    expect(run(b, undefined, FUEL)).toMatchObject({ status: 'TRAP', reason: 'none', fuelLeft: FUEL - 4 });
  });

  it('data or element segments out of bounds: every call traps, with what the entry charge has left', () => {
    const data = new WasmBuilder().execute([i32(4)]).data(65_535, Uint8Array.of(1, 2));
    expect(run(data, undefined, FUEL)).toMatchObject({ status: 'TRAP', fuelLeft: FUEL });
    const b = new WasmBuilder();
    b.tableOf(b.function('()->()', []));
    b.table = { min: 0, max: undefined };
    b.execute([i32(4)]);
    expect(run(b, undefined, FUEL)).toMatchObject({ status: 'TRAP', fuelLeft: FUEL });
    expect(run(b, undefined, FUEL)).toMatchObject({ status: 'TRAP', fuelLeft: FUEL });
  });

  it("an error of the host's own storage passes through and never becomes a status", () => {
    const b = withBuffers(calling('__request_storage', [104]), buffer(104, KEY));
    const failing = testHost({
      storage: () => {
        throw new TypeError('the database is gone');
      },
    });
    expect(() => run(b, failing.host)).toThrow(TypeError);
  });

  it("an overflow of the engine's own stack stops the process with an error", () => {
    const b = new WasmBuilder();
    const f = b.function('(i32)->()', [get(0), i32(1), op(OP.i32Add), call(0)]);
    b.execute([i32(0), call(f), i32(4)]);
    // The same program without the budget, as an engine meets it that has less stack than the budget needs.
    const bare = { ...prepareProgram(b.bytes()), hash: 'without budget', instrumented: withoutCounters(b) };
    expect(() => new ProgramRunner({ compiles: 'everything' }).run(bare, testHost().host, FUEL)).toThrow(InternalError);
  });

  it('3,000 runs in a row get their memory, each a fresh one', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: 16, maxPages: undefined };
    b.execute([i32(4)]);
    const program = prepareProgram(b.bytes());
    const runner = new ProgramRunner({ compiles: 'everything' });
    const { host } = testHost();
    let ok = 0;
    for (let i = 0; i < 3_000; i++) if (runner.run(program, host, FUEL).status === 'OK') ok++;
    expect(ok).toBe(3_000);
  });
});

/** The module with the counters' exports but nothing that counts. */
function withoutCounters(b: WasmBuilder): Uint8Array {
  const source = b.module();
  const first = source.globals.length;
  const counter = { type: 'i32', mutable: true, init: { kind: 'i32', value: 0 } } as const;
  const names = ['__warpshrew_fuel', '__warpshrew_stack', '__warpshrew_why'];
  return encodeModule({
    ...source,
    globals: [...source.globals, counter, counter, counter],
    exports: [...source.exports, ...names.map((name, i) => ({ name, kind: 'global', index: first + i }) as const)],
  });
}
