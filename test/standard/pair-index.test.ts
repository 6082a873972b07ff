import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFlush, collectPairs } from '../../src/standard/flush.js';
import { PairIndex } from '../../src/standard/pair-index.js';
import { concatBytes, fromBinaryString, toBinaryString } from '../../src/util/bytes.js';

const element = (bytes: Uint8Array) => concatBytes(Uint8Array.of(0x0a, bytes.length), bytes);
/** Short keys repeat; long ones pass the number of bytes that have random words of their own. */
const key = fc.oneof(
  fc.uint8Array({ maxLength: 2, max: 3 }),
  fc.tuple(fc.constantFrom(62, 63, 64, 65, 100), fc.nat(3)).map(([length, byte]) => new Uint8Array(length).fill(byte)),
);
const pair = fc.tuple(key, fc.uint8Array({ maxLength: 5 }));

test('every key has its last value over all flushes, and no other key has one', () => {
  fc.assert(
    fc.property(fc.array(fc.array(pair, { maxLength: 40 }), { maxLength: 4 }), fc.array(key), (plan, others) => {
      const flushes = plan.map((pairs) => concatBytes(...pairs.flat().map(element)));
      const index = new PairIndex(
        flushes,
        flushes.reduce((sum, bytes) => sum + checkFlush(bytes), 0),
      );
      const expected = collectPairs(flushes);
      for (const [name, value] of expected) expect(index.get(fromBinaryString(name))).toEqual(value);
      for (const name of others) expect(index.get(name)).toEqual(expected.get(toBinaryString(name)));
    }),
  );
});

test('a trailing key without value is not there', () => {
  const flush = concatBytes(...['a', '1', 'b'].map((text) => element(Buffer.from(text))));
  const index = new PairIndex([flush], checkFlush(flush));
  expect(index.get(Uint8Array.from(Buffer.from('a')))).toEqual(Uint8Array.of(0x31));
  expect(index.get(Uint8Array.from(Buffer.from('b')))).toBeUndefined();
});
