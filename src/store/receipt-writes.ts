/**
 * Writes what is stored of a block's receipts, and takes it back: their pages, and what finds them by contract and by
 * txid. All of it follows from the pages, and whoever reads it goes by the tip: it may be there before its block is.
 *
 * Where it is written in batches of its own, {@link announceReceipts} comes first: until the block's own batch takes
 * that back, whoever opens the database deletes it ({@link takeBackReceipts}).
 */
import { indexOf, txidAt } from '../lane/receipt-list.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { reusingAllocator } from '../util/row-bytes.js';
import { contractRows } from './contract-rows.js';
import type { Database, DatabaseBatch } from './database.js';
import { afterPrefix, beU32, META_RECEIPTS, readBeU32, receiptKey, receiptPrefix, txKeyAt } from './keys.js';
import { PIECE_BYTES, Portions, type WriteBatch } from './portions.js';
import { receiptPages, receiptsOf } from './receipt-pages.js';
import { encodedReceipts, inOrderOfTxids, type ReceiptsOfBlock } from './receipt-rows.js';

/** A batch copies its arguments. */
const keyRoom = reusingAllocator();

/** Puts all rows of a block's receipts. Throws InternalError if one is of another block. */
export function putReceipts(rows: Pick<DatabaseBatch, 'put'>, block: ReceiptsOfBlock): void {
  const { height } = block;
  const receipts = encodedReceipts(block);
  for (const { first, bytes } of receiptPages({ height, receipts })) {
    rows.put('blocks', receiptKey(height, first), bytes);
    // Behind their page: while it is there, what was written of them is found.
    for (const [key, value] of contractRows(bytes, height, first)) rows.put('blocks', key, value);
  }
  const { data } = receipts;
  for (const at of inOrderOfTxids(receipts)) {
    const start = receipts.start(at);
    rows.put('blocks', txKeyAt(data, txidAt(start), height, indexOf(data, start), keyRoom), EMPTY_BYTES);
  }
}

/** Deletes the rows of the receipts of block `height`, each page behind what is found by it. Throws STORE_CORRUPT. */
export function delReceipts(database: Database, rows: Pick<DatabaseBatch, 'del'>, height: number): void {
  const gte = receiptPrefix(height);
  for (const [key, page] of database.scan('blocks', { gte, lt: afterPrefix(gte) })) {
    for (const [row] of contractRows(page, height, readBeU32(key, 5))) rows.del('blocks', row);
    for (const receipt of receiptsOf(page, height)) {
      rows.del('blocks', txKeyAt(receipt, txidAt(0), height, indexOf(receipt), keyRoom));
    }
    rows.del('blocks', new Uint8Array(key));
  }
}

/** Says that rows of the receipts of block `height`, which does not count yet, may be there. */
export function announceReceipts(batch: Pick<DatabaseBatch, 'put'>, height: number): void {
  batch.put('meta', META_RECEIPTS, beU32(height));
}

/** Goes into the batch that makes the announced block count. */
export function endReceipts(batch: Pick<DatabaseBatch, 'del'>): void {
  batch.del('meta', META_RECEIPTS);
}

/**
 * Deletes the receipts of a block that was announced and does not count, if there is one. It may end at any write: the
 * next call goes on. Throws StoreError STORE_CORRUPT if a page cannot be read.
 */
export function takeBackReceipts(database: Database, write: WriteBatch, pieceBytes = PIECE_BYTES): void {
  const announced = database.get('meta', META_RECEIPTS);
  if (announced === undefined) return;
  const rows = new Portions(database, pieceBytes, write);
  try {
    delReceipts(database, rows, readBeU32(announced, 0));
    endReceipts(rows);
  } catch (error) {
    rows.batch.discard();
    throw error;
  }
  write(rows.batch);
}
