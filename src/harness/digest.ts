import { createHash } from 'node:crypto';
import { IN_TURN } from '../lane/receipt.js';
import { setExecution } from '../lane/receipt-bytes.js';
import { ReceiptList } from '../lane/receipt-list.js';
import type { EncodedReceipts, LaneBlockResult, Receipt } from '../lane/types.js';

/** The stored bytes of a block's receipts without what says only how they were run. Good until the next block. */
export function comparableBytes(receipts: EncodedReceipts): Uint8Array {
  for (let at = 0; at < receipts.count; at++) setExecution(receipts.data, receipts.start(at), IN_TURN);
  return receipts.data.subarray(0, receipts.count === 0 ? 0 : receipts.end(receipts.count - 1));
}

/** SHA-256 of them, hex. */
export function receiptsDigest(receipts: EncodedReceipts): string {
  return createHash('sha256').update(comparableBytes(receipts)).digest('hex');
}

/** Receipts in the bytes in which they are stored. */
export function encoded(receipts: readonly Receipt[]): EncodedReceipts {
  const list = new ReceiptList();
  for (const receipt of receipts) list.add(receipt);
  return list;
}

/** Those of a block that an engine ran. */
export function encodedOf(result: LaneBlockResult): EncodedReceipts {
  // Asked for, receipts are decoded.
  return result.encodedReceipts ?? encoded(result.receipts);
}
