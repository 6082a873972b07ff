/** Transactions that carry messages: coins, change, fees; deployments as a commit and a reveal. */
import { randomBytes } from 'node:crypto';
import { Psbt } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { compactSizeLength } from '../bitcoin/compact-size.js';
import { EnvironmentError } from '../errors/errors.js';
import { encodeEnvelope, gzipBest } from '../protocol/encode.js';
import { bytesEqual, fromHex, toDisplayHash, toHex } from '../util/bytes.js';
import { type Coin, signTransaction } from './coins.js';
import { type Funds, type PaidScript, psbtOf, type Spendable } from './funds.js';
import { type Lock, taprootScript } from './locks.js';
import type { WalletNode } from './wallet-node.js';

/** What an output that only carries assets holds, in satoshi: nodes pass on no less to any kind of script. */
const CARRIER = 546n;
/** Outputs of a transaction with a message: where assets go, the runestone, change. */
export const MESSAGE_OUTPUTS = 3;
/** Inputs of one transaction, at most: those of 100,000 virtual bytes. */
const MOST_INPUTS = 1_400;
const OP_CHECKSIG_KEY = 34;

/** A transaction that is ready to be sent. */
export interface Step {
  readonly name: 'commit' | 'reveal' | 'message';
  /** Display order. */
  readonly txid: string;
  readonly hex: string;
  /** The same without signatures (BIP174). */
  readonly psbt: string;
  readonly vsize: number;
  /** Satoshi, as a decimal number. */
  readonly fee: string;
}

export interface BuildOptions {
  readonly node: WalletNode;
  readonly funds: Funds;
  /** Coins that are spent whatever else is: the assets on them come with the message. */
  readonly spend: readonly Spendable[];
  /** Script of the output that gets what the contract transfers. */
  readonly to: Uint8Array;
  /** The OP_RETURN script. */
  readonly runestone: Uint8Array;
  /** Satoshi per 1,000 virtual bytes. */
  readonly rate: bigint;
}

/** One transaction with the message; output 0 goes to `to`. Throws EnvironmentError WALLET_NO_FUNDS. */
export async function buildMessage(options: BuildOptions): Promise<Step> {
  const { to, runestone } = options;
  return fund('message', options, [
    { script: to, value: CARRIER },
    { script: runestone, value: 0n },
  ]);
}

export interface Deployment {
  readonly commit: Step;
  readonly reveal: Step;
  /** Spends the commit's output 0 if the reveal is lost: 32 bytes, hex. */
  readonly revealSecret: string;
}

/**
 * A commit, which pays an output that only a transaction with the program can spend, and the reveal, which spends it.
 * Both are signed: what was sent of them can be gone on with at any time. Throws EnvironmentError WALLET_NO_FUNDS.
 */
export async function buildDeployment(options: BuildOptions, program: Uint8Array): Promise<Deployment> {
  const { to, runestone, rate } = options;
  const secret = revealSecret();
  const lock = taprootScript(secret, encodeEnvelope(gzipBest(program)));
  const outputs: PaidScript[] = [
    { script: to, value: CARRIER },
    { script: runestone, value: 0n },
  ];
  const fee = feeOf(weightOf([{ script: lock.script }], outputs) + leafWeight(lock), rate);
  const commit = await fund('commit', options, [{ script: lock.script, value: CARRIER + fee }]);
  const coin: Coin = { txid: fromHex(commit.txid).reverse(), vout: 0, value: CARRIER + fee, lock };
  const { transaction, txid, raw } = signTransaction([coin], outputs);
  const reveal: Step = {
    name: 'reveal',
    txid: toDisplayHash(txid),
    hex: toHex(raw),
    psbt: revealPsbt(coin, outputs),
    vsize: transaction.virtualSize(),
    fee: `${fee}`,
  };
  return { commit, reveal, revealSecret: toHex(secret) };
}

function revealSecret(): Uint8Array {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32));
    if (ecc.isPrivate(secret)) return secret;
  }
}

