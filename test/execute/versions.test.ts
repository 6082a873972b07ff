import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Versions } from '../../src/execute/run/versions.js';

describe('versions', () => {
  it('give each transaction the newest write before it, or else the state before the block', () => {
    const value = fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined });
    const write = fc.tuple(
      fc.nat(9),
      fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), value), { selector: ([k]) => k }),
    );
    fc.assert(
      fc.property(fc.array(write, { maxLength: 30 }), (puts) => {
        const versions = new Versions({ get: (key) => (key === 'a' ? Uint8Array.of(99) : undefined) });
        const model = new Map<number, Map<string, number | undefined>>();
        for (const [position, writes] of puts) {
          versions.put(
            position,
            new Map(writes.map(([key, v]) => [key, v === undefined ? undefined : Uint8Array.of(v)])),
          );
          model.set(position, new Map(writes));
        }
        for (const key of ['a', 'b', 'c']) {
          for (let position = 0; position <= 10; position++) {
            let expected: number | undefined = key === 'a' ? 99 : undefined;
            let written = false;
            for (let i = 0; i < position; i++) {
              if (model.get(i)?.has(key)) {
                expected = model.get(i)?.get(key);
                written = true;
              }
            }
            expect(versions.get(key, position)?.[0]).toBe(expected);
            expect(versions.isWrittenBefore(key, position)).toBe(written);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
