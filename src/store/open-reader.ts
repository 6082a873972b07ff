import type { StoreReader } from './reader.js';
import { Store } from './store.js';

/** A {@link StoreReader} that is to be closed. */
export type OpenReader = StoreReader & {
  /** Closes the database; the reader must not be used afterwards. */
  close(): Promise<void>;
};

/**
 * Opens the database in `dir` to be read. It is locked all the same: while `warpshrew index` runs, ask that over
 * JSON-RPC.
 *
 * @throws StoreError: STORE_MISSING, STORE_FOREIGN, STORE_LOCKED, STORE_EMPTY, STORE_SCHEMA_MISMATCH,
 *   STORE_RULES_MISMATCH.
 */
export function openReader(dir: string): Promise<OpenReader> {
  return Store.openRecorded(dir, { readOnly: true });
}
