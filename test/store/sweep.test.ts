import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SweptTree, sweepOf } from '../../src/store/tree/sweep.js';

const blocksOf = (tree: Omit<SweptTree, 'loses'>): number => sweepOf({ ...tree, loses: false }).blocks;

describe('a sweep of the tree', () => {
  it('goes round in 50 blocks while rows hardly change twice, and in more where that writes less', () => {
    const tree = { leaves: 5_000_000, rows: 130_000, keepUndo: 100 };
    expect(blocksOf({ ...tree, written: 0 })).toBe(50);
    expect(blocksOf({ ...tree, written: 2_600 })).toBe(50);
    expect(blocksOf({ ...tree, written: 30_000 })).toBe(333);
    expect(blocksOf({ ...tree, written: 10_000 })).toBe(400);
    expect(blocksOf({ ...tree, leaves: 1_000_000, rows: 30_000, written: 30_000 })).toBe(66);
    expect(blocksOf({ ...tree, leaves: 30_000, rows: 1_000, written: 30_000 })).toBe(50);
  });

  it('is over before undo data goes where rows change seldom, and never takes less than a block', () => {
    const tree = { leaves: 1_000, rows: 100, written: 1 };
    const blocks = [0, 1, 3, 10, 100, 1_000].map((keepUndo) => blocksOf({ ...tree, keepUndo }));
    expect(blocks).toEqual([1, 1, 1, 5, 50, 50]);
  });

  it('is over before undo data goes where only that tells which keys are gone, however many change', () => {
    const tree = { leaves: 5_000_000, rows: 130_000, written: 30_000, loses: true };
    expect(sweepOf({ ...tree, keepUndo: 100 })).toEqual({ blocks: 50, behind: 100 });
    expect(sweepOf({ ...tree, keepUndo: 6 })).toEqual({ blocks: 3, behind: 6 });
    expect(sweepOf({ ...tree, keepUndo: 6, loses: false })).toEqual({ blocks: 333, behind: 800 });
  });

  it('writes half a leaf for each changed key, or takes the most or the fewest blocks', () => {
    fc.assert(
      fc.property(fc.nat(1e7), fc.nat(1e5), fc.nat(200), (leaves, written, keepUndo) => {
        const blocks = blocksOf({ leaves, rows: Math.ceil(leaves / 40), written, keepUndo });
        const few = Math.max(1, Math.min(50, keepUndo >> 1));
        expect(blocks).toBeGreaterThanOrEqual(few);
        expect(blocks).toBeLessThanOrEqual(400);
        if (blocks === few || blocks === 400) return;
        // As a share of all leaves, with what is left of a block.
        expect(blocks * written).toBeLessThanOrEqual(2 * leaves);
        expect((blocks + 1) * written).toBeGreaterThan(2 * leaves);
      }),
    );
  });
});
