import type { Receipt } from '../lane/types.js';
import type { RpcBackend } from './backend.js';
import { RpcError } from './errors.js';
import type { Params } from './params.js';

/** The receipt of the transaction that the first parameter names. */
export function receiptOf(params: Params, { store }: RpcBackend): Receipt {
  const txid = params.txid(0);
  const receipt = store.receipt(txid);
  if (receipt !== undefined) return receipt;
  const hint = 'It is not a transaction of the parallel lane, or its block is not indexed yet.';
  throw new RpcError('RECEIPT_NOT_FOUND', `No receipt for transaction ${txid}`, hint);
}
