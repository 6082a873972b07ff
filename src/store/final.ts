/**
 * Final blocks: those that are stored without undo data, as the initial sync does far below the tip of its source. They
 * can never be undone.
 */
import type { Database, DatabaseBatch } from './database.js';
import { beU32, META_FINAL, readBeU32 } from './keys.js';

/** Height of the newest final block; undefined if there is none. It and what lies below it stay for good. */
export function finalHeight(database: Database): number | undefined {
  const bytes = database.get('meta', META_FINAL);
  return bytes && readBeU32(bytes, 0);
}

export function putFinal(batch: DatabaseBatch, height: number): void {
  batch.put('meta', META_FINAL, beU32(height));
}
