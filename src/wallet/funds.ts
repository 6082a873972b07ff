/** Where coins come from and what signs them: a key of ours, or a wallet of the node. */
import { Psbt, Transaction } from 'bitcoinjs-lib';
import { scriptOfAddress } from '../bitcoin/address.js';
import { badResponse } from '../chain/node-errors.js';
import { EnvironmentError, UsageError } from '../errors/errors.js';
import { fromDisplayHash, toDisplayHash, toHex } from '../util/bytes.js';
import { type Coin, type Output, signTransaction } from './coins.js';
import { addressOfWitness } from './key.js';
import type { Lock } from './locks.js';
import { hexOf, isMature, isRecord, isUnknownMethod, satoshiOf, type WalletNode } from './wallet-node.js';

/** A coin that may be spent. */
export interface Spendable {
  /** Wire order. */
  readonly txid: Uint8Array;
  readonly vout: number;
  /** Satoshi. */
  readonly value: bigint;
  readonly script: Uint8Array;
}

export interface SignedBytes {
  readonly hex: string;
  /** Display order. */
  readonly txid: string;
  readonly vsize: number;
}

export interface Funds {
  /** Where change and assets go if nobody says otherwise. */
  readonly own: Uint8Array;
  /** What to send coins to, for messages. */
  readonly address: string;
  /** Coins that can be spent now, the largest first. */
  coins(): Promise<readonly Spendable[]>;
  /** One coin that is named. Throws UsageError USAGE_COIN if it is spent, or not this key's. */
  coin(txid: string, vout: number): Promise<Spendable>;
  /** Signs a transaction of such coins. */
  sign(coins: readonly Spendable[], outputs: readonly PaidScript[]): Promise<SignedBytes>;
}

export interface PaidScript {
  readonly script: Uint8Array;
  readonly value: bigint;
}

/** Coins below this are not picked: they are likely to carry assets. */
const LEAST_PICKED = 1_000n;
/** Of the coins of a key, at most: those beyond are not looked at. */
const MOST_COINS = 10_000;
const SEQUENCE = 0xfffffffd;

/** A key of ours; its coins are found by `scantxoutset`, which needs no wallet. */
export class KeyFunds implements Funds {
  readonly own: Uint8Array;
  readonly address: string;

  constructor(
    readonly node: WalletNode,
    readonly lock: Lock,
  ) {
    this.own = lock.script;
    this.address = addressOfWitness(lock.script, node.network);
  }

  async coins(): Promise<readonly Spendable[]> {
    const found = await this.node.call('scantxoutset', 'start', [{ desc: `raw(${toHex(this.own)})` }]);
    if (!isRecord(found) || !Array.isArray(found.unspents)) throw badResponse('scantxoutset gives no list of coins');
    const { height, unspents } = found;
    const depth = (coin: unknown): number => Number(height) - Number(isRecord(coin) ? coin.height : Number.NaN) + 1;
    const mature = unspents.filter((coin) => !isRecord(coin) || coin.coinbase !== true || isMature(depth(coin)));
    return pickable(mature.map((each) => readCoin(each, 'scriptPubKey')));
  }

  async coin(txid: string, vout: number): Promise<Spendable> {
    const found = await this.node.coin(txid, vout);
    if (found === undefined || toHex(found.script) !== toHex(this.own)) {
      throw noCoin(
        txid,
        vout,
        found === undefined
          ? 'it is spent, was never there, or is a reward of the last 100 blocks'
          : 'it is not locked to this key',
      );
    }
    return { txid: fromDisplayHash(txid), vout, ...found };
  }

  async sign(coins: readonly Spendable[], outputs: readonly PaidScript[]): Promise<SignedBytes> {
    const inputs = coins.map((coin): Coin => ({ ...coin, lock: this.lock }));
    return signedBytes(signTransaction(inputs, outputs satisfies readonly Output[]).transaction);
  }
}

/** A wallet of the node, which picks addresses and signs. */
export class NodeFunds implements Funds {
  private constructor(
    readonly node: WalletNode,
    readonly own: Uint8Array,
    readonly address: string,
  ) {}

