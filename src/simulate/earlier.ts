import type { Receipt } from '../lane/types.js';
import { entriesOf, listsAll, type ReceiptSource } from '../plan/receipts.js';

/** Keys and messages of receipts that are looked at. */
const MOST_ENTRIES = 200_000;

/**
 * Positions in the block of the transactions before that of `receipt` which decide what it does: those that wrote last
 * what it read, and what these read, and so on. Undefined if the receipts do not tell: then all of them may.
 */
export function earlierNeeded(chain: ReceiptSource, receipt: Receipt): ReadonlySet<number> | undefined {
  const earlier: Pick<Receipt, 'index' | 'reads' | 'writes'>[] = [];
  if (!listsAll(receipt)) return undefined;
  let entries = 0;
  for (const each of chain.receipts(receipt.height)) {
    if (each.index >= receipt.index) break;
    entries += entriesOf(each);
    if (!listsAll(each) || entries > MOST_ENTRIES) return undefined;
    const { index, reads, writes } = each;
    earlier.push({ index, reads, writes });
  }
  const wanted = new Set([...receipt.reads, ...receipt.writes]);
  const needed = new Set<number>();
  for (const { index, reads, writes } of earlier.reverse()) {
    if (!writes.some((key) => wanted.has(key))) continue;
    needed.add(index);
    for (const key of writes) wanted.delete(key);
    for (const key of reads) wanted.add(key);
  }
  return needed;
}
