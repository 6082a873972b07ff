import { decodeReceipt } from '../lane/receipt-bytes.js';
import type { StoreReader } from '../store/reader.js';
import type { PageMaker } from './page.js';

/** Receipts of a block that are looked at for the one that created a contract: many may name it. */
const MOST_RECEIPTS = 64;

/**
 * The txid (display order) of the transaction of block `height` that created contract `id` (32 bytes): the first one
 * whose receipt lists the key of its code (`codeKey`, hex) among what it wrote, or, where none lists all, the first
 * that ended well in it.
 */
export function creatorOf(
  store: StoreReader,
  id: Uint8Array,
  codeKey: string,
  height: number,
  page: PageMaker<unknown>,
): string | undefined {
  let guess: string | undefined;
  let looked = 0;
  for (const place of store.lists.placesNaming(id, { from: height, to: height, after: undefined, reverse: false })) {
    if (looked++ === MOST_RECEIPTS) return guess;
    const bytes = store.lists.receiptAt(place);
    if (bytes === undefined) continue;
    page.saw(bytes.length);
    const { txid, writes, writeTotal, undone } = decodeReceipt(bytes);
    if (writes.includes(codeKey)) return txid;
    if (undone === undefined && writes.length < writeTotal) guess ??= txid;
  }
  return guess;
}
