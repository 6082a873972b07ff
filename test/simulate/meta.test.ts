import { describe, expect, test } from 'vitest';
import { codeKey } from '../../src/lane/keys.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program, RunHost, RunResult } from '../../src/program/types.js';
import { idBytes, parseId } from '../../src/protocol/alkane-id.js';
import { Metas } from '../../src/simulate/meta.js';
import { swapExports } from '../../src/simulate/swap-exports.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { call, end, i32, i64, loop, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { PROBE } from '../lane/world.js';
import { bytes } from '../store/helpers.js';

const AT = 260;
const DEEP_ENOUGH = 64;
const I32_STORE8 = 0x3a;

const sized = (part: Uint8Array): Uint8Array => concatBytes(u32Bytes(part.length), part);

/** Contracts by id; a text for the code: the id whose code it has. */
function world(codes: Readonly<Record<string, Uint8Array | string>>) {
  const runs: Program[] = [];
  const runner = new ProgramRunner();
  const counting = {
    run(program: Program, host: RunHost, fuel: number): RunResult {
      runs.push(program);
      return runner.run(program, host, fuel);
    },
  };
  const metas = new Metas(counting);
  const state = new Map(
    Object.entries(codes).map(([id, code]) => [
      codeKey(parseId(id)),
      typeof code === 'string'
        ? concatBytes(Uint8Array.of(1), idBytes(parseId(code)))
        : concatBytes(Uint8Array.of(0), code),
    ]),
  );
  return { runs, meta: (id: string) => metas.of(parseId(id), { get: (key) => state.get(key) }) };
}

/** A contract whose `__meta` returns `text` from its data. */
function saying(text: Uint8Array): Uint8Array {
  const wasm = new WasmBuilder().data(AT - 4, sized(text)).execute([i32(0)]);
  return wasm.export('__meta', wasm.function('()->i32', [i32(AT)])).bytes();
}

/** The code and facts of what is thrown. */
function failureOf(text: Uint8Array | WasmBuilder): unknown {
  const { meta } = world({ '2:1': text instanceof WasmBuilder ? text.bytes() : text });
  try {
    return meta('2:1');
  } catch (error) {
    return error;
  }
}

function withMeta(make: (wasm: WasmBuilder) => WasmBuilder): WasmBuilder {
  return make(new WasmBuilder());
}

describe('the JSON of a contract', () => {
  test('is what its __meta returns, and a clone says the same', () => {
    const { meta, runs } = world({ '2:1': saying(bytes('{"contract":"Ä","methods":[]}')), '2:2': '2:1', '4:7': '2:1' });
    for (const id of ['2:1', '2:2', '4:7']) expect(meta(id)).toEqual({ contract: 'Ä', methods: [] });
    // It is asked once for each code.
    expect(runs.length).toBe(1);
  });

  test('is asked for again after a failure no more than after a success', () => {
    const { meta, runs } = world({ '2:1': saying(bytes('no')), '2:2': '2:1' });
    for (const id of ['2:1', '2:2']) expect(() => meta(id)).toThrow(expect.objectContaining({ code: 'META_BAD_JSON' }));
    expect(runs.length).toBe(1);
  });

  test.each(['', '{', '{"a":1}x', '\u0000', '[1,]'])('%j is none', (text) => {
    expect(failureOf(saying(bytes(text)))).toMatchObject({ code: 'META_BAD_JSON' });
  });

  test('must be UTF-8', () => {
    expect(failureOf(saying(Uint8Array.of(0x22, 0xff, 0x22)))).toMatchObject({ code: 'META_BAD_JSON' });
  });

  test('may be nested 64 deep and no deeper, and has at most 100,000 commas', () => {
    const nested = (depth: number): Uint8Array => bytes('['.repeat(depth) + ']'.repeat(depth));
    expect(failureOf(saying(nested(DEEP_ENOUGH)))).toBeInstanceOf(Array);
    expect(failureOf(saying(nested(DEEP_ENOUGH + 1)))).toMatchObject({ code: 'META_BAD_JSON' });
    expect(failureOf(saying(bytes('['.repeat(60_000))))).toMatchObject({ code: 'META_BAD_JSON' });
    const wide = new WasmBuilder();
    wide.memory = { minPages: 8, maxPages: undefined };
    wide.data(AT - 4, sized(bytes(`[1${',1'.repeat(100_001)}]`))).execute([i32(0)]);
    expect(failureOf(wide.export('__meta', wide.function('()->i32', [i32(AT)])))).toMatchObject({
      code: 'META_BAD_JSON',
    });
  });
});

