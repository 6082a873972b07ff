import { crypto, Transaction } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { concatBytes } from '../util/bytes.js';
import type { Lock } from './locks.js';

/** An unspent output of the chain being built. */
export interface Coin {
  /** Wire order. */
  readonly txid: Uint8Array;
  readonly vout: number;
  readonly value: bigint;
  readonly lock: Lock;
}

/** An output to create: to one of our locks, or a bare script that nobody spends (OP_RETURN). */
export type Output =
  | { readonly value: bigint; readonly lock: Lock }
  | { readonly value: bigint; readonly script: Uint8Array };

export interface SignedTransaction {
  readonly txid: Uint8Array;
  readonly raw: Uint8Array;
  readonly transaction: Transaction;
  readonly fee: bigint;
  /** The outputs that can be spent, by output number; undefined for bare scripts. */
  readonly coins: readonly (Coin | undefined)[];
}

const NO_EXTRA_ENTROPY = new Uint8Array(32);

/**
 * Spends `inputs` into `outputs`, every input signed with a deterministic nonce (RFC 6979, BIP340 with zero auxiliary
 * bytes), so that the same call gives the same bytes. Throws RangeError if the outputs exceed the inputs.
 */
export function signTransaction(inputs: readonly Coin[], outputs: readonly Output[]): SignedTransaction {
  const tx = new Transaction();
  tx.version = 2;
  for (const coin of inputs) tx.addInput(coin.txid, coin.vout, 0xfffffffd);
  for (const out of outputs) tx.addOutput('lock' in out ? out.lock.script : out.script, out.value);
  const fee = sum(inputs) - sum(outputs);
  if (fee < 0n) throw new RangeError(`outputs exceed inputs by ${-fee} satoshi`);
  for (let i = 0; i < inputs.length; i++) tx.setWitness(i, witnessOf(tx, i, inputs));
  const txid = Uint8Array.from(tx.getHash());
  const coins = outputs.map((out, vout) =>
    'lock' in out ? { txid, vout, value: out.value, lock: out.lock } : undefined,
  );
  return { txid, raw: Uint8Array.from(tx.toBuffer()), transaction: tx, fee, coins };
}

function witnessOf(tx: Transaction, index: number, inputs: readonly Coin[]): Uint8Array[] {
  const { lock, value } = inputs[index];
  if (lock.kind === 'p2wpkh') {
    const scriptCode = concatBytes(Uint8Array.of(0x76, 0xa9, 20), lock.script.subarray(2), Uint8Array.of(0x88, 0xac));
    const digest = tx.hashForWitnessV0(index, scriptCode, value, Transaction.SIGHASH_ALL);
    return [
      concatBytes(derSignature(ecc.sign(digest, lock.secret)), Uint8Array.of(Transaction.SIGHASH_ALL)),
      lock.publicKey,
    ];
  }
  const scripts = inputs.map((coin) => coin.lock.script);
  const values = inputs.map((coin) => coin.value);
  if (lock.kind === 'taproot-key') {
    const digest = tx.hashForWitnessV1(index, scripts, values, Transaction.SIGHASH_DEFAULT);
    return [Uint8Array.from(ecc.signSchnorr(digest, lock.secret, NO_EXTRA_ENTROPY))];
  }
  const digest = tx.hashForWitnessV1(index, scripts, values, Transaction.SIGHASH_DEFAULT, lock.leafHash);
  const signature = Uint8Array.from(ecc.signSchnorr(digest, lock.secret, NO_EXTRA_ENTROPY));
  return [signature, lock.leaf, lock.controlBlock];
}

/** Strict DER (BIP66) of a 64-byte compact signature. */
function derSignature(compact: Uint8Array): Uint8Array {
  const r = derInteger(compact.subarray(0, 32));
  const s = derInteger(compact.subarray(32, 64));
  return concatBytes(Uint8Array.of(0x30, r.length + s.length), r, s);
}

function derInteger(bigEndian: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bigEndian.length - 1 && bigEndian[start] === 0) start++;
  const digits = bigEndian.subarray(start);
  const sign = digits[0] & 0x80 ? Uint8Array.of(0) : new Uint8Array(0);
  return concatBytes(Uint8Array.of(0x02, sign.length + digits.length), sign, digits);
}

function sum(list: readonly { readonly value: bigint }[]): bigint {
  return list.reduce((total, item) => total + item.value, 0n);
}

/** Double SHA-256, as for txids and block hashes. */
export function hash256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(crypto.hash256(bytes));
}
