import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseResult } from '../../src/program/result.js';
import { concatBytes, fromHex, toBinaryString, u32Bytes, u128Bytes } from '../../src/util/bytes.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const field = (bytes: Uint8Array): Uint8Array => concatBytes(u32Bytes(bytes.length), bytes);
const map = (...entries: [Uint8Array, Uint8Array][]): Uint8Array =>
  concatBytes(u32Bytes(entries.length), ...entries.flatMap(([k, v]) => [field(k), field(v)]));
const NONE = u128Bytes(0n);

describe('the result of __execute (alkanes-wire 8, lane rules 4)', () => {
  it('transfers, storage map, data', () => {
    const bytes = fromHex(
      '01000000000000000000000000000000' +
        '020000000000000000000000000000000500000000000000000000000000000' +
        '02a000000000000000000000000000000' +
        '02000000020000002f6101000000010c0000002f696e697469616c697a656401000000016f6b',
    );
    const result = parseResult(bytes)!;
    expect(result.transfers).toEqual([{ id: { block: 2n, tx: 5n }, amount: 42n }]);
    expect([...result.storage]).toEqual([
      ['/a', Uint8Array.of(1)],
      ['/initialized', Uint8Array.of(1)],
    ]);
    expect(result.data).toEqual(text('ok'));
    // A map of 36 bytes and 2 entries, 1 transfer, 2 bytes of data.
    expect(result.fuel).toBe(3_600 + 10_000 + 500 + 1);
  });

  it('the smallest result has no transfers, no entries and no data', () => {
    const result = parseResult(concatBytes(NONE, map()))!;
    expect(result).toEqual({ transfers: [], counted: NONE, storage: new Map(), fuel: 400, data: new Uint8Array(0) });
  });

  it('a count of transfers beyond the bytes does not parse, however large', () => {
    for (const count of [1n, 2n, 1n << 64n, (1n << 128n) - 1n]) {
      expect(parseResult(concatBytes(u128Bytes(count), map(), new Uint8Array(40)))).toBeUndefined();
    }
  });

  it('cut off anywhere before the end of the map it does not parse', () => {
    const whole = concatBytes(u128Bytes(1n), new Uint8Array(48), map([text('k'), text('v')], [text('l'), text('')]));
    for (let n = 0; n < whole.length; n++) expect(parseResult(whole.slice(0, n))).toBeUndefined();
    expect(parseResult(whole)).toBeDefined();
  });

  it('last of equal keys wins, unsorted is accepted, zero length is a key and a value', () => {
    const result = parseResult(
      concatBytes(
        NONE,
        map([text('b'), text('1')], [text('a'), text('2')], [text('b'), text('')], [text(''), text('3')]),
      ),
    )!;
    expect(Object.fromEntries(result.storage)).toEqual({ a: text('2'), b: new Uint8Array(0), '': text('3') });
  });

  it('keys up to 1,024 bytes', () => {
    const of = (n: number): Uint8Array => concatBytes(NONE, map([new Uint8Array(n), text('v')]));
    expect(parseResult(of(1_024))).toBeDefined();
    expect(parseResult(of(1_025))).toBeUndefined();
  });

  it('at most 4,096 entries', () => {
    const of = (n: number): Uint8Array =>
      concatBytes(
        NONE,
        map(...Array.from({ length: n }, (_, i): [Uint8Array, Uint8Array] => [u32Bytes(i), text('v')])),
      );
    expect(parseResult(of(4_096))!.storage.size).toBe(4_096);
    expect(parseResult(of(4_097))).toBeUndefined();
    // Counted as declared, not as different keys.
    const same = concatBytes(
      NONE,
      u32Bytes(4_097),
      ...new Array<Uint8Array>(4_097).fill(concatBytes(field(text('k')), field(text('v')))),
    );
    expect(parseResult(same)).toBeUndefined();
  });

  it('at most 1,024 transfers, those of nothing included', () => {
    const of = (n: number): Uint8Array => concatBytes(u128Bytes(BigInt(n)), new Uint8Array(48 * n), map());
    expect(parseResult(of(1_024))).toMatchObject({ fuel: 400 + 512_000 });
    expect(parseResult(of(1_025))).toBeUndefined();
  });

  it('costs 100 a byte of the map, 5,000 an entry as declared, 500 a transfer, 1 a started 8 bytes of data', () => {
    const again = map([text('k'), text('v')], [text('k'), text('')]);
    expect(again).toHaveLength(4 + 10 + 9);
    const whole = concatBytes(u128Bytes(2n), new Uint8Array(96), again, new Uint8Array(17));
    expect(parseResult(whole)!.fuel).toBe(2_300 + 10_000 + 1_000 + 3);
  });

  it('any keys, values and data come back', () => {
    const bytes = fc.uint8Array({ maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, bytes), { maxLength: 8 }), bytes, (entries, data) => {
        const written = map(...entries);
        const result = parseResult(concatBytes(NONE, written, data))!;
        expect(result.data).toEqual(data);
        expect(result.fuel).toBe(100 * written.length + 5_000 * entries.length + Math.ceil(data.length / 8));
        expect(result.storage).toEqual(new Map(entries.map(([k, v]) => [toBinaryString(k), v])));
      }),
    );
  });
});
