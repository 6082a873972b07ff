/** The rows of one block. */
import { indexOf, txidAt } from '../lane/receipt-list.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { reusingAllocator } from '../util/row-bytes.js';
import type { AddressChanges } from './address-block.js';
import { putAddressRows } from './address-writes.js';
import { commitVersions } from './commit-versions.js';
import { contractRows } from './contract-rows.js';
import type { Database, DatabaseBatch } from './database.js';
import {
  afterPrefix,
  beU32,
  blockKey,
  META_TIP,
  planKey,
  readBeU32,
  receiptKey,
  receiptPrefix,
  txKeyAt,
} from './keys.js';
import type { PieceWriter } from './pieces.js';
import { receiptPages, receiptsOf } from './receipt-pages.js';
import { encodedReceipts, inOrderOfTxids } from './receipt-rows.js';
import { corrupt, encodeBlockRecord, encodePlan, withRoots } from './records.js';
import type { SortedWrites } from './sorted-writes.js';
import type { BlockCommit, Namespace, StateRoots } from './types.js';
import { announceUndo, putUndo, UNDO_PARTS } from './undo-rows.js';

const NAMESPACES = ['S', 'P'] as const satisfies readonly Namespace[];

interface RowsToPut {
  readonly writes: Readonly<Record<Namespace, SortedWrites>>;
  /** Those of the index by address, if there is one. */
  readonly addresses: AddressChanges | undefined;
}

/** What may be written before the block counts. `final`: without undo data, unless a piece must be written. */
export function putRows(
  database: Database,
  pieces: PieceWriter,
  block: BlockCommit,
  { writes, addresses }: RowsToPut,
  final: boolean,
): void {
  const { height } = block;
  // Before the rows that it names: of what is written in pieces, all that is there can be taken back.
  const put = final ? announceUndo : putUndo;
  for (const { from, end } of put(pieces, height, writes, pieces.pieceBytes / UNDO_PARTS)) {
    for (const ns of NAMESPACES) commitVersions(database, pieces, ns, writes[ns], height, from[ns], end[ns]);
  }
  for (const { first, bytes } of receiptPages(block)) {
    pieces.put('blocks', receiptKey(height, first), bytes);
    // Behind their page: while it is there, what was written of them is found.
    for (const [key, value] of contractRows(bytes, height, first)) pieces.put('blocks', key, value);
  }
  if (addresses !== undefined) {
    putAddressRows(pieces, addresses, (put) => (final ? pieces.announce(put) : put(pieces)));
  }
}

/** What makes it count. `roots`: undefined where none were computed. */
export function putBlock(batch: DatabaseBatch, block: BlockCommit, roots: StateRoots | undefined): void {
  const { height } = block;
  const keyRoom = reusingAllocator();
  const receipts = encodedReceipts(block);
  const { data } = receipts;
  for (const at of inOrderOfTxids(receipts)) {
    const start = receipts.start(at);
    batch.put('blocks', txKeyAt(data, txidAt(start), height, indexOf(data, start), keyRoom), EMPTY_BYTES);
  }
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

/**
 * Takes its record, its plan and what finds its receipts by their txids out; with `whole` the receipts and what finds
 * them by contract, too.
 */
export function delBlock(database: Database, batch: DatabaseBatch, height: number, whole: boolean): void {
  const gte = receiptPrefix(height);
  for (const [key, value] of database.scan('blocks', { gte, lt: afterPrefix(gte) })) {
    if (whole) {
      for (const [row] of contractRows(value, height, readBeU32(key, 5))) batch.del('blocks', row);
      batch.del('blocks', key);
    }
    for (const receipt of receiptsOf(value, height)) {
      batch.del('blocks', txKeyAt(receipt, txidAt(0), height, indexOf(receipt)));
    }
  }
  batch.del('blocks', blockKey(height));
  batch.del('blocks', planKey(height));
}
