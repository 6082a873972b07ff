import { InternalError } from '../errors/errors.js';
import { encodeReceipt } from '../lane/receipt-bytes.js';
import { heightOf } from '../lane/receipt-list.js';
import type { BlockCommit } from './types.js';

/** The part of a commit that says what its transactions did. */
export type ReceiptsOfBlock = Pick<BlockCommit, 'height' | 'receipts'>;

export function receiptCount({ receipts }: Pick<ReceiptsOfBlock, 'receipts'>): number {
  return 'encoded' in receipts ? receipts.count : receipts.length;
}

/** The receipts of a block as they are stored. Throws InternalError if one is of another block. */
export function* encodedReceipts(block: ReceiptsOfBlock): Generator<Uint8Array, void, void> {
  const { height, receipts } = block;
  for (let at = 0; at < receiptCount(block); at++) {
    const receipt = 'encoded' in receipts ? receipts.encoded(at) : encodeReceipt(receipts[at]);
    if (heightOf(receipt) !== height) {
      throw new InternalError('a receipt does not belong to its block', { facts: { height, at } });
    }
    yield receipt;
  }
}