describe('a contract without it', () => {
  test('is named: no code, no export, an export that is no function () -> i32', () => {
    const { meta } = world({ '2:1': PROBE });
    for (const id of ['2:9', '4:1', '0:0', '5:1', '32:0']) {
      expect(() => meta(id)).toThrow(expect.objectContaining({ code: 'CONTRACT_NOT_FOUND', facts: { id } }));
    }
    expect(() => meta('2:1')).toThrow(expect.objectContaining({ code: 'META_MISSING' }));
    const typed = withMeta((wasm) => wasm.execute([i32(0)]).export('__meta', wasm.function('(i32)->i32', [i32(0)])));
    expect(failureOf(typed)).toMatchObject({ code: 'META_MISSING' });
    const global = withMeta((wasm) => wasm.execute([i32(0)]).export('__meta', wasm.global('i32', 0), 'global'));
    expect(failureOf(global)).toMatchObject({ code: 'META_MISSING' });
  });

  test.each<[string, WasmBuilder, Record<string, unknown>]>([
    [
      'an endless loop',
      withMeta((wasm) =>
        wasm.execute([i32(0)]).export('__meta', wasm.function('()->i32', [loop(), op(OP.br, 0), end, i32(0)])),
      ),
      { status: 'OUT_OF_FUEL' },
    ],
    [
      'endless recursion',
      withMeta((wasm) => wasm.execute([i32(0)]).export('__meta', wasm.function('()->i32', [call(wasm.nextFunction)]))),
      { status: 'TRAP' },
    ],
    [
      'a trap',
      withMeta((wasm) => wasm.execute([i32(0)]).export('__meta', wasm.function('()->i32', [op(OP.unreachable)]))),
      { status: 'TRAP' },
    ],
    [
      'a bad pointer',
      withMeta((wasm) => wasm.execute([i32(0)]).export('__meta', wasm.function('()->i32', [i32(-1)]))),
      { reason: 'bad result pointer' },
    ],
    [
      'more than 1 MiB',
      withMeta((wasm) => {
        wasm.memory = { minPages: 20, maxPages: undefined };
        wasm.data(AT - 4, u32Bytes((1 << 20) + 1)).execute([i32(0)]);
        return wasm.export('__meta', wasm.function('()->i32', [i32(AT)]));
      }),
      { bytes: (1 << 20) + 1 },
    ],
    [
      'a call of another contract',
      withMeta((wasm) => {
        const inner = wasm.import('__call');
        wasm
          .data(0, sized(new Uint8Array(32)))
          .data(64, sized(new Uint8Array(16)))
          .data(96, sized(new Uint8Array(4)));
        wasm.execute([i32(0)]);
        const code = [i32(4), i32(68), i32(100), i64(0n), call(inner)];
        return wasm.export('__meta', wasm.function('()->i32', code));
      }),
      { status: 'REVERT' },
    ],
  ])('fails within bounds: %s', (_, wasm, facts) => {
    expect(failureOf(wasm)).toMatchObject({ code: 'META_FAILED', facts });
  });

  test('runs without state, and after the start function', () => {
    const wasm = new WasmBuilder();
    const request = wasm.import('__request_storage');
    const height = wasm.import('__height');
    const started = wasm.global('i32', 0);
    wasm.data(0, sized(bytes('key'))).data(AT - 4, sized(bytes('[7,7]')));
    wasm.execute([i32(0)]);
    wasm.start = wasm.function('()->()', [i32(1), op(OP.globalSet, started)]);
    // Says [L,S]: the length of a stored value plus the height, and whether the start function ran.
    const digit = (at: number, value: ReturnType<typeof i32>[]) => [
      i32(at),
      ...value,
      i32(48),
      op(OP.i32Add),
      op(I32_STORE8, 0, 0),
    ];
    const code = [
      ...[i32(512), call(height)],
      ...digit(AT + 1, [i32(4), call(request), i32(512), op(OP.i32Load, 0, 2), op(OP.i32Add)]),
      ...digit(AT + 3, [op(OP.globalGet, started)]),
      i32(AT),
    ];
    wasm.export('__meta', wasm.function('()->i32', code));
    expect(failureOf(wasm)).toEqual([0, 1]);
  });
});

describe('swapped exports', () => {
  test('stay a valid module where only an export declares a function that is referred to', () => {
    const wasm = new WasmBuilder();
    wasm.table = { min: 1, max: undefined };
    const body = [i32(0), op(OP.refFunc, wasm.nextFunction), op(OP.tableSet, 0), i32(0)];
    wasm.execute(body);
    wasm.data(AT - 4, sized(bytes('[]')));
    wasm.export('__meta', wasm.function('()->i32', [i32(AT)]));
    expect(failureOf(wasm)).toEqual([]);
  });

  test('are the only bytes that change, and swapping them again gives the module back', () => {
    const wasm = saying(bytes('{}'));
    const swapped = swapExports(wasm, '__meta', '__execute');
    if (swapped === undefined) throw new Error('both are exported');
    expect(swapped.length).toBe(wasm.length);
    expect(swapped).not.toEqual(wasm);
    expect(swapExports(swapped, '__meta', '__execute')).toEqual(wasm);
    expect(swapExports(PROBE, '__meta', '__execute')).toBeUndefined();
  });
});
