/** A database as it was after an earlier block, made from the rows that tell of that state. */
import { StoreError } from '../errors/errors.js';
import { toHex } from '../util/bytes.js';
import type { DatabaseBatch, Row } from './database.js';
import { EarlierAddresses } from './earlier-addresses.js';
import {
  beU32,
  latestKey,
  META_FINAL,
  META_GENESIS,
  META_HISTORY,
  META_IDENTITY,
  META_LABEL,
  META_TIP,
  namespaceCode,
  parseHistoryKey,
  readBeU32,
} from './keys.js';
import type { StoreReader } from './reader.js';
import { Rocks } from './rocks.js';
import { writtenAt } from './rows.js';
import { type SharedStore, shareFolder } from './shared-files.js';
import { Store } from './store.js';
import type { StoreIdentity } from './types.js';

/** Bytes of a batch, about. */
const BATCH_BYTES = 4 << 20;
/** Where the height stands in a key of `blocks`, by its first byte. */
const HEIGHT_AT: Readonly<Record<string, number>> = { b: 1, p: 1, r: 1, t: 33, c: 33 };

/** What is done with each row of the old database. */
type Put = (batch: DatabaseBatch, row: Row) => void;

/**
 * Makes the folder `work`, which must not exist, what the database is without the blocks above `height`, under
 * `identity`: with the same files, and the blocks undone. False, and nothing is left, if it does not reach back so far
 * or its files cannot be shared. Throws StoreError.
 */
export async function shareEarlier(
  { store, folder }: SharedStore,
  work: string,
  height: number,
  identity: StoreIdentity,
): Promise<boolean> {
  if (folder === undefined || height < store.lowestRollback() || !(await shareFolder(folder, work))) return false;
  const earlier = await Store.openRecorded(work);
  try {
    earlier.rollback(height);
  } finally {
    await earlier.close();
  }
  const rocks = await Rocks.open(work, false);
  try {
    const batch = rocks.batch();
    putIdentity(batch, identity);
    batch.write();
  } finally {
    await rocks.close();
  }
  return true;
}

/**
 * Fills the folder `work` with what `from` was after block `height`, of which it must know state and roots: values and
 * their history, blocks, receipts and undo data up to there, under `identity`. State trees are made anew and must give
 * the recorded root. Throws StoreError STORE_HISTORY_PRUNED, STORE_CORRUPT.
 */
export async function copyEarlier(
  from: StoreReader,
  work: string,
  height: number,
  identity: StoreIdentity,
  progress: (rows: number) => void,
): Promise<void> {
  from.assertKept(height);
  const rocks = await Rocks.open(work, true);
  try {
    let rows = 0;
    const copy = (column: 'latest' | 'history' | 'blocks' | 'addresses' | 'undo' | 'meta', put: Put): void => {
      let batch = rocks.batch();
      let bytes = 0;
      for (const row of from.rowsOf(column)) {
        put(batch, row);
        bytes += row[0].length + row[1].length;
        rows++;
        if (bytes < BATCH_BYTES) continue;
        batch.write();
        progress(rows);
        batch = rocks.batch();
        bytes = 0;
      }
      batch.write();
    };
    copy('latest', (batch, [key, value]) => {
      if (writtenAt(value) <= height) batch.put('latest', key, value);
    });
    copy('history', (batch, [key, value]) => putHistory(batch, key, value, height));
    copy('blocks', (batch, [key, value]) => {
      if (readBeU32(key, heightAt(key)) <= height) batch.put('blocks', key, value);
    });
    const addresses = new EarlierAddresses(from.lists.addresses, height);
    copy('addresses', (batch, row) => addresses.put(batch, row));
    copy('undo', (batch, [key, value]) => {
      if (readBeU32(key, 0) <= height) batch.put('undo', key, value);
    });
    // The identity comes last: a folder without it is no store.
    const batch = rocks.batch();
    putMeta(batch, from, height);
    putIdentity(batch, identity);
    batch.write();
  } finally {
    await rocks.close();
  }
  const store = await Store.openRecorded(work);
  try {
    store.remakeTrees();
  } finally {
    await store.close();
  }
}

/** A value that ended later was the current one. */
function putHistory(batch: DatabaseBatch, row: Uint8Array, value: Uint8Array, height: number): void {
  const { key, end } = parseHistoryKey(row);
  if (end <= height) batch.put('history', row, value);
  else if (writtenAt(value) <= height) {
    batch.put('latest', latestKey(row[0] === namespaceCode('S') ? 'S' : 'P', key), value);
  }
}

function putIdentity(batch: DatabaseBatch, identity: StoreIdentity): void {
  batch.put('meta', META_IDENTITY, new TextEncoder().encode(JSON.stringify(identity)));
}

function heightAt(key: Uint8Array): number {
  const at = HEIGHT_AT[String.fromCharCode(key[0])];
  if (at !== undefined) return at;
  throw new StoreError('STORE_CORRUPT', 'a row of the blocks has no known kind', { facts: { key: toHex(key) } });
}

function putMeta(batch: DatabaseBatch, from: StoreReader, height: number): void {
  const kept = [META_GENESIS, META_LABEL, META_HISTORY].map(toHex);
  for (const [key, value] of from.rowsOf('meta')) {
    if (kept.includes(toHex(key))) batch.put('meta', key, value);
    if (toHex(key) === toHex(META_FINAL)) batch.put('meta', key, beU32(Math.min(readBeU32(value, 0), height)));
  }
  batch.put('meta', META_TIP, beU32(height));
}