  /** Takes an address for change from the wallet. Throws UsageError USAGE_WALLET, NodeError. */
  static async open(node: WalletNode): Promise<NodeFunds> {
    let address: unknown;
    try {
      address = await node.call('getrawchangeaddress');
    } catch (error) {
      if (!isUnknownMethod(error)) throw error;
      throw new UsageError('USAGE_WALLET', 'the node has no wallet', {
        hint: 'Give a key with --key FILE, or a node that was built with wallets.',
        cause: error,
      });
    }
    const script = typeof address === 'string' ? scriptOfAddress(address, node.network) : undefined;
    if (typeof address !== 'string' || !(script instanceof Uint8Array)) throw badResponse('it gives no address');
    return new NodeFunds(node, script, address);
  }

  async coins(): Promise<readonly Spendable[]> {
    const found = await this.node.call('listunspent', 0);
    if (!Array.isArray(found)) throw badResponse('listunspent gives no list');
    const mine = found.filter((coin) => isRecord(coin) && coin.spendable === true && coin.safe !== false);
    return pickable(mine.map((each) => readCoin(each, 'scriptPubKey')));
  }

  async coin(txid: string, vout: number): Promise<Spendable> {
    const found = await this.node.coin(txid, vout);
    if (found === undefined)
      throw noCoin(txid, vout, 'it is spent, was never there, or is a reward of the last 100 blocks');
    return { txid: fromDisplayHash(txid), vout, ...found };
  }

  async sign(coins: readonly Spendable[], outputs: readonly PaidScript[]): Promise<SignedBytes> {
    const psbt = psbtOf(coins, outputs);
    const signed = await this.node.call('walletprocesspsbt', psbt, true);
    const final =
      isRecord(signed) && typeof signed.psbt === 'string'
        ? await this.node.call('finalizepsbt', signed.psbt)
        : undefined;
    if (!isRecord(final) || final.complete !== true) {
      throw new EnvironmentError('WALLET_CANNOT_SIGN', 'the wallet does not sign every input', {
        facts: { node: this.node.rpc.name },
        hint: 'Unlock the wallet, or name coins that are its own with --spend.',
      });
    }
    return signedBytes(Transaction.fromBuffer(hexOf(final.hex)));
  }
}

/** A transaction that nobody has signed, for wallets (BIP174), in Base64. */
export function psbtOf(coins: readonly Spendable[], outputs: readonly PaidScript[]): string {
  const psbt = new Psbt();
  psbt.setVersion(2);
  for (const { txid, vout, script, value } of coins) {
    psbt.addInput({ hash: txid, index: vout, sequence: SEQUENCE, witnessUtxo: { script, value } });
  }
  for (const output of outputs) psbt.addOutput(output);
  return psbt.toBase64();
}

function signedBytes(transaction: Transaction): SignedBytes {
  const { length } = transaction.toBuffer();
  return {
    hex: toHex(transaction.toBuffer()),
    txid: toDisplayHash(transaction.getHash()),
    vsize: length === 0 ? 0 : transaction.virtualSize(),
  };
}

function pickable(coins: readonly Spendable[]): readonly Spendable[] {
  const sorted = coins.filter(({ value }) => value >= LEAST_PICKED).sort((a, b) => (a.value > b.value ? -1 : 1));
  return sorted.slice(0, MOST_COINS);
}

function readCoin(coin: unknown, scriptField: string): Spendable {
  if (!isRecord(coin) || typeof coin.txid !== 'string' || typeof coin.vout !== 'number') {
    throw badResponse('a coin has no outpoint');
  }
  return {
    txid: hexOf(coin.txid).reverse(),
    vout: coin.vout,
    value: satoshiOf(coin.amount),
    script: hexOf(coin[scriptField]),
  };
}

function noCoin(txid: string, vout: number, why: string): UsageError {
  return new UsageError('USAGE_COIN', `the coin of --spend cannot be spent: ${why}`, {
    facts: { coin: `${txid}:${vout}` },
    hint: 'Name an unspent output of the key or wallet, as txid:vout.',
  });
}
