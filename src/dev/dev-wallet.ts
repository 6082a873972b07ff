/** The wallet of a development chain: one key, known to everybody, that gets all rewards. */
import { crypto, Psbt } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { fromDisplayHash, toHex } from '../util/bytes.js';
import { type Coin, type Output, signTransaction } from '../wallet/coins.js';
import { addressOfWitness } from '../wallet/key.js';
import { type Lock, p2wpkh } from '../wallet/locks.js';
import { testWif } from '../wallet/wif.js';
import { type DevChain, Rejection } from './dev-chain.js';

/** Satoshi that a payment leaves for its fee. */
const FEE = 1_000n;
const LEAST = 546n;
const NO_FUNDS = -6;
const BAD_PSBT = -22;
const MOST_INPUTS = 500;

export class DevWallet {
  readonly lock: Lock;
  readonly address: string;
  /** For `--key` of `deploy` and `send`. */
  readonly wif: string;
  readonly #secret: Uint8Array;

  constructor(readonly chain: DevChain) {
    this.#secret = Uint8Array.from(crypto.sha256(new TextEncoder().encode('warpshrew dev')));
    this.lock = p2wpkh(this.#secret);
    this.address = addressOfWitness(this.lock.script, 'regtest');
    this.wif = testWif(this.#secret);
  }

  /** Unspent coins of the chain that nothing in the mempool spends, the largest first. */
  coins(): Coin[] {
    return this.chain
      .coinsOf(this.lock.script)
      .filter(({ txid, vout }) => this.chain.coin(txid, vout) !== undefined)
      .map(({ txid, vout, coin }) => ({ txid: fromDisplayHash(txid), vout, value: coin.value, lock: this.lock }))
      .sort((a, b) => (a.value > b.value ? -1 : 1));
  }

  /** A signed payment of `value` satoshi to a script, serialised. Throws {@link Rejection}. */
  pay(script: Uint8Array, value: bigint): Uint8Array {
    const inputs: Coin[] = [];
    const total = (): bigint => inputs.reduce((sum, coin) => sum + coin.value, 0n);
    for (const coin of this.coins().slice(0, MOST_INPUTS)) {
      if (total() >= value + FEE * BigInt(1 + inputs.length)) break;
      inputs.push(coin);
    }
    const rest = total() - value - FEE * BigInt(1 + inputs.length);
    if (rest < 0n) throw new Rejection(NO_FUNDS, 'Insufficient funds: mine some blocks (generatetoaddress)');
    const outputs: Output[] = [{ value, script }, ...(rest >= LEAST ? [{ value: rest, lock: this.lock }] : [])];
    return signTransaction(inputs, outputs).raw;
  }

  /** Signs what is its own in a PSBT (Base64). Throws {@link Rejection}. */
  process(base64: string): { readonly psbt: string; readonly complete: boolean } {
    const psbt = readPsbt(base64);
    const signer = { publicKey: publicKeyOf(this.#secret), sign: (hash: Uint8Array) => ecc.sign(hash, this.#secret) };
    let signed = 0;
    psbt.data.inputs.forEach((input, index) => {
      if (toHex(input.witnessUtxo?.script ?? new Uint8Array(0)) !== toHex(this.lock.script)) return;
      psbt.signInput(index, signer);
      signed++;
    });
    return { psbt: psbt.toBase64(), complete: signed === psbt.data.inputs.length };
  }

  /** The signed transaction of a PSBT, in hex. Throws {@link Rejection}. */
  finalize(base64: string): { readonly hex: string; readonly complete: true } {
    const psbt = readPsbt(base64);
    try {
      psbt.finalizeAllInputs();
      return { hex: psbt.extractTransaction(true).toHex(), complete: true };
    } catch (cause) {
      throw new Rejection(BAD_PSBT, `PSBT cannot be finalized: ${cause instanceof Error ? cause.message : 'unknown'}`);
    }
  }
}

function publicKeyOf(secret: Uint8Array): Uint8Array {
  const key = ecc.pointFromScalar(secret, true);
  if (key === null) throw new RangeError('the key of the development wallet is none');
  return key;
}

function readPsbt(base64: string): Psbt {
  try {
    return Psbt.fromBase64(base64);
  } catch {
    throw new Rejection(BAD_PSBT, 'TX decode failed: no PSBT');
  }
}
