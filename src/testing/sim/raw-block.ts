/**
 * Random lane blocks (src/selftest/fuzz/fuzz-blocks.ts) as valid regtest blocks: serialised, with proof of work and
 * commitments.
 */

import { writeBlock, writeTransaction } from '../../bitcoin/serialise.js';
import type { Transaction } from '../../bitcoin/types.js';
import { concatBytes, toBinaryString, u32Bytes } from '../../util/bytes.js';

/** Regtest's: every second hash meets it. */
const BITS = 0x207fffff;

/**
 * A block of `transactions`, whose first becomes the coinbase. Outpoints that name outputs of the block by the made-up
 * txids are given the real ones.
 */
export function rawBlock(
  previous: Uint8Array,
  height: number,
  time: number,
  transactions: readonly Transaction[],
): { readonly hash: Uint8Array; readonly raw: Uint8Array } {
  const real = new Map<string, Uint8Array>();
  const rest = transactions.slice(1).map(({ txid, inputs, outputs }) => {
    const spending = inputs.map((input) => ({
      ...input,
      prevTxid: real.get(toBinaryString(input.prevTxid)) ?? input.prevTxid,
    }));
    const made = writeTransaction(spending, outputs);
    real.set(toBinaryString(txid), made.txid);
    return made;
  });
  // The height, and the time, so that no two coinbases have one txid.
  const script = concatBytes(Uint8Array.of(4), u32Bytes(height), Uint8Array.of(4), u32Bytes(time));
  return writeBlock({ previous, time, bits: BITS, script, outputs: transactions[0].outputs }, rest);
}
