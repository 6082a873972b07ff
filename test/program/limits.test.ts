import { describe, expect, it } from 'vitest';
import { ProgramError } from '../../src/errors.js';
import { decodeModule } from '../../src/program/decode.js';
import { encodeModule } from '../../src/program/encode.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { concatBytes } from '../../src/util/bytes.js';
import { block, brTable, call, else_, end, get, i32, if_, loop, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { run } from './support.js';

/** The code of the error that refuses `wasm`, and its limit if there is one; `accepted` if it is taken. */
function verdict(wasm: Uint8Array | WasmBuilder): string {
  try {
    prepareProgram(wasm instanceof Uint8Array ? wasm : wasm.bytes());
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return error.code === 'WASM_LIMIT' ? `WASM_LIMIT ${error.facts.limit}` : error.code;
  }
}

const base = (): WasmBuilder => new WasmBuilder().execute([i32(4)]);

/** A custom section of `size` bytes in all. */
function custom(size: number): Uint8Array {
  const out = new Uint8Array(size);
  // id 0, length in five bytes, empty name.
  const length = size - 6;
  for (let i = 0; i < 5; i++) out[1 + i] = ((length >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  return out;
}

describe('limits of a module (lane rules 3)', () => {
  it('4 MiB', () => {
    const small = base().bytes();
    const limit = 4 * 1024 * 1024;
    expect(verdict(concatBytes(small, custom(limit - small.length)))).toBe('accepted');
    expect(verdict(concatBytes(small, custom(limit - small.length + 1)))).toBe('WASM_LIMIT moduleBytes');
  });

  it('10,000 functions, imported ones included', () => {
    const of = (count: number): WasmBuilder => {
      const b = new WasmBuilder();
      b.import('__log');
      for (let i = 0; i < count - 2; i++) b.function('()->()', []);
      return b.execute([i32(4)]);
    };
    expect(verdict(of(10_000))).toBe('accepted');
    expect(verdict(of(10_001))).toBe('WASM_LIMIT functions');
    const imports = base();
    imports.functions = [];
    for (let i = 0; i < 10_001; i++) imports.import('__log');
    imports.exports = [{ name: '__execute', kind: 'func', index: imports.function('()->i32', [i32(4)]) }];
    expect(verdict(imports)).toBe('WASM_LIMIT functions');
  });

  it('1,000 globals', () => {
    const of = (count: number): WasmBuilder => {
      const b = base();
      for (let i = 0; i < count; i++) b.global('i64', 1n, false);
      return b;
    };
    expect(run(of(1_000)).status).toBe('OK');
    expect(verdict(of(1_001))).toBe('WASM_LIMIT globals');
  });

  it('1,000 locals and parameters a function', () => {
    const of = (params: number, locals: number): WasmBuilder => {
      const b = base();
      b.function(`(${new Array(params).fill('i32').join(',')})->()`, [], new Array(locals).fill('i64'));
      return b;
    };
    expect(verdict(of(400, 600))).toBe('accepted');
    expect(verdict(of(400, 601))).toBe('WASM_LIMIT locals');
    expect(verdict(of(1_001, 0))).toBe('WASM_LIMIT locals');
  });

  it('64 results', () => {
    const of = (count: number): WasmBuilder => {
      const b = base();
      b.function(`()->${new Array(count).fill('i32').join(',')}`, [op(OP.unreachable)]);
      return b;
    };
    expect(verdict(of(64))).toBe('accepted');
    expect(verdict(of(65))).toBe('WASM_LIMIT results');
  });

  it('nesting 256, the body itself not counted, dead code included', () => {
    const of = (depth: number): WasmBuilder => {
      const kinds = [block(), loop()];
      const open = Array.from({ length: depth }, (_, i) => kinds[i % 2]);
      return new WasmBuilder().execute([...open, ...new Array(depth).fill(end), i32(4), op(OP.return)]);
    };
    expect(run(of(256)).status).toBe('OK');
    expect(verdict(of(257))).toBe('WASM_LIMIT nesting');
    expect(verdict(of(100_000))).toBe('WASM_LIMIT nesting');
  });

  it('br_table 4,096', () => {
    const of = (targets: number): WasmBuilder =>
      new WasmBuilder().execute([block(), i32(0), brTable(...new Array<number>(targets + 1).fill(0)), end, i32(4)]);
    expect(run(of(4_096)).status).toBe('OK');
    expect(verdict(of(4_097))).toBe('WASM_LIMIT brTable');
  });

  it('one table of at most 4,096 elements', () => {
    const of = (min: number): WasmBuilder => {
      const b = base();
      b.table = { min, max: undefined };
      return b;
    };
    expect(verdict(of(4_096))).toBe('accepted');
    expect(verdict(of(4_097))).toBe('WASM_LIMIT tableElements');
    expect(verdict(of(0xffffffff))).toBe('WASM_LIMIT tableElements');
    const two = Uint8Array.of(4, 7, 2, 0x70, 0, 1, 0x70, 0, 1);
    expect(verdict(concatBytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), two))).toBe('WASM_UNSUPPORTED');
  });

  it('data 1 MiB', () => {
    const of = (size: number): WasmBuilder => {
      const b = base();
      b.memory = { minPages: 17, maxPages: undefined };
      return b.data(0, new Uint8Array(1000)).data(1000, new Uint8Array(size - 1000));
    };
    expect(verdict(of(1024 * 1024))).toBe('accepted');
    expect(verdict(of(1024 * 1024 + 1))).toBe('WASM_LIMIT dataBytes');
  });

  it('exactly one memory, exported as `memory`, minimum at most 512 pages, maximum clamped', () => {
    const of = (minPages: number, maxPages?: number): WasmBuilder => {
      const b = base();
      b.memory = { minPages, maxPages };
      return b;
    };
    expect(verdict(of(512, 65_536))).toBe('accepted');
    expect(prepareProgram(of(1, 65_536).bytes()).module.memory).toEqual({ minPages: 1, maxPages: 512 });
    expect(prepareProgram(of(1, 3).bytes()).module.memory).toEqual({ minPages: 1, maxPages: 3 });
    expect(verdict(of(513))).toBe('WASM_LIMIT memoryPages');
    const none = base();
    none.memory = undefined;
    expect(verdict(none)).toBe('WASM_EXPORT');
    expect(verdict(base().export('memory', 0))).toBe('WASM_EXPORT');
    expect(verdict(base().export('mem', 0, 'memory').export('memory', 0, 'func'))).toBe('WASM_EXPORT');
    const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(verdict(concatBytes(header, Uint8Array.of(5, 5, 2, 0, 1, 0, 1)))).toBe('WASM_UNSUPPORTED');
    // Shared (flag 3) and 64-bit (flag 4).
    expect(verdict(concatBytes(header, Uint8Array.of(5, 4, 1, 3, 1, 1)))).toBe('WASM_UNSUPPORTED');
    expect(verdict(concatBytes(header, Uint8Array.of(5, 3, 1, 4, 1)))).toBe('WASM_UNSUPPORTED');
  });

  it('`__execute` is () -> i32', () => {
    expect(verdict(new WasmBuilder())).toBe('WASM_EXPORT');
    const b = new WasmBuilder();
    expect(verdict(b.export('__execute', b.function('()->()', [])))).toBe('WASM_EXPORT');
    const c = new WasmBuilder();
    expect(verdict(c.export('__execute', c.function('(i32)->i32', [get(0)])))).toBe('WASM_EXPORT');
    const d = new WasmBuilder();
    expect(verdict(d.export('__execute', d.global('i32', 1), 'global'))).toBe('WASM_EXPORT');
  });
});

describe('imports (lane rules 3)', () => {
  const importing = (name: string, signature?: string, module?: string): WasmBuilder => {
    const b = new WasmBuilder();
    b.import(name, signature, module);
    return b.execute([i32(4)]);
  };

  it('a module whose import has a wrong signature', () => {
    const b = importing('__request_storage', '(i64)->i32');
    // The engine itself accepts it silently, which is why it is checked here.
    expect(WebAssembly.validate(Uint8Array.from(b.bytes()))).toBe(true);
    expect(verdict(b)).toBe('WASM_IMPORT');
    expect(verdict(importing('abort', '()->()'))).toBe('WASM_IMPORT');
    expect(verdict(importing('__call', '(i32,i32,i32,i32)->i32'))).toBe('WASM_IMPORT');
  });

  it('only from env, only known names', () => {
    expect(verdict(importing('__log'))).toBe('accepted');
    expect(verdict(importing('__log', undefined, 'environment'))).toBe('WASM_IMPORT');
    for (const name of ['__sha256', '__sha256d', '__u128_mul_div', '__schnorr_verify']) {
      expect(verdict(importing(name))).toBe('accepted');
    }
    expect(verdict(importing('__sha512', '(i32,i32)->()'))).toBe('WASM_IMPORT');
    for (const name of ['toString', 'constructor', '__proto__', '']) {
      expect(verdict(importing(name, '()->()'))).toBe('WASM_IMPORT');
    }
  });

  it('memories, tables and globals cannot be imported', () => {
    const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const memory = Uint8Array.of(2, 15, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 1);
    expect(verdict(concatBytes(header, memory))).toBe('WASM_UNSUPPORTED');
  });
});

describe('instructions and types (lane rules 3)', () => {
  /** A module whose `__execute` has these bytes between its (empty) locals and its end. */
  function raw(...code: number[]): Uint8Array {
    const body = [0, ...code, 0x0b];
    const section = [1, body.length, ...body];
    return Uint8Array.of(
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1],
      ...[7, 22, 2, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 9, 0x5f, 0x5f],
      ...[0x65, 0x78, 0x65, 0x63, 0x75, 0x74, 0x65, 0, 0, 10, section.length, ...section],
    );
  }

  it('no float or vector anywhere, not even in dead code', () => {
    expect(verdict(raw(0x41, 4))).toBe('accepted');
    const floats = [0x2a, 0x2b, 0x38, 0x39, 0x43, 0x44, 0xa8, 0xae, 0xb2, 0xbc, 0xbf, 0xfd];
    for (let o = 0x5b; o <= 0x66; o++) floats.push(o);
    for (let o = 0x8b; o <= 0xa6; o++) floats.push(o);
    for (const o of floats) expect(verdict(raw(0x00, o, 0, 0, 0, 0, 0, 0, 0, 0))).toBe('WASM_FLOAT');
    for (let sub = 0; sub < 8; sub++) expect(verdict(raw(0x00, 0xfc, sub))).toBe('WASM_FLOAT');
    for (const type of [0x7d, 0x7c, 0x7b]) {
      expect(verdict(raw(0x00, 0x02, type, 0x00, 0x0b, 0x1a, 0x41, 4))).toBe('WASM_FLOAT');
    }
  });

  it('no tail calls, exceptions, threads, GC or external references', () => {
    for (const o of [0x06, 0x07, 0x08, 0x09, 0x0a, 0x12, 0x13, 0x14, 0x15, 0x18, 0x19, 0x1f, 0xd3, 0xfb, 0xfe, 0xff]) {
      expect(verdict(raw(0x00, o, 0, 0, 0))).toBe('WASM_UNSUPPORTED');
    }
    expect(verdict(raw(0xd0, 0x6f, 0x1a, 0x41, 4))).toBe('WASM_UNSUPPORTED');
    expect(verdict(raw(0x02, 0x6f, 0x00, 0x0b, 0x1a, 0x41, 4))).toBe('WASM_UNSUPPORTED');
  });

  it('sign extension, bulk memory, multi-value, mutable globals and custom sections are allowed', () => {
    expect(verdict(raw(0x41, 4, 0xc0))).toBe('accepted');
    expect(verdict(concatBytes(raw(0x41, 4), Uint8Array.of(0, 3, 1, 0x61, 9)))).toBe('accepted');
    const b = new WasmBuilder();
    const g = b.global('i32', 0);
    const two = b.type('()->i32,i32');
    b.execute([
      block({ kind: 'type', index: two }),
      i32(1),
      i32(3),
      end,
      op(OP.i32Add),
      op(OP.globalSet, g),
      op(OP.globalGet, g),
    ]);
    expect(run(b).status).toBe('OK');
  });

  it('function references may be held in locals, globals and the table', () => {
    const b = new WasmBuilder();
    const f = b.function('()->i32', [i32(4)]);
    b.table = { min: 1, max: 1 };
    b.elements.push({ mode: 'declarative', table: 0, offset: undefined, items: [{ kind: 'ref.func', index: f }] });
    b.execute(
      [
        op(OP.refFunc, f),
        op(OP.localTee, 0),
        op(OP.refIsNull),
        op(OP.drop),
        i32(0),
        get(0),
        op(OP.tableSet, 0),
        i32(0),
        op(OP.callIndirect, b.type('()->i32'), 0),
      ],
      ['funcref'],
    );
    expect(run(b).status).toBe('OK');
  });

  it('a function that only an export declares may still be referenced', () => {
    const b = new WasmBuilder();
    const f = b.function('()->i32', [i32(4)]);
    b.export('other', f).execute([op(OP.refFunc, f), op(OP.refIsNull), op(OP.drop), i32(4)]);
    expect(run(b).status).toBe('OK');
  });

  it('constant expressions are one constant', () => {
    const module = base().module();
    const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    // i32.const 1, i32.const 1, i32.add: extended constants; global.get 0.
    expect(verdict(concatBytes(header, Uint8Array.of(6, 9, 1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b)))).toBe(
      'WASM_UNSUPPORTED',
    );
    expect(verdict(concatBytes(header, Uint8Array.of(6, 6, 1, 0x7f, 0, 0x23, 0, 0x0b)))).toBe('WASM_UNSUPPORTED');
    const wrongType = encodeModule({
      ...module,
      globals: [{ type: 'i32', mutable: false, init: { kind: 'i64', value: 1n } }],
    });
    expect(verdict(wrongType)).toBe('WASM_INVALID');
  });

  it('code that does not type-check is refused', () => {
    expect(verdict(new WasmBuilder().execute([]))).toBe('WASM_INVALID');
    expect(verdict(new WasmBuilder().execute([i32(1), op(OP.i32Add)]))).toBe('WASM_INVALID');
    expect(verdict(new WasmBuilder().execute([call(99), i32(4)]))).toBe('WASM_INVALID');
    expect(verdict(new WasmBuilder().execute([op(OP.br, 9)]))).toBe('WASM_INVALID');
    expect(verdict(new WasmBuilder().execute([else_, i32(4)]))).toBe('WASM_INVALID');
    expect(verdict(base().export('__execute', 0))).toBe('WASM_INVALID');
  });

  it('exports with the names that instrumentation adds are no trouble', () => {
    const b = base();
    b.export('__warpshrew_fuel', b.global('i32', 3), 'global').export('__warpshrew_stack', 0);
    expect(run(b).status).toBe('OK');
  });
});

