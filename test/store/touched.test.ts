import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTouched } from '../../src/store/touched.js';
import { toHex } from '../../src/util/bytes.js';
import { collectTouched, encodeNames, type TouchedNames } from './helpers.js';

const CORRUPT = expect.objectContaining({ code: 'STORE_CORRUPT', facts: { height: 7 } });

function touched(keys: Record<string, boolean>): TouchedNames {
  const names = Object.keys(keys).sort();
  return { names, present: Uint8Array.from(names, (name) => (keys[name] ? 1 : 0)) };
}

const nothing = touched({});
const key = fc.uint8Array({ maxLength: 6, max: 3 }).map((bytes) => String.fromCharCode(...bytes));
const keys = fc.dictionary(key, fc.boolean(), { maxKeys: 12, noNullPrototype: true });
const decode = (row: Uint8Array) => [...decodeTouched(7, row)];

describe('undo records', () => {
  it('hold what a key shares with the one before it once', () => {
    const S = touched({ abc: true, abd: false, b: true, '': true });
    const row = encodeNames({ S, P: touched({ abd: true }) });
    // Count; then twice what is shared, + 1 where it had no value, length of the rest, the rest.
    expect(toHex(row)).toBe(`04${'0000'}${'0003616263'}${'050164'}${'000162'}01${'0003616264'}`);
  });

  it('give back the keys of both namespaces and which of them had a value', () => {
    fc.assert(
      fc.property(keys, keys, (s, p) => {
        const both = { S: touched(s), P: touched(p) };
        expect(collectTouched(decode(encodeNames(both)))).toEqual(both);
      }),
    );
  });

  it('of long keys and many take lengths of several bytes', () => {
    const names = Array.from({ length: 300 }, (_, i) => `${'x'.repeat(20_000)}${String(i).padStart(3, '0')}`);
    const both = { S: { names, present: new Uint8Array(300).fill(1) }, P: nothing };
    const row = encodeNames(both);
    expect(row.length).toBeLessThan(22_000);
    expect(collectTouched(decode(row))).toEqual(both);
  });

  it('are refused unless they are exactly as they would be written', () => {
    const bytes = fc.uint8Array({ maxLength: 16, max: 5 });
    fc.assert(
      fc.property(bytes, (row) => {
        let read: ReturnType<typeof decode>;
        try {
          read = decode(row);
        } catch (error) {
          expect(error).toEqual(CORRUPT);
          return;
        }
        expect(encodeNames(collectTouched(read))).toEqual(row);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['nothing', []],
    ['a count without keys', [1]],
    ['a key cut off', [1, 0, 3, 97, 98]],
    ['more than its end', [0, 0, 0]],
    ['a key that shares more than there is', [2, 0, 1, 97, 4, 1, 98, 0]],
    ['a key twice', [2, 0, 1, 97, 2, 0, 0]],
    ['keys that descend', [2, 0, 1, 98, 0, 1, 97, 0]],
    ['a key that shares less than it does', [2, 0, 1, 97, 0, 2, 97, 98, 0]],
    ['a number longer than needed', [0x80, 0, 0]],
    ['a number without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a length beyond all memory', [1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('of %s are refused', (_, row) => {
    expect(() => decode(Uint8Array.from(row))).toThrow(CORRUPT);
  });
});
