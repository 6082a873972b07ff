import { Transaction as Decoded } from 'bitcoinjs-lib';
import { InputError } from '../errors/errors.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { sha256d } from './hash.js';
import { layoutTransaction, malformed, type Subject, type TransactionLayout } from './layout.js';
import { MAX_BLOCK_LENGTH } from './limits.js';
import type { Transaction, TxInput } from './types.js';

const NO_WITNESS: readonly Uint8Array[] = [];

/**
 * Reads one serialised transaction, with or without witnesses; the bytes must be all of it.
 * Throws `InputError` TX_TOO_LARGE, TX_TRUNCATED, TX_MALFORMED or TX_TRAILING_BYTES.
 */
export function parseTransaction(raw: Uint8Array): Transaction {
  if (raw.length > MAX_BLOCK_LENGTH) {
    throw new InputError('TX_TOO_LARGE', 'the transaction is longer than any valid one', {
      facts: { length: raw.length },
    });
  }
  const bytes = plainView(raw);
  const layout = layoutTransaction(bytes, 0, 'TX');
  if (layout.end !== bytes.length) {
    throw new InputError('TX_TRAILING_BYTES', 'bytes follow the end of the transaction', {
      facts: { end: layout.end, length: bytes.length },
    });
  }
  return readTransaction(bytes, 0, layout, 'TX').transaction;
}

export interface ReadTransaction {
  readonly transaction: Transaction;
  /** Script of the first input: the coinbase script if it is a coinbase. */
  readonly firstScript: Uint8Array;
}

/** The transaction that lies at `start` of `bytes` with the given layout. */
export function readTransaction(
  bytes: Uint8Array,
  start: number,
  layout: TransactionLayout,
  subject: Subject,
): ReadTransaction {
  const raw = bytes.subarray(start, layout.end);
  const decoded = decode(raw, subject, start);
  const inputs = decoded.ins.map(
    (input): TxInput => ({
      prevTxid: input.hash,
      prevVout: input.index,
      witness: input.witness.length === 0 ? NO_WITNESS : input.witness,
    }),
  );
  const outputs = decoded.outs.map(({ value, script }) => ({ value, script }));
  const txid = layout.segwit
    ? sha256d(raw.subarray(0, 4), bytes.subarray(start + 6, layout.witnessStart), raw.subarray(raw.length - 4))
    : sha256d(raw);
  return { transaction: { txid, raw, inputs, outputs }, firstScript: decoded.ins[0]?.script ?? EMPTY_BYTES };
}

function decode(raw: Uint8Array, subject: Subject, start: number): Decoded {
  try {
    return Decoded.fromBuffer(raw);
  } catch (cause) {
    // The layout was walked already, so this is no ordinary bad input: the library's own text is kept.
    throw malformed(subject, cause instanceof Error ? cause.message : 'unknown', start);
  }
}

/** The same bytes as a plain `Uint8Array`: of a `Buffer` every slice would be one too. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
