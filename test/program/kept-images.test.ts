import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type KeptImage, KeptImages } from '../../src/program/kept-images.js';

const [START, END] = [1_000, 2_000];

it('places never overlap, those in use stay, and what was used longest ago goes first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 400 }), fc.nat(3)), { maxLength: 80 }),
      (steps) => {
        const images = new KeptImages<string>(START, END);
        const used: KeptImage<string>[] = [];
        for (const [number, bytes, action] of steps) {
          if (action === 0 && used.length > 0) {
            used.splice(number % used.length, 1)[0].users--;
            continue;
          }
          const hash = `program ${number}`;
          const kept = images.get(hash) ?? images.make(hash, bytes, ({ start }) => `${hash} at ${start}`);
          if (kept === undefined) {
            // Only what is in use can be in its way.
            const places = [...new Set(used)].sort((a, b) => a.start - b.start);
            const edges = [START, ...places.flatMap(({ start, end }) => [start, end]), END];
            for (let i = 0; i < edges.length; i += 2) expect(edges[i + 1] - edges[i]).toBeLessThan(bytes);
            continue;
          }
          expect(kept.image).toBe(`${hash} at ${kept.start}`);
          expect(kept.start).toBeGreaterThanOrEqual(START);
          expect(kept.end).toBeLessThanOrEqual(END);
          for (const other of used)
            if (other !== kept) expect(kept.end <= other.start || other.end <= kept.start).toBe(true);
          if (action > 1) {
            kept.users++;
            used.push(kept);
          }
        }
        for (const one of used) expect(images.get(one.hash)).toBe(one);
      },
    ),
    { numRuns: 300 },
  );
});

it('forgets what was used longest ago, whatever the order of the places', () => {
  const images = new KeptImages<number>(0, 300);
  for (const [i, hash] of ['a', 'b', 'c'].entries()) images.make(hash, 100, () => i);
  images.get('a');
  expect(images.make('d', 50, () => 3)).toMatchObject({ start: 100, end: 150 });
  expect(['a', 'b', 'c', 'd'].map((hash) => images.get(hash)?.image)).toEqual([0, undefined, 2, 3]);
  images.get('a');
  // No gap is large enough before both of the others have gone.
  expect(images.make('e', 200, () => 4)).toMatchObject({ start: 100, end: 300 });
  expect(images.size).toBe(2);
});
