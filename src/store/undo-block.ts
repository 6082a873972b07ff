import { addressUndoBytes, undoAddresses } from './address-writes.js';
import { assertUndone } from './block-order.js';
import { delBlock, putRoots } from './block-rows.js';
import type { Database, DatabaseBatch } from './database.js';
import { beU32, META_TIP } from './keys.js';
import { putUnfinished } from './pieces.js';
import type { StoreReader } from './reader.js';
import { delReceipts } from './receipt-writes.js';
import { corrupt } from './records.js';
import { delStamp, type Stamp } from './stamp.js';
import type { Trees } from './trees.js';
import type { Namespace } from './types.js';
import { delUndo, touchedIn, undoRows } from './undo-rows.js';
import { type Restored, undoVersions } from './undo-versions.js';

/** What undoes a block when it is written. */
export interface UndoneBlock {
  readonly batch: DatabaseBatch;
  /** The records of the store about itself, if that was its only block. */
  readonly stamp: Stamp | undefined;
  /** Whether the batch has all of it; otherwise rows of the block are left, as pieces of one that does not count. */
  readonly fits: boolean;
}

/**
 * Undoes block `height`, the tip, in the trees, and makes the batch that does so in the database. After an error the
 * trees are loaded again. Throws StoreError STORE_CORRUPT.
 */
export function undoneBlock(
  store: StoreReader,
  rocks: Database,
  trees: Trees,
  height: number,
  mostBytes: number,
): UndoneBlock {
  const undo = undoRows(rocks, height);
  const record = store.blockRecord(height);
  if (undo === undefined || record === undefined) throw corrupt('undo record', height);
  let batch = rocks.batch();
  let stamp: Stamp | undefined;
  try {
    const restore = (ns: Namespace, restored: Restored): void => trees.undo(ns, restored);
    let fits = undoVersions(rocks, batch, touchedIn(height, undo), height, { restore, mostBytes });
    fits &&= addressUndoBytes(rocks, height) < mostBytes;
    const before = store.blockRecord(height - 1);
    const roots = trees.endUndo();
    assertUndone(height, before, roots);
    if (fits) {
      trees.storeUndone(batch, height, before === undefined);
      undoAddresses(rocks, batch, height);
      delReceipts(rocks, batch, height);
      delUndo(rocks, batch, height);
    } else {
      batch.discard();
      batch = rocks.batch();
      trees.storeUndoneBefore(batch, height, before === undefined);
      // From here on its rows are the pieces of a block that does not count.
      putUnfinished(batch, height);
    }
    delBlock(batch, height);
    if (before !== undefined && before.roots === undefined) putRoots(rocks, batch, before.height, roots);
    if (before === undefined) {
      batch.del('meta', META_TIP);
      stamp = delStamp(batch, store);
    } else batch.put('meta', META_TIP, beU32(height - 1));
    return { batch, stamp, fits };
  } catch (error) {
    trees.invalidate();
    batch.discard();
    throw error;
  }
}
