import { expect, it } from 'vitest';
import { buildAccessSets } from '../../src/plan/access-sets.js';
import { dsaturBound } from '../../src/plan/dsatur.js';

it('where DSATUR is too dear, the bound is the writers of the busiest key and one that only reads it', () => {
  const writer = { reads: [], writes: ['hot'] };
  const writers = Array.from({ length: 700 }, () => writer);
  const reader = { reads: ['hot'], writes: [] };
  expect(dsaturBound(buildAccessSets(writers))).toBe(700);
  expect(dsaturBound(buildAccessSets([...writers, reader, reader]))).toBe(701);
  const both = { reads: ['hot'], writes: ['hot'] };
  expect(dsaturBound(buildAccessSets([...writers, both]))).toBe(701);
});
