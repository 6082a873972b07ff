import { expect, test } from 'vitest';
import { leavesOf, rootOf } from '../../scripts/state-root/reference.mjs';
import { prefixRoot } from '../../src/simulate/prefix-root.js';
import { toHex } from '../../src/util/bytes.js';
import { block, bytes, generator, randomBlock, withStore } from '../store/helpers.js';

test('the root of a prefix is that of a tree of its keys alone, at every height and after a rollback', async () => {
  await withStore((store) => {
    const random = generator(5);
    const states: [Uint8Array, Uint8Array][][] = [];
    for (let height = 0; height <= 6; height++) {
      store.commitBlock(randomBlock(height, random));
      states.push([...store.entriesAt('S', new Uint8Array(0))].map(([key, value]) => [key, value]));
    }
    const prefixes = new Set(states.flat().map(([key]) => toHex(key.subarray(0, 1))));
    expect(prefixes.size).toBeGreaterThan(0);
    const check = (height: number): void => {
      for (const prefix of ['', 'ee', ...prefixes]) {
        const pairs = states[height].filter(([key]) => toHex(key).startsWith(prefix));
        const request = { height, prefix: new Uint8Array(Buffer.from(prefix, 'hex')) };
        expect(prefixRoot(store, request), `${height} ${prefix}`).toBe(toHex(rootOf(leavesOf(pairs))));
      }
      expect(prefixRoot(store, { height, prefix: new Uint8Array(0) })).toBe(store.roots(height)?.standard);
    };
    for (let height = 0; height <= 6; height++) check(height);
    store.rollback(3);
    check(3);
  });
});

test('a prefix of too many keys is refused, one of as many as may be is not', async () => {
  await withStore((store) => {
    store.commitBlock(block(0, { a1: 'x', a2: 'y', a3: 'z', b: 'w' }));
    const request = { height: 0, prefix: bytes('a') };
    expect(prefixRoot(store, request, 3)).toBe(prefixRoot(store, request));
    expect(() => prefixRoot(store, request, 2)).toThrow(expect.objectContaining({ code: 'VIEW_MEMORY' }));
  });
});
