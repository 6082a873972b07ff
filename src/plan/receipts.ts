/** Looking through the receipts of a stored block. */
import type { Receipt } from '../lane/types.js';
import { fromDisplayHash, toHex } from '../util/bytes.js';

/** The part of the store that receipts come from. */
export interface ReceiptSource {
  receipts(height: number, from?: number): Iterable<Receipt>;
}

/** Entries of receipts that are looked at before others in this thread get their turn. */
const PORTION = 5_000;

/** Keys and messages that a receipt lists. */
export function entriesOf({ reads, writes, messages }: Receipt): number {
  return reads.length + writes.length + messages.length;
}

/** The receipts of block `height` in block order, a portion of them between two turns of others in this thread. */
export async function* receiptPortions(
  store: ReceiptSource,
  height: number,
): AsyncGenerator<readonly Receipt[], void, void> {
  for (let from = 0; ; ) {
    const portion: Receipt[] = [];
    let entries = 0;
    for (const receipt of store.receipts(height, from)) {
      portion.push(receipt);
      entries += entriesOf(receipt);
      if (entries > PORTION) break;
    }
    if (portion.length === 0) return;
    yield portion;
    await new Promise(setImmediate);
    from = portion[portion.length - 1].index + 1;
  }
}

/** Whether it lists all of its keys. */
export function listsAll({ reads, readTotal, writes, writeTotal }: Receipt): boolean {
  return reads.length === readTotal && writes.length === writeTotal;
}

const SHEET = toHex(new TextEncoder().encode('sheet/'));
const TXID_END = SHEET.length + 64;

/** Txids (hex, wire order) of the outputs whose sheets the transaction read, those that it spends among them. */
export function sheetTxids({ reads }: Receipt): string[] {
  return reads.filter((key) => key.startsWith(SHEET)).map((key) => key.slice(SHEET.length, TXID_END));
}

/** The txid in the form of {@link sheetTxids}. */
export function wireTxid({ txid }: Receipt): string {
  return toHex(fromDisplayHash(txid));
}
