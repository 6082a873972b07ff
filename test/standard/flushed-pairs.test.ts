import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFlush } from '../../src/standard/flush.js';
import { FlushedPairs } from '../../src/standard/flushed-pairs.js';
import { concatBytes, fromBinaryString, toBinaryString } from '../../src/util/bytes.js';
import { sortedByKey } from '../../src/util/sort-packed.js';
import { collectPairs } from './collect-pairs.js';

const element = (bytes: Uint8Array) => concatBytes(Uint8Array.of(0x0a, bytes.length), bytes);
/** Short keys repeat; long ones pass the number of bytes that have random words of their own. */
const key = fc.oneof(
  fc.uint8Array({ maxLength: 2, max: 3 }),
  fc.tuple(fc.constantFrom(62, 63, 64, 65, 100), fc.nat(3)).map(([length, byte]) => new Uint8Array(length).fill(byte)),
);
const pair = fc.tuple(key, fc.uint8Array({ maxLength: 5 }));
const plans = fc.array(fc.array(pair, { maxLength: 40 }), { maxLength: 4 });
const flushesOf = (plan: readonly (readonly [Uint8Array, Uint8Array])[][]) =>
  plan.map((pairs) => concatBytes(...pairs.flat().map(element)));
const indexOf = (flushes: readonly Uint8Array[]) =>
  FlushedPairs.of(
    flushes,
    flushes.reduce((sum, bytes) => sum + checkFlush(bytes), 0),
  );

test('every key has its last value over all flushes, and no other key has one', () => {
  fc.assert(
    fc.property(plans, fc.array(key), (plan, others) => {
      const flushes = flushesOf(plan);
      const expected = collectPairs(flushes);
      const own = indexOf(flushes);
      for (const pairs of [own, FlushedPairs.at(flushes, own.places())]) {
        expect([...pairs]).toEqual([...expected]);
        expect(pairs.size).toBe(expected.size);
        for (const [name, value] of expected) expect(pairs.find(fromBinaryString(name))).toEqual(value);
        for (const name of others) {
          const text = toBinaryString(name);
          expect([pairs.get(text), pairs.has(text)]).toEqual([expected.get(text), expected.has(text)]);
        }
        pairs.forgetIndex();
        for (const [name, value] of expected) expect(pairs.get(name)).toEqual(value);
        expect(pairs.valueBytes).toBe([...expected.values()].reduce((sum, value) => sum + value.length, 0));
      }
    }),
  );
});

test('what lies packed is the same, and comes sorted', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const flushes = flushesOf(plan);
      const pairs = indexOf(flushes);
      const read = (address: number) => {
        const { bytes, keyStart, keyEnd, valueStart, valueEnd } = pairs.read(address);
        return [toBinaryString(bytes.subarray(keyStart, keyEnd)), bytes.subarray(valueStart, valueEnd)] as const;
      };
      const expected = [...collectPairs(flushes)];
      const addresses = pairs.addresses();
      expect([...addresses].map(read)).toEqual(expected);
      const sorted = [...sortedByKey(pairs, addresses)].map((place) => read(addresses[place]));
      expect(sorted).toEqual(expected.sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
});

test('a trailing key without value is not there', () => {
  const flush = concatBytes(...['a', '1', 'b'].map((text) => element(Buffer.from(text))));
  const pairs = FlushedPairs.of([flush], checkFlush(flush));
  expect(pairs.find(Uint8Array.from(Buffer.from('a')))).toEqual(Uint8Array.of(0x31));
  expect(pairs.find(Uint8Array.from(Buffer.from('b')))).toBeUndefined();
});
