import { expect, it } from 'vitest';
import { BlockState } from '../../../src/lane/columns/block-state.js';
import { KeyOrder, MOST_SORTED } from '../../../src/lane/columns/key-order.js';

const state = new BlockState({ get: () => undefined });
const order = new KeyOrder();

function sorted(keys: readonly string[]): string[] {
  const numbers = Uint32Array.from(keys, (key) => state.keyOfText(key));
  order.sort(state, numbers, numbers.length);
  return [...order.sorted.subarray(0, keys.length)].map((key) => state.keyText(key));
}

it('sorts keys as their bytes do, whatever was sorted before', () => {
  const all = [
    '',
    'a',
    'aa',
    'aaaa',
    'aaaab',
    'aaab',
    'aab',
    'store/x/1',
    'store/x/2',
    'store/x/11',
    'sheet/\xff',
    'sheet/\x7f',
  ];
  // A first byte of 80 or more is no negative word.
  all.push('\x80', '\x80aaa', '\x7fzzz', '\xff\xff\xff\xff', '\0\0\0\0', '\0\0\0\x01');
  let seed = 1;
  for (let round = 0; round < 500; round++) {
    const keys = all.filter(() => {
      seed = (seed * 48_271) % 0x7fffffff;
      return seed % 3 > 0;
    });
    if (round % 2 === 0) keys.reverse();
    expect(sorted(keys)).toEqual([...keys].sort());
    expect(sorted(keys)).toEqual([...keys].sort());
  }
});

it('sorts as many as it has room for', () => {
  const keys = Array.from({ length: MOST_SORTED }, (_, i) => `key ${(i * 37) % MOST_SORTED}`);
  expect(sorted(keys)).toEqual([...keys].sort());
});
