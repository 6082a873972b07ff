import { toBinaryString } from '../util/bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { historyKey, latestKey } from './keys.js';
import { corrupt } from './records.js';
import { rowValue } from './rows.js';
import { decodeTouched, type TouchedKey } from './touched.js';
import type { Namespace } from './types.js';

/** Keys whose rows are in memory at a time. */
const PORTION = 4_096;

/** What the keys of a block are set back to, by binary string; undefined = absent. */
export type Restored = Readonly<Record<Namespace, ReadonlyMap<string, Uint8Array | undefined>>>;

/**
 * Takes the writes of block `height`, the tip, out of `latest` and puts the rows back that it moved to `history`.
 * `undo`: its undo record. Throws StoreError STORE_CORRUPT if that cannot be read, or names a row that is not there.
 */
export function undoVersions(database: Database, batch: DatabaseBatch, undo: Uint8Array, height: number): Restored {
  const restored = { S: new Map<string, Uint8Array | undefined>(), P: new Map<string, Uint8Array | undefined>() };
  const flush = (superseded: readonly TouchedKey[]): void => {
    const keys = superseded.map(({ ns, key }) => historyKey(ns, key, height));
    const rows = database.getMany('history', keys);
    superseded.forEach(({ ns, key }, i) => {
      const row = rows[i];
      if (row === undefined) throw corrupt('row of a value that the undo record names', height);
      batch.put('latest', latestKey(ns, key), row);
      batch.del('history', keys[i]);
      restored[ns].set(toBinaryString(key), rowValue(row));
    });
  };
  let waiting: TouchedKey[] = [];
  for (const touched of decodeTouched(height, undo)) {
    const { ns, key, present } = touched;
    if (present) {
      waiting.push(touched);
      if (waiting.length < PORTION) continue;
      flush(waiting);
      waiting = [];
    } else {
      batch.del('latest', latestKey(ns, key));
      restored[ns].set(toBinaryString(key), undefined);
    }
  }
  flush(waiting);
  return restored;
}
