/** The record that says from which height on a store can still tell the state. */
import type { Database, DatabaseBatch } from './database.js';
import { META_HISTORY, readBeU32, writeBeU32 } from './keys.js';

const BYTES = 5;

/** Rows of `history` that ended at `height` or below are dropped: it is the lowest height whose state is whole. */
export interface Floor {
  readonly height: number;
  /** Whether none of those rows is left. */
  readonly swept: boolean;
}

/** The record; undefined where every row is kept. */
export function floorOf(database: Database): Floor | undefined {
  const bytes = database.get('meta', META_HISTORY);
  return bytes && decodeFloor(bytes);
}

/** Height u32 BE, 1 if all is swept or 0. Undefined unless it is such a record. */
export function decodeFloor(bytes: Uint8Array): Floor | undefined {
  if (bytes.length !== BYTES || bytes[4] > 1) return undefined;
  return { height: readBeU32(bytes, 0), swept: bytes[4] === 1 };
}

export function putFloor(batch: DatabaseBatch, { height, swept }: Floor): void {
  const bytes = new Uint8Array(BYTES);
  writeBeU32(bytes, 0, height);
  bytes[4] = swept ? 1 : 0;
  batch.put('meta', META_HISTORY, bytes);
}
