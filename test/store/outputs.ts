/** Blocks for an index by address, of made-up transactions. */
import { createHash } from 'node:crypto';
import { compactSize } from '../../src/bitcoin/compact-size.js';
import type { BlockOutputs } from '../../src/store/types.js';
import type { PlainTx } from '../../src/testing/chains/address-search.js';
import { concatBytes, u32Bytes, u64Bytes } from '../../src/util/bytes.js';

/** Where the parts of a block of these transactions would lie; the first is the coinbase, which spends nothing. */
export function outputsOf(transactions: readonly PlainTx[]): BlockOutputs {
  const parts: Uint8Array[] = [new Uint8Array(80)];
  let at = 80;
  const put = (bytes: Uint8Array): number => {
    parts.push(bytes);
    at += bytes.length;
    return at - bytes.length;
  };
  const [firstInput, firstOutput, inputs, scripts]: number[][] = [[], [], [], []];
  for (const tx of transactions) {
    firstInput.push(inputs.length);
    firstOutput.push(scripts.length / 2);
    for (const { txid, vout } of tx.inputs) inputs.push(put(concatBytes(txid, u32Bytes(vout))));
    for (const { script, amount } of tx.outputs) {
      put(concatBytes(u64Bytes(amount), compactSize(script.length)));
      scripts.push(put(script), at);
    }
  }
  firstInput.push(inputs.length);
  firstOutput.push(scripts.length / 2);
  return {
    raw: concatBytes(...parts),
    count: transactions.length,
    firstInput: Uint32Array.from(firstInput),
    firstOutput: Uint32Array.from(firstOutput),
    inputs: Uint32Array.from(inputs),
    scripts: Uint32Array.from(scripts),
    txids: concatBytes(...transactions.map(({ txid }) => txid)),
  };
}

export const txidOf = (name: string): Uint8Array => new Uint8Array(createHash('sha256').update(name).digest());
