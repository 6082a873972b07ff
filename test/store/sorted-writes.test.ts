import { expect, test } from 'vitest';
import { SortedWrites } from '../../src/store/sorted-writes.js';
import { binarySlice, fromBinaryString, toHex } from '../../src/util/bytes.js';
import { PackedMap } from '../../src/util/packed-map.js';
import { generator } from './helpers.js';

type Random = ReturnType<typeof generator>;
type Written = readonly [key: string, value: Uint8Array | undefined];

/** Binary strings of bytes that meet often; `of` is a word before. */
const text = (random: Random, length: number, of: string): string =>
  of + Array.from({ length }, () => String.fromCharCode(random(3) * 127)).join('');

function valueWith(random: Random, number: number): Uint8Array | undefined {
  const kind = random(10);
  if (kind === 0) return undefined;
  // Some do not fit into what is copied.
  const length = kind === 1 ? random(3_000) : kind === 2 ? 0 : random(90);
  return new Uint8Array(length).fill(number);
}

const shown = (sorted: SortedWrites, index: number): Written => {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = sorted.entry(index);
  const value = valueEnd < 0 ? undefined : bytes.slice(valueStart, valueEnd);
  return [binarySlice(bytes, keyStart, keyEnd), value];
};

/** Writes, which of their keys existed, and what must come of them, in order. */
function made(random: Random, count: number) {
  const map = new PackedMap();
  for (let i = 0; i < count; i++) {
    const key = text(random, random(40) === 0 ? 1_000 + random(200) : random(12), random(2) === 0 ? 'shared ' : '');
    map.set(key, valueWith(random, i));
  }
  const existed = Uint8Array.from({ length: map.size }, () => random(2));
  const expected = [...map]
    .map(([key, value], i) => ({ key, value, existed: existed[i] === 1 }))
    .filter(({ value, existed: had }) => had || value !== undefined)
    .sort((a, b) => Buffer.compare(fromBinaryString(a.key), fromBinaryString(b.key)));
  return { map, existed, expected };
}

test('all writes that change something come in the order of their keys, however they are gone through', () => {
  let entries = 0;
  for (let seed = 0; seed < 24; seed++) {
    const random = generator(seed);
    const { map, existed, expected } = made(random, seed % 8 === 0 ? 1_000 : random(60));
    const sorted = new SortedWrites(map, existed);
    expect(sorted.count).toBe(expected.length);
    const check = (index: number): void => {
      const { key, value, existed: had } = expected[index];
      const [foundKey, found] = shown(sorted, index);
      expect(foundKey).toBe(key);
      expect(found === undefined ? undefined : toHex(found)).toBe(value && toHex(value));
      expect(sorted.isPresent(index)).toBe(had);
      entries++;
    };
    for (let index = 0; index < sorted.count; index++) check(index);
    for (let index = sorted.count - 1; index >= 0; index -= 29) check(index);
    for (let i = 0; i < Math.min(sorted.count, 12); i++) check(random(sorted.count));
  }
  expect(entries).toBeGreaterThan(3_000);
});

test('more writes than are copied together, and more bytes, are all there', () => {
  const map = new PackedMap();
  const keys = 140_000;
  for (let i = 0; i < keys; i++) {
    const number = (i * 7_919) % keys;
    map.set(`${number}`.padStart(9, '0'), new Uint8Array(number % 200).fill(number));
  }
  const sorted = new SortedWrites(map, new Uint8Array(keys));
  let wrong = 0;
  const check = (index: number): void => {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = sorted.entry(index);
    const isKey = binarySlice(bytes, keyStart, keyEnd) === `${index}`.padStart(9, '0');
    const isValue =
      valueEnd - valueStart === index % 200 && (valueEnd === valueStart || bytes[valueStart] === (index & 255));
    if (!isKey || !isValue) wrong++;
  };
  for (let index = 0; index < keys; index++) check(index);
  // As when rows are read and put in portions, twice over the same ones.
  for (let from = 0; from < keys; from += 9_000) {
    for (let index = from; index < Math.min(keys, from + 9_000); index++) check(index);
    for (let index = from; index < Math.min(keys, from + 9_000); index++) check(index);
  }
  check(0);
  expect(wrong).toBe(0);
});
