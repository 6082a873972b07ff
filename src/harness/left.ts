/** What a block left, whoever ran it, in forms that can be compared. */
import { IN_TURN } from '../lane/receipt.js';
import { setExecution } from '../lane/receipt-bytes.js';
import { ReceiptList } from '../lane/receipt-list.js';
import type { EncodedReceipts, LaneBlockResult, Receipt } from '../lane/types.js';
import { bytesEqual } from '../util/bytes.js';

/** The stored bytes of a block's receipts without what says only how they were run. Good until the next block. */
export function comparableBytes(receipts: EncodedReceipts): Uint8Array {
  for (let at = 0; at < receipts.count; at++) setExecution(receipts.data, receipts.start(at), IN_TURN);
  return receipts.data.subarray(0, receipts.count === 0 ? 0 : receipts.end(receipts.count - 1));
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

/** What the writes of one run are that those of another are not; undefined if they are the same. */
export function differenceOf(a: LaneBlockResult['writes'], b: LaneBlockResult['writes']): string | undefined {
  if (a.size !== b.size) return 'other keys';
  for (const [key, value] of a) {
    const other = b.get(key);
    const isSame = value === undefined || other === undefined ? value === other : bytesEqual(value, other);
    if (!isSame || !b.has(key)) return 'another value';
  }
  return undefined;
}
