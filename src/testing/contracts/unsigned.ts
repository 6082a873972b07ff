/** Transactions that nobody signed: the lane does not look at signatures. */
import { Transaction } from 'bitcoinjs-lib';
import { encodeEnvelope } from '../../protocol/encode.js';
import type { SignedTransaction } from '../../wallet/coins.js';
import { runestoneOf, type Stone } from '../regtest/messages.js';

/** An output that nobody needs to spend by the rules: OP_1. */
const ANYONE = Uint8Array.of(0x51);
const VALUE = 546n;

export interface UnsignedSpec {
  readonly spend: readonly { readonly txid: Uint8Array; readonly vout: number }[];
  readonly stones: readonly Stone[];
  /** Body of the envelope in the witness of the first input. */
  readonly body?: Uint8Array;
}

/** One ordinary output, then the runestone. */
export function unsignedTransaction({ spend, stones, body }: UnsignedSpec): SignedTransaction {
  const tx = new Transaction();
  tx.version = 2;
  for (const { txid, vout } of spend) tx.addInput(txid, vout);
  tx.addOutput(ANYONE, VALUE);
  tx.addOutput(runestoneOf(stones), 0n);
  if (body !== undefined) tx.setWitness(0, [encodeEnvelope(body), ANYONE]);
  return {
    txid: Uint8Array.from(tx.getHash()),
    raw: Uint8Array.from(tx.toBuffer()),
    transaction: tx,
    fee: 0n,
    coins: [undefined, undefined],
  };
}
