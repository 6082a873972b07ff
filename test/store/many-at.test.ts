import { expect, test } from 'vitest';
import { slabAllocator } from '../../src/util/row-bytes.js';
import { block, bytes, text, withStore } from './helpers.js';

test('several keys are read at a height as one by one: changed later, deleted, empty, absent, long', () =>
  withStore((store) => {
    const long = 'long'.repeat(100);
    store.commitBlock(block(5, { a: '1', b: '', [long]: 'x' }, { x: '1', y: '1' }));
    store.commitBlock(block(6, {}, { x: null }));
    store.commitBlock(block(7, { a: '', b: '2' }, { x: '3', never: null }));
    const keys = ['a', 'b', '', long, 'x', 'y', 'never', 'none', 'a'].map(bytes);
    for (const ns of ['S', 'P'] as const) {
      for (const height of [-1, 4, 5, 6, 7, 8]) {
        const single = keys.map((key) => text(store.getAt(ns, key, height)));
        expect(store.getManyAt(ns, keys, height).map(text)).toEqual(single);
      }
    }
    expect(store.getManyAt('S', keys, 5).map(text)).toEqual(['1', '', undefined, 'x', ...new Array(4), '1']);
    expect(store.getManyAt('S', [], 7)).toEqual([]);
  }));

test('rows of a slab lie side by side and end with it', () => {
  const allocate = slabAllocator(5);
  const rows = [allocate(2), allocate(0), allocate(3)];
  for (const [i, row] of rows.entries()) row.fill(i + 1);
  expect([...new Uint8Array(rows[0].buffer)]).toEqual([1, 1, 3, 3, 3]);
  expect(() => allocate(1)).toThrow(RangeError);
});
