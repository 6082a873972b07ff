import { toBinaryString } from '../util/bytes.js';
import type { Database, DatabaseBatch } from './database.js';
import { historyKey, latestKey } from './keys.js';
import { corrupt } from './records.js';
import { rowValue } from './rows.js';
import type { TouchedKey } from './touched.js';
import type { Namespace } from './types.js';

/** Keys whose rows are in memory at a time. */
const PORTION = 4_096;

/** What keys are set back to, by binary string; undefined = absent. */
export type Restored = ReadonlyMap<string, Uint8Array | undefined>;

export interface UndoneVersions {
  /** Gets the keys of the block and what they are set back to, in portions. */
  readonly restore: (ns: Namespace, restored: Restored) => void;
  /** Bytes of a batch from which on no more is put into it. */
  readonly mostBytes: number;
}

/**
 * akes the writes of block `height`, the tip, out of `latest` and puts the rows back that it moved to `history`.
 * `undo`: the keys of its undo record. Returns false if that is too much for the batch, which must not be written
 * then: `restore` heard of all keys all the same. Throws StoreError STORE_CORRUPT if the record names a row that is
 * not there.
 */
export function undoVersions(
  database: Database,
  batch: DatabaseBatch,
  undo: Iterable<TouchedKey>,
  height: number,
  { restore, mostBytes }: UndoneVersions,
): boolean {
  const end = (portion: readonly TouchedKey[]): void => {
    if (portion.length === 0) return;
    const into = batch.bytes < mostBytes ? batch : undefined;
    restore(portion[0].ns, undoPortion(database, into, portion, height));
  };
  let portion: TouchedKey[] = [];
  for (const touched of undo) {
    if (portion.length === PORTION || (portion.length > 0 && portion[0].ns !== touched.ns)) {
      end(portion);
      portion = [];
    }
    portion.push(touched);
  }
  end(portion);
  return batch.bytes < mostBytes;
}

function undoPortion(
  database: Database,
  batch: DatabaseBatch | undefined,
  portion: readonly TouchedKey[],
  height: number,
): Restored {
  const restored = new Map<string, Uint8Array | undefined>();
  const superseded = portion.filter(({ present }) => present);
  const keys = superseded.map(({ ns, key }) => historyKey(ns, key, height));
  const rows = database.getMany('history', keys);
  superseded.forEach(({ ns, key }, i) => {
    const row = rows[i];
    if (row === undefined) throw corrupt('row of a value that the undo record names', height);
    batch?.put('latest', latestKey(ns, key), row);
    batch?.del('history', keys[i]);
    restored.set(toBinaryString(key), rowValue(row));
  });
  for (const { ns, key, present } of portion) {
    if (present) continue;
    batch?.del('latest', latestKey(ns, key));
    restored.set(toBinaryString(key), undefined);
  }
  return restored;
}
