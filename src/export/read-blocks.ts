/** The rows of blocks of a stored chain, in their order. */
import { InternalError, StoreError } from '../errors/errors.js';
import type { StoreReader } from '../store/reader.js';
import { type BlockTables, blockTables } from './block-tables.js';
import { type BlockChanges, inBlockOrder, type Sorting } from './spill.js';

/**
 * The blocks from `from` to `to`, all of which must be stored. What those changed that have no undo data is collected
 * in one walk over the whole state before the first of them. Beside a writer, rows
 * may be less than all while blocks are undone: see `changesOf`. Throws StoreError STORE_HISTORY_PRUNED.
 */
export async function* readBlocks(
  store: StoreReader,
  from: number,
  to: number,
  sorting: Sorting,
): AsyncGenerator<BlockTables, void, void> {
  for await (const block of changesFrom(store, from, to, sorting)) {
    const record = store.blockRecord(block.height);
    if (record === undefined) throw undone(block.height);
    yield blockTables(store, record, block);
  }
}

/** Lowest height of which all changes can be told: at the lowest whose state is kept, deletions are not. */
export function lowestReadable(store: StoreReader): number {
  const lowest = store.lowestHistory();
  return lowest === 0 ? (store.lists.firstHeight() ?? 0) : lowest + 1;
}

/**
 * The changes of the blocks from `from` to `to`: see {@link readBlocks}. `takes`: the heights that are wanted, all if
 * not given; those of others are not kept while they are sorted.
 */
export async function* changesFrom(
  store: StoreReader,
  from: number,
  to: number,
  sorting: Sorting,
  takes: (height: number) => boolean = () => true,
): AsyncGenerator<BlockChanges, void, void> {
  const last = Math.min(to, store.lowestRollback());
  if (from <= last) {
    const walk = store.changesBetween(from, last);
    const first = walk.next();
    assertReadable(store, from);
    const all = (function* () {
      if (first.done) return;
      if (takes(first.value.height)) yield first.value;
      for (const change of walk) if (takes(change.height)) yield change;
    })();
    for await (const block of inBlockOrder(all, from, last, sorting)) if (takes(block.height)) yield block;
    if (sorting.signal?.aborted === true) return;
  }
  for (let height = Math.max(from, last + 1); height <= to; height++) {
    if (!takes(height)) continue;
    yield {
      height,
      changes: () => {
        const changes = store.changes(height);
        if (changes === undefined) throw undone(height);
        return changes;
      },
      isThere: () => height > store.lowestRollback(),
    };
  }
  assertReadable(store, Math.max(from, last + 1));
}

function assertReadable(store: StoreReader, from: number): void {
  const lowest = lowestReadable(store);
  if (from >= lowest) return;
  if (store.lowestHistory() === 0) throw new InternalError('blocks below the first were asked for');
  throw new StoreError('STORE_HISTORY_PRUNED', 'what the block changed is no longer kept', {
    facts: { height: from, lowest },
    hint: 'Begin at a newer height. A database that is indexed with more --history reaches further back.',
  });
}

function undone(height: number): StoreError {
  return new StoreError('STORE_REORG_UNDER_WAY', 'the block, or what undoes it, went while it was read', {
    facts: { height },
    hint: 'Try again.',
  });
}
