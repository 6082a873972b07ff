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

it('forgets no more than it must, and finds many again that are used in turns, more than there is room for', () => {
  const images = new KeptImages<number>(0, 1_000);
  let found = 0;
  for (let use = 0; use < 1_200; use++) {
    const hash = `program ${use % 12}`;
    if (images.get(hash) !== undefined) found++;
    else images.make(hash, 100, () => use);
    if (use >= 12) expect(images.size).toBe(10);
  }
  // The oldest first would find none.
  expect(found).toBeGreaterThan(600);
  expect(found).toBeLessThan(1_100);
  // Those that nobody uses any more make room.
  for (let use = 0; use < 1_000; use++) {
    const hash = `later program ${use % 8}`;
    if (images.get(hash) === undefined) images.make(hash, 100, () => use);
  }
  for (let i = 0; i < 8; i++) expect(images.get(`later program ${i}`)).toBeDefined();
});

it('clears neighbours for one that is larger, around those in use', () => {
  const images = new KeptImages<string>(0, 500);
  for (const hash of ['a', 'b', 'c', 'd', 'e']) images.make(hash, 100, () => hash);
  images.get('c')!.users++;
  const large = images.make('large', 200, () => 'large');
  expect([0, 300]).toContain(large?.start);
  expect(images.get('c')?.image).toBe('c');
  expect(images.make('too large', 201, () => 'too large')).toBeUndefined();
  expect(images.make('larger than all', 501, () => 'larger than all')).toBeUndefined();
});
