/** The first height at which two sides differ. */
import type { BlockAt, DiffSide } from './side.js';

/** Where they part. */
export interface Parting {
  /** The highest height known to be the same in both; undefined if there is none. */
  readonly same: number | undefined;
  /** The lowest height known to differ. */
  readonly height: number;
  readonly blocks: readonly [BlockAt, BlockAt];
}

/** Heights that both have. */
export interface Shared {
  readonly first: number;
  readonly last: number;
}

type Verdict = { readonly kind: 'same' | 'unknown' } | { readonly kind: 'differs'; readonly parting: Parting };

type Look = (height: number) => void;

/** Blocks by hash, states by root; where one has no root, nothing is known of the state. */
async function compareAt(sides: readonly [DiffSide, DiffSide], height: number): Promise<Verdict> {
  const [a, b] = await Promise.all(sides.map((side) => side.block(height)));
  if (a === undefined || b === undefined) return { kind: 'unknown' };
  if (a.hash !== b.hash || (a.roots && b.roots && a.roots.state !== b.roots.state)) {
    return { kind: 'differs', parting: { same: undefined, height, blocks: [a, b] } };
  }
  return { kind: a.roots === undefined || b.roots === undefined ? 'unknown' : 'same' };
}

/** Looks at every height from below; undefined if no height differs. For sides that answer at once. */
export async function partingByScan(
  sides: readonly [DiffSide, DiffSide],
  { first, last }: Shared,
  look: Look,
): Promise<Parting | undefined> {
  let same: number | undefined;
  for (let height = first; height <= last; height++) {
    look(height);
    const verdict = await compareAt(sides, height);
    if (verdict.kind === 'differs') return { ...verdict.parting, same };
    if (verdict.kind === 'same') same = height;
  }
  return undefined;
}

/**
 * Halves the heights, as two indexers that differ once differ from there on: a difference that a later block takes back
 * is not found. Undefined if the last height that can be compared is the same.
 */
export async function partingByHalving(
  sides: readonly [DiffSide, DiffSide],
  { first, last }: Shared,
  look: Look,
): Promise<Parting | undefined> {
  const at = (height: number): Promise<Verdict> => {
    look(height);
    return compareAt(sides, height);
  };
  let found: Parting | undefined;
  // From above: the last of them may have no roots.
  let end = last + 1;
  while (found === undefined && end > first) {
    const verdict = await at(--end);
    if (verdict.kind === 'same') return undefined;
    if (verdict.kind === 'differs') found = verdict.parting;
  }
  if (found === undefined) return undefined;
  let same = first - 1;
  while (same + 1 < end) {
    const middle = (same + end) >> 1;
    let height = middle;
    let verdict = await at(height);
    while (verdict.kind === 'unknown' && ++height < end) verdict = await at(height);
    if (verdict.kind === 'same') same = height;
    else {
      end = middle;
      if (verdict.kind === 'differs') found = verdict.parting;
    }
  }
  return { ...found, same: same < first ? undefined : same };
}

/** The heights that both have; undefined if there are none. A side may have lost its lowest ones. */
export async function sharedHeights(sides: readonly [DiffSide, DiffSide]): Promise<Shared | undefined> {
  const [a, b] = await Promise.all(sides.map((side) => side.range()));
  if (a === undefined || b === undefined) return undefined;
  const [first, last] = [Math.max(a.first, b.first), Math.min(a.tip, b.tip)];
  return first > last ? undefined : { first, last };
}
