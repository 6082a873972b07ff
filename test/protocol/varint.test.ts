import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeVarint, encodeVarints } from '../../src/protocol/encode.js';
import { decodeVarints } from '../../src/protocol/varint.js';
import { fromHex, toHex, U128_MAX } from '../../src/util/bytes.js';

const u128 = fc.oneof(fc.bigInt(0n, U128_MAX), fc.bigInt(0n, 300n));
const decode = (hex: string) => decodeVarints(fromHex(hex));

describe('integers', () => {
  test('what is encoded decodes to itself', () => {
    fc.assert(
      fc.property(fc.array(u128), (values) => {
        expect(decodeVarints(encodeVarints(values))).toEqual({ ok: true, values });
      }),
    );
  });

  test.each([
    [0n, '00'],
    [127n, '7f'],
    [128n, '8001'],
    [16383n, 'ff7f'],
    [16384n, '808001'],
    [(1n << 28n) - 1n, 'ffffff7f'],
    [1n << 28n, '8080808001'],
    [1n << 63n, '80808080808080808001'],
    [U128_MAX, `${'ff'.repeat(18)}03`],
  ])('%s is written %s', (value, hex) => {
    expect(toHex(encodeVarint(value))).toBe(hex);
    expect(decode(hex)).toEqual({ ok: true, values: [value] });
  });

  test('forms that are longer than needed are accepted', () => {
    expect(decode('8000')).toEqual({ ok: true, values: [0n] });
    expect(decode(`81${'80'.repeat(17)}00`)).toEqual({ ok: true, values: [1n] });
  });

  test('the 19th byte may only have its lowest two value bits', () => {
    expect(decode(`${'80'.repeat(18)}03`)).toEqual({ ok: true, values: [3n << 126n] });
    for (const bits of ['04', '08', '40', '7c', '84']) {
      expect(decode(`${'80'.repeat(18)}${bits}`)).toEqual({ ok: false, error: 'overflow' });
    }
  });

  test('a 20th byte is overlong, an end inside a number unterminated', () => {
    expect(decode(`${'80'.repeat(19)}00`)).toEqual({ ok: false, error: 'overlong' });
    expect(decode('80'.repeat(19))).toEqual({ ok: false, error: 'unterminated' });
    expect(decode('0180')).toEqual({ ok: false, error: 'unterminated' });
  });

  test('no bytes are no integers; values outside u128 are not encoded', () => {
    expect(decode('')).toEqual({ ok: true, values: [] });
    expect(() => encodeVarint(-1n)).toThrow(RangeError);
    expect(() => encodeVarint(U128_MAX + 1n)).toThrow(RangeError);
  });
});