/** Adds coins until they pay `outputs`, the fee and change, which is always the last output. */
async function fund(name: Step['name'], options: BuildOptions, outputs: readonly PaidScript[]): Promise<Step> {
  const { node, funds, spend, rate } = options;
  const least = [...outputs, { script: funds.own, value: CARRIER }];
  const picked = [...spend];
  const total = (): bigint => picked.reduce((sum, { value }) => sum + value, 0n);
  const wanted = (): bigint => least.reduce((sum, { value }) => sum + value, feeOf(weightOf(picked, least), rate));
  if (total() < wanted()) {
    for (const coin of await funds.coins()) {
      if (total() >= wanted() || picked.length >= MOST_INPUTS) break;
      if (picked.some(({ txid, vout }) => vout === coin.vout && bytesEqual(txid, coin.txid))) continue;
      // What a transaction in the mempool spends is still among the coins of the chain.
      if ((await node.coin(toDisplayHash(coin.txid), coin.vout)) !== undefined) picked.push(coin);
    }
  }
  if (total() < wanted()) throw noFunds(funds, node, wanted(), total());
  const all = [...outputs, { script: funds.own, value: CARRIER + total() - wanted() }];
  const { hex, txid, vsize } = await funds.sign(picked, all);
  const fee = feeOf(weightOf(picked, least), rate);
  return { name, txid, hex, psbt: psbtOf(picked, all), vsize, fee: `${fee}` };
}

function noFunds({ address }: Funds, node: WalletNode, needed: bigint, available: bigint): EnvironmentError {
  const dev = node.network === 'regtest' ? ' On regtest `generatetoaddress 101 ADDRESS` of the node makes some.' : '';
  return new EnvironmentError('WALLET_NO_FUNDS', 'there are not enough coins that can be spent', {
    facts: { needed, available, address, network: node.network },
    hint: `Send at least ${needed - available} satoshi to ${address} and wait for a block.${dev}`,
  });
}

/** Satoshi for a weight, rounded up. */
function feeOf(weight: number, rate: bigint): bigint {
  const vsize = BigInt(Math.ceil(weight / 4));
  return (vsize * rate + 999n) / 1000n;
}

/** Weight of a signed transaction; scripts that are spent by more than one signature are taken for P2PKH. */
function weightOf(inputs: readonly { readonly script: Uint8Array }[], outputs: readonly PaidScript[]): number {
  const base =
    8 +
    compactSizeLength(inputs.length) +
    compactSizeLength(outputs.length) +
    inputs.reduce((sum, { script }) => sum + 41 + scriptLength(script), 0);
  const paid = outputs.reduce((sum, { script }) => sum + 8 + compactSizeLength(script.length) + script.length, 0);
  return 4 * (base + paid) + 2 + inputs.reduce((sum, { script }) => sum + witnessLength(script), 0);
}

/** Of the script of an input, which wallets of the node may need. */
function scriptLength(script: Uint8Array): number {
  if (isWitness(script)) return 0;
  return script.length === 23 ? 23 : 107;
}

/** Items, signature, key: of P2WPKH, of Taproot by its key, of P2SH around P2WPKH. */
function witnessLength(script: Uint8Array): number {
  if (script[0] === 0x51 && script.length === OP_CHECKSIG_KEY) return 66;
  return isWitness(script) || script.length === 23 ? 108 : 1;
}

function isWitness(script: Uint8Array): boolean {
  return (script[0] === 0 || (script[0] >= 0x51 && script[0] <= 0x60)) && script[1] === script.length - 2;
}

/** What a leaf adds to a signature alone. */
function leafWeight(lock: Lock): number {
  if (lock.kind !== 'taproot-script') return 0;
  return compactSizeLength(lock.leaf.length) + lock.leaf.length + 1 + lock.controlBlock.length;
}

/** The reveal for a signer that has the secret: with its leaf. */
function revealPsbt({ txid, vout, value, lock }: Coin, outputs: readonly PaidScript[]): string {
  const psbt = new Psbt();
  psbt.setVersion(2);
  psbt.addInput({ hash: txid, index: vout, sequence: 0xfffffffd, witnessUtxo: { script: lock.script, value } });
  if (lock.kind === 'taproot-script') {
    const { leaf: script, controlBlock } = lock;
    psbt.data.updateInput(0, { tapLeafScript: [{ leafVersion: 0xc0, script, controlBlock }] });
  }
  for (const output of outputs) psbt.addOutput(output);
  return psbt.toBase64();
}
