/**
 * Receipts as they are stored: many in one row, since a row costs more than what most receipts hold. A page is
 * receipts of one block in block order, each behind its length (u32 LE); its row names the first one.
 */
import { indexOf } from '../lane/receipt-list.js';
import type { EncodedReceipts } from '../lane/types.js';
import { readU32, writeU32 } from '../util/bytes.js';
import { copyBytes } from '../util/copy-bytes.js';
import type { Database, Row } from './database.js';
import { afterPrefix, receiptKey, receiptPrefix } from './keys.js';
import { encodedReceipts, type ReceiptsOfBlock } from './receipt-rows.js';
import { corrupt } from './records.js';

/** Bytes of a page, but for a receipt that alone takes more. */
const PAGE_BYTES = 16_384;
const LENGTH = 4;

export interface ReceiptPage {
  /** Position in the block of its first receipt's transaction. */
  readonly first: number;
  /** Good until the next page is asked for. */
  readonly bytes: Uint8Array;
}

/** Numbers of receipts that make a page: `to` is behind the last one. */
interface PageRange {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** Which receipts make a page: pages of receipts from any page's first one on are the same. */
export function* pageRanges(receipts: EncodedReceipts, pageBytes = PAGE_BYTES): Generator<PageRange, void, void> {
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < receipts.count; at++) {
    const length = LENGTH + receipts.end(at) - receipts.start(at);
    if (at > from && bytes + length > pageBytes) {
      yield { from, to: at, bytes };
      from = at;
      bytes = 0;
    }
    bytes += length;
  }
  if (from < receipts.count) yield { from, to: receipts.count, bytes };
}

/** The pages of a block. Throws as {@link encodedReceipts} does. */
export function* receiptPages(block: ReceiptsOfBlock, pageBytes = PAGE_BYTES): Generator<ReceiptPage, void, void> {
  let page = new Uint8Array(pageBytes);
  const receipts = encodedReceipts(block);
  for (const { from, to, bytes } of pageRanges(receipts, pageBytes)) {
    if (bytes > page.length) page = new Uint8Array(bytes);
    let used = 0;
    for (let at = from; at < to; at++) {
      const start = receipts.start(at);
      const end = receipts.end(at);
      writeU32(page, used, end - start);
      copyBytes(receipts.data, start, end, page, used + LENGTH);
      used += LENGTH + end - start;
    }
    yield { first: indexOf(receipts.data, receipts.start(from)), bytes: page.subarray(0, used) };
  }
}

/** Where each receipt of a page of block `height` begins and ends. Throws StoreError STORE_CORRUPT if it is cut off. */
export function eachReceipt(page: Uint8Array, height: number, visit: (start: number, end: number) => void): void {
  for (let at = 0; at < page.length; ) {
    const start = at + LENGTH;
    const end = start > page.length ? start : start + readU32(page, at);
    if (end > page.length) throw corrupt('page of receipts', height);
    visit(start, end);
    at = end;
  }
}

/** The receipts of a page of block `height`, as views. Throws StoreError STORE_CORRUPT if it is cut off. */
export function receiptsOf(page: Uint8Array, height: number): Uint8Array[] {
  const receipts: Uint8Array[] = [];
  eachReceipt(page, height, (start, end) => {
    receipts.push(page.subarray(start, end));
  });
  return receipts;
}

/** The row of the page that holds the receipt of block `height` at position `index`, if there is one. */
export function pageWith(database: Database, height: number, index: number): Row | undefined {
  const range = { gte: receiptPrefix(height), lt: afterPrefix(receiptKey(height, index)), reverse: true };
  return database.first('blocks', range);
}
