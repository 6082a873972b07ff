import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InternalError, ProgramError } from '../../src/errors/errors.js';
import { checkFlush, eachElement } from '../../src/standard/flush.js';
import { StandardModule } from '../../src/standard/module.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { concatBytes, fromBinaryString, fromHex, toHex, u32Bytes } from '../../src/util/bytes.js';
import { call, i32, i64, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { collectPairs } from './collect-pairs.js';
import { ascii, drop, GuestBuilder, list, number, unreachable } from './guest-builder.js';

const nothing = () => undefined;
const raw = Uint8Array.of(0xde, 0xad, 0xbe, 0xef);

function runBlock(guest: GuestBuilder, state: Record<string, string> = {}, height = 7) {
  const asked: string[] = [];
  const run = StandardModule.load(guest.bytes()).runBlock(raw, height, (key) => {
    const name = Buffer.from(key).toString();
    asked.push(name);
    return Object.hasOwn(state, name) ? ascii(state[name]) : undefined;
  });
  const pairs = Object.fromEntries([...collectPairs(run.flushes)].map(([k, v]) => [k, Buffer.from(v).toString()]));
  return { ...run, pairs, asked, code: run.error?.code };
}

function view(
  guest: GuestBuilder,
  name: string,
  read = nothing as (key: Uint8Array) => Uint8Array | undefined,
  height = 7,
): string {
  guest.start(guest.flush());
  return toHex(StandardModule.load(guest.bytes()).runView(name, raw, height, read).output);
}

/**
 * Stores what the instructions give in the length word's place of a fresh buffer and returns that buffer: shows a
 * number to a view's caller.
 */
function shown(guest: GuestBuilder, ...code: ReturnType<typeof number>[]) {
  const at = guest.buffer(new Uint8Array(4));
  return [i32(at), ...code.flat(), store(), i32(at)];
}

describe('a block is kept only if', () => {
  test('_start returned after a flush', () => {
    const guest = new GuestBuilder();
    guest.start(guest.flush('a', '1', 'b', '2', 'a', '3'), guest.flush('c', ''));
    expect(runBlock(guest)).toMatchObject({ code: undefined, pairs: { a: '3', b: '2', c: '' }, pairCount: 4 });
  });

  test('it flushed: an empty flush counts, none does not', () => {
    const empty = new GuestBuilder();
    empty.start(empty.flush());
    expect(runBlock(empty)).toMatchObject({ code: undefined, pairs: {}, pairCount: 0 });
    expect(runBlock(new GuestBuilder().start([]))).toMatchObject({ code: 'MODULE_NOT_FLUSHED', flushes: [] });
  });

  test('it did not trap, also after flushing', () => {
    const guest = new GuestBuilder();
    guest.start(guest.flush('a', '1'), unreachable);
    expect(runBlock(guest)).toMatchObject({ code: 'MODULE_TRAPPED', flushes: [], pairs: {} });
  });

  test('it did not abort; the message says why and where', () => {
    const guest = new GuestBuilder();
    const text = guest.buffer(Uint8Array.from(Buffer.from('bad luck', 'utf16le')));
    guest.start(guest.flush('a', '1'), guest.host('abort', text, 0, 3, 4));
    const { error } = runBlock(guest);
    expect(error).toMatchObject({ code: 'MODULE_ABORTED', message: expect.stringContaining('bad luck') });
  });

  test('every flush decodes; the guest goes on after one that does not', () => {
    const guest = new GuestBuilder();
    const bad = guest.buffer(Uint8Array.of(0x0a, 5, 1));
    const key = guest.buffer(ascii('later'));
    guest.start(guest.host('__flush', bad), guest.host('__get_len', key), drop, guest.flush('a', '1'));
    expect(runBlock(guest)).toMatchObject({ code: 'MODULE_BAD_FLUSH', flushes: [], asked: ['later'] });
  });

  test('its stack holds', () => {
    const guest = new GuestBuilder();
    const self = guest.wasm.nextFunction;
    guest.start([call(self)]);
    expect(runBlock(guest).code).toBe('MODULE_TRAPPED');
  });
});

describe('invalid pointers never harm the host', () => {
  const POINTERS = [0, 3, 65537, 0x7fffffff, -0x80000000, -1];

  test('a key that is no buffer has length 0x7fffffff', () => {
    for (const pointer of POINTERS) {
      const guest = new GuestBuilder();
      expect(view(guest.view('length', shown(guest, guest.host('__get_len', pointer))), 'length')).toBe('ffffff7f');
    }
  });

  test('a length that runs past the memory makes a buffer invalid', () => {
    const guest = new GuestBuilder();
    guest.wasm.data(65530, u32Bytes(3));
    expect(view(guest.view('length', shown(guest, guest.host('__get_len', 65534))), 'length')).toBe('ffffff7f');
    const fits = new GuestBuilder();
    fits.wasm.data(65530, u32Bytes(2));
    expect(view(fits.view('length', shown(fits, fits.host('__get_len', 65534))), 'length')).toBe('00000000');
  });

  test('__get with such a key marks the length word, or does nothing', () => {
    const guest = new GuestBuilder();
    const out = guest.buffer(new Uint8Array(8));
    expect(view(guest.view('marked', guest.host('__get', 0, out + 4), number(out)), 'marked')).toBe('ffffff7f00000000');
    const quiet = new GuestBuilder();
    quiet.start(quiet.host('__get', 0, 0), quiet.flush());
    expect(runBlock(quiet).code).toBeUndefined();
  });

  test('a target outside the memory ends the run', () => {
    for (const pointer of [65535, 0x7fffffff, -4]) {
      const input = new GuestBuilder();
      input.start(input.host('__load_input', pointer), input.flush());
      expect(runBlock(input).code).toBe('MODULE_BAD_POINTER');
      const get = new GuestBuilder();
      get.start(get.host('__get', get.buffer(ascii('k')), pointer), get.flush());
      expect(runBlock(get, { k: 'value' }).code).toBe('MODULE_BAD_POINTER');
      // Nothing is written for an absent key.
      expect(runBlock(get).code).toBeUndefined();
    }
  });

  test('a flush or a log of no buffer', () => {
    for (const pointer of POINTERS) {
      const guest = new GuestBuilder();
      guest.start(guest.host('__log', pointer), guest.host('__flush', pointer));
      expect(runBlock(guest).code).toBe('MODULE_BAD_FLUSH');
    }
  });

  test('a view result of no buffer is empty', () => {
    for (const pointer of POINTERS) expect(view(new GuestBuilder().view('bad', number(pointer)), 'bad')).toBe('');
  });
});

describe('what a guest sees', () => {
  test('the input is u32 height and the payload, for blocks and views', () => {
    const guest = new GuestBuilder();
    const input = guest.buffer(new Uint8Array(8));
    expect(view(guest.view('echo', guest.host('__load_input', input), number(input)), 'echo', nothing, 849250)).toBe(
      '62f50c00deadbeef',
    );
    const blocks = new GuestBuilder();
    // One pair: the key 'in', and the input as value, written in place.
    const pair = blocks.buffer(concatBytes(list('in'), Uint8Array.of(0x0a, 12), new Uint8Array(12)));
    const lengthAt = [i32(pair + 14), ...blocks.host('__host_len'), store()];
    blocks.start(blocks.host('__load_input', pair + 6), lengthAt, blocks.host('__flush', pair));
    const [value] = [...collectPairs(runBlock(blocks, {}, 849236).flushes).values()];
    expect(toHex(value)).toBe('54f50c00deadbeef08000000');
  });

  test('an absent value has length 0 and writes nothing; a present one is copied without its length word', () => {
    const read = (key: Uint8Array) => (Buffer.from(key).toString() === 'k' ? ascii('abc') : undefined);
    const guest = new GuestBuilder();
    const out = guest.buffer(ascii('......'));
    const k = guest.buffer(ascii('k'));
    const absent = guest.buffer(ascii('absent'));
    guest.view('both', guest.host('__get', absent, out + 1), guest.host('__get', k, out + 2), number(out));
    expect(Buffer.from(view(guest, 'both', read), 'hex').toString()).toBe('..abc.');
    const lengths = new GuestBuilder();
    const key = lengths.buffer(ascii('k'));
    expect(view(lengths.view('length', shown(lengths, lengths.host('__get_len', key))), 'length', read)).toBe(
      '03000000',
    );
  });

  test('own flushed writes are invisible to the block that made them', () => {
    const guest = new GuestBuilder();
    const key = guest.buffer(ascii('a'));
    const pair = guest.buffer(concatBytes(list('n'), Uint8Array.of(0x0a, 4, 9, 9, 9, 9)));
    const code = [i32(pair + 5), ...guest.host('__get_len', key), store()];
    guest.start(guest.flush('a', 'one'), code, guest.host('__flush', pair));
    expect(runBlock(guest).pairs).toEqual({ a: 'one', n: '\0\0\0\0' });
    expect(runBlock(guest, { a: 'before' }).pairs).toEqual({ a: 'one', n: '\u0006\0\0\0' });
  });

  test('memory and globals are fresh for every run', () => {
    const guest = new GuestBuilder();
    const count = guest.wasm.global('i32', 0);
    const add = [op(OP.globalGet, count), i32(1), op(OP.i32Add), op(OP.globalSet, count)];
    guest.view('count', shown(guest, [...add, op(OP.globalGet, count)]));
    guest.start(guest.flush());
    const module = StandardModule.load(guest.bytes());
    for (let n = 0; n < 3; n++) expect(toHex(module.runView('count', raw, 1, nothing).output)).toBe('01000000');
  });

  test('a view flushes into nothing', () => {
    const guest = new GuestBuilder();
    expect(
      view(guest.view('v', guest.host('__flush', 0), guest.flush('a', '1'), number(guest.buffer(ascii('x')))), 'v'),
    ).toBe('78');
  });

  test('log lines arrive as UTF-8; broken ones are dropped', () => {
    const guest = new GuestBuilder();
    const good = guest.buffer(Uint8Array.from(Buffer.from('größe')));
    guest.start(guest.host('__log', guest.buffer(Uint8Array.of(0xff))), guest.host('__log', good), guest.flush());
    const lines: string[] = [];
    StandardModule.load(guest.bytes(), { log: (text) => lines.push(text) }).runBlock(raw, 1, nothing);
    expect(lines).toEqual(['größe']);
  });
});

describe('modules', () => {
  const load = (bytes: Uint8Array) => {
    try {
      StandardModule.load(bytes);
      return 'loaded';
    } catch (error) {
      return error instanceof ProgramError ? error.code : error;
    }
  };

  test('an unknown function import traps when it is called, not before', () => {
    for (const [module, name] of [
      ['env', '__set'],
      ['wasi_snapshot_preview1', 'fd_write'],
      ['env', 'toString'],
      ['__proto__', 'x'],
    ]) {
      const build = (calls: boolean) => {
        const guest = new GuestBuilder();
        const unknown = guest.wasm.import(name, '()->()', module);
        return guest.start(guest.flush(), calls ? [call(unknown)] : []);
      };
      expect(runBlock(build(false)).code).toBeUndefined();
      expect(runBlock(build(true)).code).toBe('MODULE_TRAPPED');
    }
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('a known import of another signature is an error of the module', () => {
    const wasm = new WasmBuilder();
    const getLength = wasm.import('__get_len', '(i64)->i32');
    wasm.export('_start', wasm.function('()->()', [i64(1n), call(getLength), op(OP.drop)]));
    const { error } = StandardModule.load(wasm.bytes()).runBlock(raw, 1, nothing);
    expect(error?.code).toBe('MODULE_TRAPPED');
  });

  test('what is no module, wants a memory or exports no _start is refused', () => {
    expect(load(new Uint8Array(0))).toBe('MODULE_INVALID');
    expect(load(ascii('not a module'))).toBe('MODULE_INVALID');
    expect(load(builtPrograms().mint)).toBe('MODULE_NO_START');
    // (module (import "env" "memory" (memory 1)))
    expect(load(fromHex('0061736d0100000002 0f01 03656e76 066d656d6f7279 020001'.replaceAll(' ', '')))).toBe(
      'MODULE_IMPORT_UNSUPPORTED',
    );
    const noMemory = new WasmBuilder();
    noMemory.memory = undefined;
    noMemory.export('_start', noMemory.function('()->()', []));
    expect(load(noMemory.bytes())).toBe('MODULE_NO_START');
  });

  test('a start section may call imports before the exports exist', () => {
    const guest = new GuestBuilder();
    const key = guest.buffer(ascii('k'));
    guest.wasm.start = guest.wasm.function('()->()', [
      ...guest.host('__get_len', key),
      op(OP.drop),
      ...guest.host('__log', key),
    ]);
    guest.start(guest.flush('a', '1'));
    expect(runBlock(guest)).toMatchObject({ code: undefined, pairs: { a: '1' } });
    const loading = new GuestBuilder();
    loading.wasm.start = loading.wasm.function('()->()', loading.host('__load_input', 100));
    loading.start(loading.flush());
    expect(runBlock(loading).code).toBe('MODULE_BAD_POINTER');
  });

  test('a view that is missing, no function, takes parameters or gives nothing is not found; a trap failed', () => {
    const guest = new GuestBuilder();
    guest.view('trap', unreachable);
    guest.wasm.export('takes', guest.wasm.function('(i32)->i32', [i32(0)]));
    guest.wasm.export('gives', guest.wasm.function('()->()', []));
    guest.start(guest.flush());
    const module = StandardModule.load(guest.bytes());
    for (const name of ['nosuch', 'memory', 'takes', 'gives', '_start', '__proto__', 'toString', '']) {
      expect(() => module.runView(name, raw, 1, nothing)).toThrow(expect.objectContaining({ code: 'VIEW_NOT_FOUND' }));
    }
    expect(() => module.runView('trap', raw, 1, nothing)).toThrow(expect.objectContaining({ code: 'VIEW_FAILED' }));
  });

  test('a fault of the store is thrown as it is, never taken for the module’s', () => {
    const guest = new GuestBuilder();
    const read = guest.host('__get_len', guest.buffer(ascii('k')));
    guest.view('v', read).start(read, drop, guest.flush());
    const module = StandardModule.load(guest.bytes());
    const broken = () => {
      throw new InternalError('the disk is gone');
    };
    expect(() => module.runBlock(raw, 1, broken)).toThrow('the disk is gone');
    expect(() => module.runView('v', raw, 1, broken)).toThrow('the disk is gone');
  });
});

describe('flush bytes', () => {
  const pairsOf = (hex: string) => {
    const bytes = fromHex(hex);
    expect(checkFlush(bytes)).toBe(collectPairs([bytes]).size);
    return [...collectPairs([bytes])].map(([k, v]) => [toHex(fromBinaryString(k)), toHex(v)]);
  };

  test('keys and values alternate, a trailing key is dropped, unknown fields are skipped', () => {
    expect(pairsOf('0a01610a0131')).toEqual([['61', '31']]);
    expect(pairsOf('0a01610a01310a0162')).toEqual([['61', '31']]);
    expect(pairsOf('0a000a00')).toEqual([['', '']]);
    expect(pairsOf('0a0161 1007 1a02ffff 2500000000 290000000000000000 0a0131'.replaceAll(' ', ''))).toEqual([
      ['61', '31'],
    ]);
    expect(pairsOf('8a000161 0a810031'.replaceAll(' ', ''))).toEqual([['61', '31']]);
  });

  test('what is cut short, mistyped or over-long does not decode', () => {
    for (const hex of [
      '0a',
      '0a01',
      '0a0261',
      '0aff',
      '0affffffffffffffffff01',
      '0a8080808080808080808000',
      '08',
      '0801',
      '0b',
      '0c',
      '02',
      '0000',
      '1affffffff0f',
    ]) {
      expect(() => pairsOf(hex), hex).toThrow();
    }
  });

  test('any bytes decode or are refused, and never read outside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let total = 0;
        try {
          eachElement(bytes, (start, end) => {
            expect(start <= end && end <= bytes.length).toBe(true);
            total += end - start;
          });
        } catch (error) {
          expect((error as Error).constructor.name).toBe('FlushError');
        }
        expect(total).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