describe('hostile bytes', () => {
  const whole = (() => {
    const b = new WasmBuilder();
    const log = b.import('__log');
    const f = b.function('(i32)->i32', [get(0), if_('i32'), i32(1), else_, i32(2), end], ['i64', 'i32']);
    b.global('i64', -5n);
    b.tableOf(f, log);
    b.data(8, Uint8Array.of(1, 2, 3));
    // Without the count a module cut off right before its data section would be a valid one.
    b.dataCount = 1;
    b.start = b.function('()->()', []);
    return b
      .execute([block(), i32(1), brTable(0, 0), end, i32(1), i32(0), op(OP.callIndirect, b.type('(i32)->i32'), 0)])
      .bytes();
  })();

  it('a module truncated at every byte is refused with a stable code', () => {
    expect(verdict(whole)).toBe('accepted');
    for (let length = 0; length < whole.length; length++) {
      expect(verdict(whole.slice(0, length))).toMatch(/^WASM_/);
    }
  });

  it('a module with any one byte altered is accepted or refused, and never breaks the pipeline', () => {
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at] ^ 0x40]) {
        const altered = whole.slice();
        altered[at] = value;
        if (verdict(altered) === 'accepted') run(altered, undefined, 10_000);
      }
    }
  });

  it('counts far beyond the bytes that are left are refused before anything is allocated', () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for (const id of [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]) {
      expect(verdict(Uint8Array.of(...header, id, huge.length, ...huge))).toMatch(/^WASM_(MALFORMED|LIMIT)/);
      expect(verdict(Uint8Array.of(...header, id, ...huge))).toBe('WASM_MALFORMED');
    }
  });

  it('a memory bomb stops at 512 pages and pays for each', () => {
    const b = new WasmBuilder();
    b.execute([loop(), i32(1), op(OP.memoryGrow, 0), op(OP.drop), op(OP.br, 0), end, i32(4)]);
    expect(run(b)).toMatchObject({ status: 'OUT_OF_FUEL' });
  });

  it('decoding and encoding again gives the same module', () => {
    expect(decodeModule(encodeModule(decodeModule(whole)))).toEqual(decodeModule(whole));
  });
});
