/** The rows of one block. */
import type { AddressChanges } from './address-block.js';
import { putAddressRows } from './address-writes.js';
import { commitVersions } from './commit-versions.js';
import type { Database, DatabaseBatch } from './database.js';
import { beU32, blockKey, META_TIP, planKey } from './keys.js';
import type { PieceWriter } from './pieces.js';
import { corrupt, encodeBlockRecord, encodePlan, withRoots } from './records.js';
import type { RowsBeside } from './rows-beside.js';
import type { SortedWrites } from './sorted-writes.js';
import type { BlockCommit, Namespace, StateRoots } from './types.js';
import { announceUndo, putUndo, UNDO_PARTS } from './undo-rows.js';

const NAMESPACES = ['S', 'P'] as const satisfies readonly Namespace[];

interface RowsToPut {
  readonly writes: Readonly<Record<Namespace, SortedWrites>>;
  /** Those of the index by address, if there is one. */
  readonly addresses: AddressChanges | undefined;
}

interface PutOptions {
  /** Without undo data, unless a piece must be written. */
  readonly final: boolean;
  /** Writes what is put of the keys, if there are enough for it. */
  readonly beside: RowsBeside | undefined;
}

/** What may be written before the block counts, but for its receipts. Returns bytes that other threads wrote. */
export function putRows(
  database: Database,
  pieces: PieceWriter,
  block: BlockCommit,
  { writes, addresses }: RowsToPut,
  { final, beside }: PutOptions,
): number {
  const bytes = beside?.put(block.height, writes);
  if (bytes === undefined) putKeys(database, pieces, block.height, writes, final);
  if (addresses !== undefined) {
    putAddressRows(pieces, addresses, (put) => (final ? pieces.announce(put) : put(pieces)));
  }
  return bytes ?? 0;
}

function putKeys(
  database: Database,
  pieces: PieceWriter,
  height: number,
  writes: RowsToPut['writes'],
  final: boolean,
): void {
  // Before the rows that it names: of what is written in pieces, all that is there can be taken back.
  const put = final ? announceUndo : putUndo;
  for (const { from, end } of put(pieces, height, writes, pieces.pieceBytes / UNDO_PARTS)) {
    for (const ns of NAMESPACES) commitVersions(database, pieces, ns, writes[ns], height, from[ns], end[ns]);
  }
}

/** What makes it count. `roots`: undefined where none were computed. */
export function putBlock(batch: DatabaseBatch, block: BlockCommit, roots: StateRoots | undefined): void {
  const { height } = block;
  batch.put('blocks', blockKey(height), encodeBlockRecord(block, roots));
  batch.put('blocks', planKey(height), encodePlan(block.plan));
  batch.put('meta', META_TIP, beU32(height));
}

/** Records the roots of a block that has none. */
export function putRoots(database: Database, batch: DatabaseBatch, height: number, roots: StateRoots): void {
  const record = database.get('blocks', blockKey(height));
  if (record === undefined) throw corrupt('block record', height);
  batch.put('blocks', blockKey(height), withRoots(record, roots));
}

/** Takes its record and its plan out. */
export function delBlock(batch: DatabaseBatch, height: number): void {
  batch.del('blocks', blockKey(height));
  batch.del('blocks', planKey(height));
}
