import { describe, expect, it } from 'vitest';
import { BoundedCache } from '../../src/program/lru.js';

describe('the cache of programs', () => {
  it('forgets what was used longest ago', () => {
    const cache = new BoundedCache<number>(2, 100);
    cache.set('a', 1, 1);
    cache.set('b', 2, 1);
    cache.get('a');
    cache.set('c', 3, 1);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });

  it('is bounded by weight, and keeps the newest however heavy', () => {
    const cache = new BoundedCache<number>(10, 10);
    cache.set('a', 1, 6);
    cache.set('b', 2, 6);
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, 2]);
    cache.set('c', 3, 50);
    expect([cache.get('b'), cache.get('c'), cache.size]).toEqual([undefined, 3, 1]);
    cache.set('c', 4, 5);
    cache.set('d', 5, 5);
    expect([cache.get('c'), cache.get('d')]).toEqual([4, 5]);
  });
});
