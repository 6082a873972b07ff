import { expect, it } from 'vitest';
import { bytesOf, copyWords, LastView, viewOf } from '../../src/util/words.js';

it('copies every length from every place to every place, and nothing else', () => {
  const from = Uint8Array.from({ length: 2_000 }, (_, i) => (i * 7 + 1) % 251);
  for (const length of [0, 1, 2, 3, 4, 5, 15, 16, 17, 36, 45, 63, 100, 1_023, 1_024, 1_025, 1_500]) {
    for (const start of [0, 1, 2, 3, 99]) {
      for (const at of [0, 1, 5]) {
        const to = new Uint8Array(2_000).fill(255);
        copyWords(viewOf(from), start, start + length, viewOf(to), at);
        const expected = new Uint8Array(2_000).fill(255);
        expected.set(from.subarray(start, start + length), at);
        expect(to).toEqual(expected);
      }
    }
  }
});

it('views begin and end where their bytes do', () => {
  const bytes = Uint8Array.from([1, 2, 3, 4, 5]).subarray(1, 4);
  expect([...bytesOf(viewOf(bytes))]).toEqual([2, 3, 4]);
  const last = new LastView();
  const view = last.of(bytes);
  expect(last.of(bytes)).toBe(view);
  const other = bytes.subarray(1);
  expect(last.of(other).getUint8(0)).toBe(3);
  expect(last.of(bytes).getUint8(0)).toBe(2);
});

it('a view is kept until it is to be forgotten, and made again then', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const last = new LastView();
  const view = last.of(bytes);
  last.forget();
  expect(last.of(bytes)).not.toBe(view);
  expect(last.of(bytes).getUint8(2)).toBe(3);
});
