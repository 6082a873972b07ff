import type { ChainSource } from '../chain/source.js';
import { bytesEqual } from '../util/bytes.js';
import type { Indexer } from './indexer.js';

/**
 * Where two chains part. `below`: every block indexed differs. `unsettled`: the source's chain changed during the
 * search.
 */
export type Fork =
  | { readonly kind: 'at'; readonly height: number }
  | { readonly kind: 'below'; readonly firstIndexed: number }
  | { readonly kind: 'unsettled' };

/**
 * Finds the last height at which index and source agree, `differing` being one at which they do not. Two chains agree
 * up to their fork and nowhere above it, so steps that double and then halve find it. As the source may change
 * meanwhile, the result is checked once more at the end. About 2·log2(depth) requests.
 */
export async function findFork(source: ChainSource, indexer: Indexer, differing: number): Promise<Fork> {
  const first = lowestIndexed(indexer, differing);
  let above = differing;
  let below = first - 1;
  for (let step = 1; above - step >= first; step *= 2) {
    const found = await compare(source, indexer, above - step);
    if (found === undefined) return { kind: 'unsettled' };
    if (found) {
      below = above - step;
      break;
    }
    above -= step;
  }
  // If the steps passed the first block, the range between it and the last height asked remains.
  while (above - below > 1) {
    const middle = (above + below) >>> 1;
    const found = await compare(source, indexer, middle);
    if (found === undefined) return { kind: 'unsettled' };
    if (found) below = middle;
    else above = middle;
  }
  if ((await compare(source, indexer, above)) !== false) return { kind: 'unsettled' };
  if (below < first) return { kind: 'below', firstIndexed: first };
  return (await compare(source, indexer, below)) === true ? { kind: 'at', height: below } : { kind: 'unsettled' };
}

/** Whether both have the same block there; undefined if the source has none. */
async function compare(source: ChainSource, indexer: Indexer, height: number): Promise<boolean | undefined> {
  const theirs = await source.hashAt(height);
  return theirs && bytesEqual(theirs, indexer.hashAt(height));
}

/** Height of the first block indexed; `height` is indexed. */
function lowestIndexed(indexer: Indexer, height: number): number {
  let missing = -1;
  let present = height;
  while (present - missing > 1) {
    const middle = (present + missing) >> 1;
    if (indexer.hashAt(middle) === undefined) missing = middle;
    else present = middle;
  }
  return present;
}
