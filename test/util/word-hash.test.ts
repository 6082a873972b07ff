import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashOfWords, wordsEqual } from '../../src/util/word-hash.js';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

describe('the hash of a key', () => {
  test('is that of its bytes, wherever they lie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 20 }), fc.nat({ max: 255 }), (key, at, around) => {
        const room = new Uint8Array(at + key.length + 9).fill(around);
        room.set(key, at);
        const hash = hashOfWords(viewOf(room), at, at + key.length);
        expect(hash).toBe(hashOfWords(viewOf(key), 0, key.length));
        expect(Number.isInteger(hash) && hash === (hash | 0)).toBe(true);
      }),
    );
  });

  test('is another one for each key that differs in one bit or in its length', () => {
    for (const length of [1, 3, 4, 15, 16, 17, 55, 64, 1_063]) {
      const key = new Uint8Array(length);
      const hashes = new Set([
        hashOfWords(viewOf(key), 0, length),
        hashOfWords(viewOf(new Uint8Array(length + 1)), 0, length + 1),
      ]);
      for (let bit = 0; bit < 8 * length; bit++) {
        key[bit >> 3] ^= 1 << (bit & 7);
        hashes.add(hashOfWords(viewOf(key), 0, length));
        key[bit >> 3] ^= 1 << (bit & 7);
      }
      // Of 8,506 hashes, two meet once in a hundred processes.
      expect(hashes.size).toBeGreaterThanOrEqual(8 * length + 2 - 3);
    }
  });

  test.each([4, 16])(
    'has no keys that meet whatever the secret: top bits of words %i bytes from each other',
    (apart) => {
      // With one odd factor a word, `^ 80000000` in one word is taken back by `^ 80010000` in the next one of its way.
      const hashes = new Set<number>();
      for (let choice = 0; choice < 1_024; choice++) {
        const view = new DataView(new ArrayBuffer(20 * apart + 16));
        for (let pair = 0; pair < 10; pair++) {
          if (((choice >> pair) & 1) === 0) continue;
          view.setUint32(2 * pair * apart, 0x80000000, true);
          view.setUint32((2 * pair + 1) * apart, 0x80010000, true);
        }
        hashes.add(hashOfWords(view, 0, view.byteLength));
      }
      expect(hashes.size).toBeGreaterThan(1_000);
    },
  );
});

test('words are equal where every byte is', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 70 }),
      fc.nat({ max: 7 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (key, at, place, change) => {
        const room = new Uint8Array(at + key.length + 5).fill(1);
        room.set(key, at);
        const [a, b] = [viewOf(key), viewOf(room)];
        expect(wordsEqual(a, 0, b, at, key.length)).toBe(true);
        if (key.length === 0) return;
        room[at + (place % key.length)] ^= change;
        expect(wordsEqual(a, 0, b, at, key.length)).toBe(false);
        // What lies behind it does not count.
        expect(wordsEqual(a, 0, b, at, place % key.length)).toBe(true);
      },
    ),
  );
});
