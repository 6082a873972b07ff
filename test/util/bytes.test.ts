import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBinaryString, readU128, toBinaryString, toDisplayHash, toHex, writeU128 } from '../../src/util/bytes.js';

/** Numbers of every size, those around the borders of words among them. */
const u128 = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 0, max: 128 }))
  .map(([value, shift]) => value >> BigInt(shift));
const BORDERS = [0n, 1n, 32n, 53n, 63n, 64n, 96n, 127n].flatMap((n) => [(1n << n) - 1n, 1n << n]);

function littleEndian(value: bigint): number[] {
  return Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

describe('u128', () => {
  const holds = (value: bigint): void => {
    const bytes = new Uint8Array(20).fill(0xaa);
    writeU128(bytes, 3, value);
    expect([...bytes]).toEqual([0xaa, 0xaa, 0xaa, ...littleEndian(value), 0xaa]);
    expect(readU128(bytes.subarray(1), 2)).toBe(value);
  };

  it('is 16 bytes little-endian, written and read', () => {
    BORDERS.forEach(holds);
    fc.assert(fc.property(u128, holds));
  });

  it('is refused where there are fewer than 16 bytes', () => {
    expect(() => readU128(new Uint8Array(17), 2)).toThrow(RangeError);
    expect(() => writeU128(new Uint8Array(17), 2, 1n)).toThrow(RangeError);
    expect(() => writeU128(new Uint8Array(17), 2, 1n << 100n)).toThrow(RangeError);
  });
});

describe('bytes as text', () => {
  it('binary strings and hex, also of a part of a buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(10), (all, skip) => {
        const bytes = all.subarray(Math.min(skip, all.length));
        const text = String.fromCharCode(...bytes);
        expect(toBinaryString(bytes)).toBe(text);
        expect([...fromBinaryString(text)]).toEqual([...bytes]);
        expect(toHex(bytes)).toBe([...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
        expect(toDisplayHash(bytes)).toBe(toHex(Uint8Array.from([...bytes].reverse())));
      }),
    );
  });

  it('a hash that is shown stays as it is, also in a Buffer, whose slices are no copies', () => {
    const page = Buffer.from([1, 2, 3]);
    expect([toDisplayHash(page), toDisplayHash(page)]).toEqual(['030201', '030201']);
  });
});
