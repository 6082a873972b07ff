import { InputError } from '../errors/errors.js';
import { coinbaseHeight } from './coinbase-height.js';
import { sha256d } from './hash.js';
import { Cursor, layoutTransaction, malformed } from './layout.js';
import { MAX_BLOCK_LENGTH, MIN_TRANSACTION } from './limits.js';
import { readTransaction } from './parse-transaction.js';
import type { Block, Transaction } from './types.js';

const HEADER_LENGTH = 80;

/**
 * Reads a block as serialised with witnesses: header, count, transactions, nothing else. Nothing is checked beyond the
 * format, see `verifyBlock`. Slices of the result share one copy of `raw` in shared memory, which goes to other threads
 * as a reference. Throws `InputError` BLOCK_TOO_LARGE, BLOCK_TRUNCATED, BLOCK_MALFORMED or BLOCK_TRAILING_BYTES.
 */
export function parseBlock(raw: Uint8Array): Block {
  if (raw.length > MAX_BLOCK_LENGTH) {
    throw new InputError('BLOCK_TOO_LARGE', 'the block is longer than any valid one', {
      facts: { length: raw.length, limit: MAX_BLOCK_LENGTH },
      hint: 'Give one block per file: header, transaction count, transactions.',
    });
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(raw.length));
  bytes.set(raw);
  const cursor = new Cursor(bytes, 0, 'BLOCK');
  cursor.skip(HEADER_LENGTH);
  const header = bytes.subarray(0, HEADER_LENGTH);
  const count = cursor.count(MIN_TRANSACTION);
  if (count === 0) throw malformed('BLOCK', 'it has no transactions', HEADER_LENGTH);
  const transactions: Transaction[] = [];
  let coinbaseScript: Uint8Array | undefined;
  for (let i = 0; i < count; i++) {
    const layout = layoutTransaction(bytes, cursor.at, 'BLOCK');
    const { transaction, firstScript } = readTransaction(bytes, cursor.at, layout, 'BLOCK');
    transactions.push(transaction);
    coinbaseScript ??= firstScript;
    cursor.at = layout.end;
  }
  if (cursor.at !== bytes.length) {
    throw new InputError('BLOCK_TRAILING_BYTES', 'bytes follow the last transaction of the block', {
      facts: { end: cursor.at, length: bytes.length },
    });
  }
  return {
    hash: sha256d(header),
    previousHash: header.subarray(4, 36),
    header,
    coinbaseHeight: coinbaseScript && coinbaseHeight(header, coinbaseScript),
    transactions,
    raw: bytes,
  };
}
