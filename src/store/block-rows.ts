/** The rows of one block. */
import { indexOf, txidAt } from '../lane/receipt-list.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { reusingAllocator } from '../util/row-bytes.js';
import { commitVersions, type SortedWrites } from './commit-versions.js';
import type { Database, DatabaseBatch } from './database.js';
import { afterPrefix, beU32, blockKey, META_TIP, planKey, receiptKey, receiptPrefix, txKeyAt } from './keys.js';
import type { PieceWriter } from './pieces.js';
import { receiptPages, receiptsOf } from './receipt-pages.js';
import { encodedReceipts } from './receipt-rows.js';
import { encodeBlockRecord, encodePlan } from './records.js';
import { encodeTouched } from './touched.js';
import type { BlockCommit, Namespace, StateRoots } from './types.js';

/** What may be written before the block counts. */
export function putRows(
  database: Database,
  pieces: PieceWriter,
  block: BlockCommit,
  writes: Readonly<Record<Namespace, SortedWrites>>,
): void {
  const { height } = block;
  pieces.put('undo', beU32(height), encodeTouched(writes));
  commitVersions(database, pieces, 'S', writes.S, height);
  commitVersions(database, pieces, 'P', writes.P, height);
  for (const { first, bytes } of receiptPages(block)) pieces.put('blocks', receiptKey(height, first), bytes);
}

/** What makes it count. */
export function putBlock(batch: DatabaseBatch, block: BlockCommit, roots: StateRoots): void {
  const { height } = block;
  const keyRoom = reusingAllocator();
  const receipts = encodedReceipts(block);
  const { data } = receipts;
  for (let at = 0; at < receipts.count; at++) {
    const start = receipts.start(at);
    batch.put('blocks', txKeyAt(data, txidAt(start), height, indexOf(data, start), keyRoom), EMPTY_BYTES);
  }
  batch.put('blocks', blockKey(height), encodeBlockRecord(block, roots));
  batch.put('blocks', planKey(height), encodePlan(block.plan));
  batch.put('meta', META_TIP, beU32(height));
}

/** Takes its record, its plan and what finds its receipts by their txids out; with `whole` the receipts too. */
export function delBlock(database: Database, batch: DatabaseBatch, height: number, whole: boolean): void {
  const gte = receiptPrefix(height);
  for (const [key, value] of database.scan('blocks', { gte, lt: afterPrefix(gte) })) {
    if (whole) batch.del('blocks', key);
    for (const receipt of receiptsOf(value, height)) {
      batch.del('blocks', txKeyAt(receipt, txidAt(0), height, indexOf(receipt)));
    }
  }
  batch.del('blocks', blockKey(height));
  batch.del('blocks', planKey(height));
}
