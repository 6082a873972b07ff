import { InternalError } from '../errors/errors.js';
import { heightOf, ReceiptList, txidAt } from '../lane/receipt-list.js';
import type { EncodedReceipts, Receipt } from '../lane/types.js';
import { readBeU32 } from './keys.js';
import type { BlockCommit } from './types.js';

/** The part of a commit that says what its transactions did. */
export type ReceiptsOfBlock = Pick<BlockCommit, 'height' | 'receipts'>;

export function receiptCount({ receipts }: Pick<ReceiptsOfBlock, 'receipts'>): number {
  return 'data' in receipts ? receipts.count : receipts.length;
}

/** The receipts of a block as they are stored. Throws InternalError if one is of another block. */
export function encodedReceipts(block: ReceiptsOfBlock): EncodedReceipts {
  const { height, receipts } = block;
  const encoded = 'data' in receipts ? receipts : listOf(receipts);
  for (let at = 0; at < encoded.count; at++) {
    if (heightOf(encoded.data, encoded.start(at)) !== height) {
      throw new InternalError('a receipt does not belong to its block', { facts: { height, at } });
    }
  }
  return encoded;
}

function listOf(receipts: readonly Receipt[]): EncodedReceipts {
  const list = new ReceiptList();
  for (const receipt of receipts) list.add(receipt);
  return list;
}

/**
 * Numbers of the receipts in the order of their txids, as far as the first four bytes tell: the database takes rows
 * that come in order in less time.
 */
export function inOrderOfTxids(receipts: EncodedReceipts): Uint32Array {
  const { count, data } = receipts;
  // Prefix and number fit into 53 bits: no block has two million transactions.
  const places = new Float64Array(count);
  for (let at = 0; at < count; at++) places[at] = readBeU32(data, txidAt(receipts.start(at))) * count + at;
  places.sort();
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = places[i] % count;
  return numbers;
}
