import { describe, expect, it } from 'vitest';
import { ProgramError } from '../../src/errors/errors.js';
import { decodeModule, readModule } from '../../src/program/decode.js';
import { encodeModule } from '../../src/program/encode.js';
import { LIMITS } from '../../src/program/limits.js';
import type { Instruction } from '../../src/program/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { BodyValidator } from '../../src/program/validate-code.js';
import { Writer } from '../../src/program/writer.js';
import { concatBytes } from '../../src/util/bytes.js';
import { block, brTable, call, else_, end, get, i32, if_, loop, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { AT_LIMIT, base, workOf } from './limit-modules.js';
import { run } from './support.js';

type Limit = keyof typeof LIMITS;
const drops = (count: number): Instruction[] => new Array<Instruction>(count).fill(op(OP.drop));

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

describe('limits of a module (lane rules 3)', () => {
  const at = (limit: Limit, count: number): string => verdict(AT_LIMIT[limit](count));

  it('are the numbers of the rules', () => {
    expect(LIMITS).toEqual({
      ...{ moduleBytes: 2_097_152, types: 1_000, imports: 100, functions: 10_000, globals: 1_000, exports: 1_000 },
      ...{ elementSegments: 1_000, dataSegments: 1_000, locals: 1_000, results: 64, typeValues: 10_000 },
      ...{ declaredLocals: 20_000, bodyBytes: 262_144, controlInstructions: 10_000, blockParams: 16 },
      ...{ blockResults: 16, nesting: 512, loops: 32, brTable: 4_096, compileWork: 5_000_000 },
      ...{ tableElements: 4_096, dataBytes: 1_572_864, nameBytes: 1_000, memoryPages: 512 },
    });
  });

  for (const limit of Object.keys(LIMITS) as Limit[]) {
    it(`${limit}: ${LIMITS[limit].toLocaleString('en')} are accepted and one more is refused`, () => {
      expect(at(limit, LIMITS[limit] - 1)).toBe('accepted');
      expect(at(limit, LIMITS[limit])).toBe('accepted');
      expect(at(limit, LIMITS[limit] + 1)).toBe(`WASM_LIMIT ${limit}`);
    });
  }

  it('compile work: at most 20 a byte of the module and 10,000', () => {
    for (const size of [2_000, 100_000]) {
      expect(verdict(workOf(20 * size + 10_000, size))).toBe('accepted');
      expect(verdict(workOf(20 * size + 10_001, size))).toBe('WASM_LIMIT compileWork');
    }
  });

  it('compile work: control instructions x (nesting + locals and parameters + operands), dead code included', () => {
    const b = base();
    // 5 instructions that begin or end a block, 3 of the br_table; nesting 2; 3 values; 4 operands.
    const code = [block(), block(), i32(0), brTable(0, 1, 0), i32(1), i32(1), i32(1), i32(1), ...drops(4), end, end];
    b.function('(i32)->()', code, ['i64', 'i64']);
    const module = readModule(b.bytes());
    const figures = new BodyValidator(module).check(module.bodies[1], 1);
    expect(figures).toMatchObject({ instructions: 15, operandDepth: 4, compileWork: (5 + 3) * (2 + 3 + 4) });
  });

  it('a br_table counts once for each of its labels, the default included', () => {
    const of = (returns: number): WasmBuilder => {
      const b = base();
      const table = brTable(...new Array<number>(4_000).fill(0));
      b.function('()->()', [block(), i32(0), table, i32(0), table, end, ...new Array(returns).fill(op(OP.return))]);
      return b;
    };
    // block, end, end and two times 4,000.
    expect(verdict(of(1_997))).toBe('accepted');
    expect(verdict(of(1_998))).toBe('WASM_LIMIT controlInstructions');
  });

  it('thousands of blocks on a stack thousands deep, which engines compile slowly', () => {
    const ifs = Array.from({ length: 2_000 }, (_, i) => [i32(i % 2), if_(), op(OP.nop), end]).flat();
    const pushes = new Array<Instruction>(3_000).fill(i32(4));
    expect(verdict(new WasmBuilder().execute([i32(104), ...pushes, ...ifs, ...drops(3_000)]))).toBe(
      'WASM_LIMIT compileWork',
    );
  });

  it('types that nobody uses have the limits of others', () => {
    const of = (params: number, results: number): WasmBuilder => {
      const b = base();
      b.types.push({ params: new Array(params).fill('i32'), results: new Array(results).fill('i32') });
      return b;
    };
    expect(verdict(of(1_000, 64))).toBe('accepted');
    expect(verdict(of(1_001, 0))).toBe('WASM_LIMIT locals');
    expect(verdict(of(0, 65))).toBe('WASM_LIMIT results');
  });

  it('blocks of every kind have at most 16 parameters and results', () => {
    const of = (params: number, results: number, open: typeof block): WasmBuilder => {
      const b = base();
      const list = (n: number): string => new Array(n).fill('i32').join(',');
      const index = b.type(`(${list(params)})->${list(results)}`);
      const inner = open === if_ ? [op(OP.unreachable), else_] : [];
      b.function('()->()', [
        op(OP.unreachable),
        open({ kind: 'type', index }),
        ...inner,
        op(OP.unreachable),
        end,
        op(OP.return),
      ]);
      return b;
    };
    for (const open of [block, loop, if_]) {
      expect(verdict(of(16, 16, open))).toBe('accepted');
      expect(verdict(of(17, 0, open))).toBe('WASM_LIMIT blockParams');
      expect(verdict(of(0, 17, open))).toBe('WASM_LIMIT blockResults');
    }
  });

  it('names: imports, their modules and custom sections have the limit of exports, and all are UTF-8', () => {
    const name = (length: number): string => 'n'.repeat(length);
    const importing = (module: string, field: string): WasmBuilder => {
      const b = new WasmBuilder();
      b.import(field, '()->()', module);
      return b.execute([i32(4)]);
    };
    expect(verdict(importing(name(1_000), 'x'))).toBe('WASM_IMPORT');
    expect(verdict(importing(name(1_001), 'x'))).toBe('WASM_LIMIT nameBytes');
    expect(verdict(importing('env', name(1_000)))).toBe('WASM_IMPORT');
    expect(verdict(importing('env', name(1_001)))).toBe('WASM_LIMIT nameBytes');
    const section = (...text: number[]): Uint8Array => {
      const length = new Writer().u32(text.length).finish();
      return concatBytes(
        base().bytes(),
        new Writer()
          .byte(0)
          .u32(length.length + text.length)
          .finish(),
        length,
        Uint8Array.from(text),
      );
    };
    expect(verdict(section(...new Array(1_000).fill(0x61)))).toBe('accepted');
    expect(verdict(section(...new Array(1_001).fill(0x61)))).toBe('WASM_LIMIT nameBytes');
    for (const text of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      expect(verdict(section(...text))).toBe('WASM_MALFORMED');
    }
    for (const text of [[0xef, 0xbb, 0xbf], [0xf4, 0x8f, 0xbf, 0xbf], [0]])
      expect(verdict(section(...text))).toBe('accepted');
  });

  it('no two exports have the same name', () => {
    expect(verdict(base().export('one', 0).export('two', 0))).toBe('accepted');
    expect(verdict(base().export('one', 0).export('one', 0))).toBe('WASM_INVALID');
  });

  it('one table', () => {
    const two = Uint8Array.of(4, 7, 2, 0x70, 0, 1, 0x70, 0, 1);
    expect(verdict(concatBytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), two))).toBe('WASM_UNSUPPORTED');
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
