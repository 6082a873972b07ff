/** Checks before blocks of a source are replayed into a store. */
import { sha256d } from '../bitcoin/hash.js';
import type { BlockSource } from '../bitcoin/sources.js';
import { StoreError, UsageError } from '../errors/errors.js';
import type { StoreReader } from '../store/reader.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';

const HEADER_LENGTH = 80;

/**
 * Throws UsageError USAGE_RANGE if the source has no block between the two heights, or if they are in the wrong order.
 */
export function checkRange(source: BlockSource, { from, to }: { readonly from?: number; readonly to?: number }): void {
  const { firstHeight, lastHeight } = source;
  if ((from ?? firstHeight) <= Math.min(to ?? lastHeight, lastHeight) && (to ?? lastHeight) >= firstHeight) return;
  throw new UsageError('USAGE_RANGE', 'the source has no blocks between these heights', {
    facts: {
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      first: firstHeight,
      last: lastHeight,
    },
    hint: 'Give --from and --to within the heights of the source, --from not above --to.',
  });
}

/**
 * Throws StoreError STORE_OTHER_CHAIN if source and store differ at the highest height that both have. A source that
 * lies wholly above or below the store's blocks is not compared here: its first block must build on the tip.
 */
export function checkSameChain(source: BlockSource, store: StoreReader, dir: string): void {
  const tip = store.tip();
  if (tip === undefined) return;
  const common = source.heights.findLast((height) => height <= tip.height);
  const stored = common === undefined ? undefined : store.blockHash(common);
  if (common === undefined || stored === undefined) return;
  for (const { raw } of source.blocks(common, common)) {
    const offered = sha256d(raw.subarray(0, HEADER_LENGTH));
    if (bytesEqual(stored, offered)) return;
    throw new StoreError('STORE_OTHER_CHAIN', 'the database was built from another chain than this one', {
      facts: {
        path: dir,
        height: common,
        stored: toDisplayHash(stored),
        offered: toDisplayHash(offered),
        tip: tip.height,
      },
      hint: 'Replay it into another folder, or use the chain that the database was built from.',
    });
  }
}
