/** The rows of one block. */
import { fromDisplayHash } from '../util/bytes.js';
import { commitVersions, type SortedWrites } from './commit-versions.js';
import type { Database, DatabaseBatch } from './database.js';
import { afterPrefix, beU32, blockKey, META_TIP, planKey, receiptKey, receiptPrefix, txKey } from './keys.js';
import type { PieceWriter } from './pieces.js';
import { decodeReceipt, encodeBlockRecord, encodeJson } from './records.js';
import { encodeTouched } from './touched.js';
import type { BlockCommit, Namespace, StateRoots } from './types.js';

/** What may be written before the block counts. */
export function putRows(
  database: Database,
  pieces: PieceWriter,
  { height, receipts }: BlockCommit,
  writes: Readonly<Record<Namespace, SortedWrites>>,
): void {
  pieces.put('undo', beU32(height), encodeTouched(writes));
  commitVersions(database, pieces, 'S', writes.S, height);
  commitVersions(database, pieces, 'P', writes.P, height);
  for (const receipt of receipts) pieces.put('blocks', receiptKey(height, receipt.index), encodeJson(receipt));
}

/** What makes it count. */
export function putBlock(batch: DatabaseBatch, block: BlockCommit, roots: StateRoots): void {
  const { height } = block;
  for (const { txid, index } of block.receipts) {
    batch.put('blocks', txKey(fromDisplayHash(txid), height, index), new Uint8Array(0));
  }
  batch.put('blocks', blockKey(height), encodeBlockRecord(block, roots));
  batch.put('blocks', planKey(height), encodeJson(block.plan));
  batch.put('meta', META_TIP, beU32(height));
}

/** Takes its record, its plan and what finds its receipts by their txids out; with `whole` the receipts too. */
export function delBlock(database: Database, batch: DatabaseBatch, height: number, whole: boolean): void {
  const gte = receiptPrefix(height);
  for (const [key, value] of database.scan('blocks', { gte, lt: afterPrefix(gte) })) {
    const { txid, index } = decodeReceipt(value);
    if (whole) batch.del('blocks', key);
    batch.del('blocks', txKey(fromDisplayHash(txid), height, index));
  }
  batch.del('blocks', blockKey(height));
  batch.del('blocks', planKey(height));
}
