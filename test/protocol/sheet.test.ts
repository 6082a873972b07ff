import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareIds, formatId, idBytes, idFromBytes, parseId } from '../../src/protocol/alkane-id.js';
import { decodeSheet, encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import { concatBytes, toHex, U128_MAX, u128Bytes } from '../../src/util/bytes.js';

const u128 = fc.bigInt(0n, U128_MAX);
const anyId = fc.record({ block: u128, tx: u128 });
const A = { block: 2n, tx: 1n };
const B = { block: 2n, tx: 10n };
const C = { block: 10n, tx: 0n };

describe('ids', () => {
  test('32 bytes: block, then tx, little-endian', () => {
    expect(toHex(idBytes({ block: 2n, tx: 0x0100n }))).toBe(`02${'00'.repeat(15)}0001${'00'.repeat(14)}`);
    fc.assert(
      fc.property(anyId, (id) => {
        expect(idFromBytes(idBytes(id))).toEqual(id);
        expect(idFromBytes(concatBytes(Uint8Array.of(9), idBytes(id)), 1)).toEqual(id);
        expect(parseId(formatId(id))).toEqual(id);
      }),
    );
    expect(() => idFromBytes(new Uint8Array(31))).toThrow(RangeError);
  });

  test('order is by block, then tx, as numbers', () => {
    expect([C, B, A].sort(compareIds)).toEqual([A, B, C]);
    expect(compareIds(A, { ...A })).toBe(0);
  });

  test.each(['', '2', '2:', ':1', '2:1:', '-2:1', '2:x', ' 2:1', '2:1\n', `${U128_MAX + 1n}:0`, `0:${U128_MAX + 1n}`])(
    'the text %j is no id',
    (text) => expect(() => parseId(text)).toThrow(expect.objectContaining({ code: 'USAGE_BAD_ID' })),
  );
});

describe('sheets', () => {
  test('sums over u128 are refused and change nothing', () => {
    const sheet = Sheet.of([{ id: A, amount: U128_MAX }]);
    expect(sheet.add(A, 1n)).toBe(false);
    expect(sheet.get(A)).toBe(U128_MAX);
    expect(sheet.add(A, 0n)).toBe(true);
    const other = Sheet.of([
      { id: B, amount: 1n },
      { id: A, amount: 1n },
    ]);
    expect(sheet.absorb(other)).toBe(false);
    expect([sheet.get(B), other.get(B), other.get(A)]).toEqual([0n, 1n, 1n]);
    expect(other.absorb(sheet)).toBe(false);
    expect([sheet.get(A), other.get(A), other.size]).toEqual([U128_MAX, 1n, 2]);
    expect(() =>
      Sheet.of([
        { id: A, amount: U128_MAX },
        { id: A, amount: 1n },
      ]),
    ).toThrow(RangeError);
  });

  test.each([
    ['the smaller one', [A], [A, B]],
    ['the larger one', [A, B], [A]],
    ['an empty one', [A, B], []],
    ['one into an empty one', [], [A, B]],
  ])('a sheet absorbs another, %s, and leaves it empty and apart', (_, own, others) => {
    const sheet = Sheet.of(own.map((id) => ({ id, amount: 3n })));
    const other = Sheet.of(others.map((id) => ({ id, amount: 4n })));
    expect(sheet.absorb(other)).toBe(true);
    const sum = (id: typeof A) => (own.includes(id) ? 3n : 0n) + (others.includes(id) ? 4n : 0n);
    expect([sheet.get(A), sheet.get(B)]).toEqual([sum(A), sum(B)]);
    expect(other.isEmpty).toBe(true);
    other.add(C, 1n);
    expect([sheet.get(C), other.size]).toEqual([0n, 1]);
  });

  test('taking gives what is there and leaves no zero amounts', () => {
    const sheet = Sheet.of([{ id: A, amount: 10n }]);
    expect(sheet.take(A, 4n)).toBe(4n);
    expect(sheet.take(A, 100n)).toBe(6n);
    expect(sheet.take(A)).toBe(0n);
    expect(sheet.isEmpty).toBe(true);
    expect(sheet.add(B, 0n) && sheet.isEmpty).toBe(true);
  });

  test('a clone is apart', () => {
    const sheet = Sheet.of([{ id: A, amount: 10n }]);
    const copy = sheet.clone();
    copy.take(A);
    expect(sheet.get(A)).toBe(10n);
  });

  test('the stored value: ascending by block, then tx as numbers, 48 bytes each', () => {
    const sheet = Sheet.of([C, B, A].map((id, i) => ({ id, amount: BigInt(i + 1) })));
    const row = (id: typeof A, amount: bigint) => concatBytes(idBytes(id), u128Bytes(amount));
    expect(encodeSheet(sheet)).toEqual(concatBytes(row(A, 3n), row(B, 2n), row(C, 1n)));
    expect(encodeSheet(new Sheet())).toEqual(new Uint8Array(0));
    fc.assert(
      fc.property(fc.array(fc.record({ id: anyId, amount: fc.bigInt(0n, U128_MAX / 100n) })), (entries) => {
        const made = Sheet.of(entries);
        expect(decodeSheet(encodeSheet(made)).entries()).toEqual(made.entries());
      }),
    );
  });

  test('an absent value is the empty sheet, a damaged one an error', () => {
    const row = (id: typeof A, amount: bigint) => concatBytes(idBytes(id), u128Bytes(amount));
    expect(decodeSheet(undefined).isEmpty).toBe(true);
    for (const bad of [
      row(A, 1n).subarray(1),
      row(A, 0n),
      concatBytes(row(B, 1n), row(A, 1n)),
      concatBytes(row(A, 1n), row(A, 1n)),
    ]) {
      expect(() => decodeSheet(bad)).toThrow(expect.objectContaining({ code: 'STORE_BAD_SHEET' }));
    }
  });
});
