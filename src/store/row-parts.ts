/**
 * The rows of a block's keys in parts, which several threads take from one list: whoever is free takes the next. Each
 * part is a batch of its own, and all of them are written before the block counts (rows-beside.ts).
 */
import { commitVersions } from './commit-versions.js';
import type { CopiedRoom, WritesToCommit } from './copied-writes.js';
import type { Database } from './database.js';
import type { WriteBatch } from './portions.js';
import type { Namespace } from './types.js';

/** Numbers of a part: its namespace, in {@link NAMESPACES}, its first key, the key after its last. */
export const PART_NUMBERS = 3;
export const NAMESPACES = ['S', 'P'] as const satisfies readonly Namespace[];

/** Memory that all threads see. */
export interface RowsJob {
  readonly height: number;
  readonly rooms: Readonly<Record<Namespace, CopiedRoom>>;
  /** Keys that were copied, by namespace. */
  readonly counts: Readonly<Record<Namespace, number>>;
  readonly parts: Int32Array;
  /** One word: the number of the next part. */
  readonly next: Int32Array;
}

/**
 * Writes parts until none is left; returns the bytes that it wrote. Throws StoreError STORE_CORRUPT, and what `write`
 * throws.
 */
export function writeParts(
  database: Database,
  { height, parts, next }: RowsJob,
  writes: Readonly<Record<Namespace, WritesToCommit>>,
  write: WriteBatch,
): number {
  let bytes = 0;
  for (;;) {
    const at = PART_NUMBERS * Atomics.add(next, 0, 1);
    if (at >= parts.length) return bytes;
    const ns = NAMESPACES[parts[at]];
    const batch = database.batch();
    try {
      commitVersions(database, batch, ns, writes[ns], height, parts[at + 1], parts[at + 2]);
    } catch (error) {
      batch.discard();
      throw error;
    }
    bytes += batch.bytes;
    write(batch);
  }
}

/** Nobody takes another part. */
export function endParts({ next, parts }: RowsJob): void {
  Atomics.store(next, 0, parts.length);
}
