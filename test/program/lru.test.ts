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

  it('that forgets any entry never forgets the newest, and says what it forgets', () => {
    const forgotten: string[] = [];
    const cache = new BoundedCache<number>(8, 100, 'any', (key) => forgotten.push(key));
    for (let i = 0; i < 200; i++) {
      cache.set(`${i}`, i, 1);
      expect(cache.get(`${i}`)).toBe(i);
    }
    expect([cache.size, cache.weight, forgotten.length]).toEqual([8, 8, 192]);
    expect(new Set(forgotten).size).toBe(192);
    for (const key of forgotten) expect(cache.get(key)).toBeUndefined();
  });

  it('that forgets any entry finds much of what goes round in turns a little longer than it is', () => {
    const found = (forgets: 'oldest' | 'any'): number => {
      const cache = new BoundedCache<number>(30, 30, forgets);
      let hits = 0;
      for (let i = 0; i < 4_000; i++) {
        const key = `${i % 40}`;
        if (cache.get(key) === undefined) cache.set(key, i, 1);
        else hits++;
      }
      return hits / 4_000;
    };
    expect(found('oldest')).toBe(0);
    expect(found('any')).toBeGreaterThan(0.4);
  });
});
