import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Parting, partingByHalving, partingByScan, sharedHeights } from '../../src/diff/heights.js';
import type { DiffSide } from '../../src/diff/side.js';

interface Heights {
  readonly first: number;
  readonly tip: number;
  /** From here on the chain, and the state, is another. */
  readonly fork?: number;
  readonly state?: number;
  readonly rootless?: ReadonlySet<number>;
}

function sideOf(name: string, { first, tip, fork, state, rootless }: Heights): DiffSide & { asked: number } {
  const side = {
    name,
    asked: 0,
    range: async () => (tip < first ? undefined : { first, tip }),
    async block(height: number) {
      side.asked++;
      if (height < first || height > tip) return undefined;
      const hash = `${height} ${height >= (fork ?? 1e9) ? name : ''}`;
      const root = `${height} ${height >= (state ?? 1e9) ? name : ''}`;
      return { hash, roots: rootless?.has(height) ? undefined : { state: root, standard: root, lane: root } };
    },
    prove: () => Promise.reject(new Error('no proof is wanted')),
    close: async () => undefined,
  };
  return side;
}

/** By looking at every height. */
function expected([a, b]: readonly [Heights, Heights], first: number, last: number) {
  let same: number | undefined;
  for (let height = first; height <= last; height++) {
    const isFork = [a, b].some(({ fork }) => height >= (fork ?? 1e9));
    const isKnown = ![a, b].some(({ rootless }) => rootless?.has(height));
    if (isFork || (isKnown && [a, b].some(({ state }) => height >= (state ?? 1e9)))) return { same, height };
    if (isKnown) same = height;
  }
  return undefined;
}

const short = (parting: Parting | undefined) => parting && { same: parting.same, height: parting.height };

describe('the first height that differs', () => {
  const side = fc.record({
    first: fc.nat(10),
    tip: fc.integer({ min: 5, max: 60 }),
    fork: fc.option(fc.nat(70), { nil: undefined }),
    state: fc.option(fc.nat(70), { nil: undefined }),
    rootless: fc.uniqueArray(fc.nat(60), { maxLength: 50 }).map((heights) => new Set(heights)),
  });
  test('is found by halving as by looking at every one', async () => {
    await fc.assert(
      fc.asyncProperty(side, side, async (a, b) => {
        const sides = [sideOf('a', a), sideOf('b', b)] as const;
        const shared = await sharedHeights(sides);
        const [first, last] = [Math.max(a.first, b.first), Math.min(a.tip, b.tip)];
        expect(shared).toEqual(a.tip < a.first || b.tip < b.first || first > last ? undefined : { first, last });
        if (shared === undefined) return;
        const wanted = expected([a, b], first, last);
        expect(short(await partingByScan(sides, shared, () => undefined))).toEqual(wanted);
        expect(short(await partingByHalving(sides, shared, () => undefined))).toEqual(wanted);
      }),
      { numRuns: 500, endOnFailure: true },
    );
  });

  test('takes few questions', async () => {
    const heights = { first: 0, tip: 1_000_000 };
    const sides = [sideOf('a', { ...heights, state: 654_321 }), sideOf('b', heights)] as const;
    const parting = await partingByHalving(sides, { first: 0, last: 1_000_000 }, () => undefined);
    expect(short(parting)).toEqual({ same: 654_320, height: 654_321 });
    expect(sides[1].asked).toBeLessThanOrEqual(22);
  });
});
