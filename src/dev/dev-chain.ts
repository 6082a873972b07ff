/**
 * A regtest chain of one process: blocks, coins and a mempool, with the checks that catch what developers get wrong.
 * Rewards can be spent at once, and scripts are run as far as check-witness.ts says.
 */
import { Transaction as Decoded } from 'bitcoinjs-lib';
import { parseBlock } from '../bitcoin/parse-block.js';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import { REGTEST, regtestFrame, regtestGenesis } from '../bitcoin/regtest.js';
import { writeBlock } from '../bitcoin/serialise.js';
import type { Transaction } from '../bitcoin/types.js';
import { InputError } from '../errors/errors.js';
import { concatBytes, toDisplayHash, u32Bytes } from '../util/bytes.js';
import { witnessFlaw } from './check-witness.js';

/** Where a chain begins that goes on from a block of another one. */
export interface ChainBase {
  readonly height: number;
  /** Wire order. */
  readonly hash: Uint8Array;
  /** Seconds. */
  readonly time: number;
}

export interface DevCoin {
  /** Satoshi. */
  readonly value: bigint;
  readonly script: Uint8Array;
  /** Of its block; undefined: it is in the mempool. */
  readonly height: number | undefined;
}

export interface DevBlock {
  readonly height: number;
  /** Wire order. */
  readonly hash: Uint8Array;
  readonly raw: Uint8Array;
  readonly time: number;
  /** The coinbase first. */
  readonly transactions: readonly Transaction[];
}

interface KeptBlock extends DevBlock {
  readonly spent: readonly (readonly [outpoint: string, coin: DevCoin])[];
}

/** A transaction that is refused, as a node says it. */
export class Rejection extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Of a node: https://github.com/bitcoin/bitcoin/blob/master/src/rpc/protocol.h */
const REJECTED = -26;
const MALFORMED = -22;
const IN_CHAIN = -27;
const FULL = -32;

const MOST_WAITING = 10_000;
const MOST_BLOCKS = 1_000_000;
/** Of the bytes of all blocks. */
const MOST_BYTES = 2 ** 30;
const OP_RETURN = 0x6a;
/** For the header and the coinbase, in units of weight. */
const BLOCK_RESERVE = 4_000;
/** What coinbases say. */
const TAG = new TextEncoder().encode('warpshrew dev');

export class DevChain {
  readonly #blocks: KeptBlock[] = [];
  readonly #base: ChainBase | undefined;
  readonly #byHash = new Map<string, KeptBlock>();
  /** Height by txid. */
  readonly #places = new Map<string, number>();
  readonly #coins = new Map<string, DevCoin>();
  readonly #waiting = new Map<string, Transaction>();
  /** Outpoints that the mempool spends. */
  readonly #taken = new Map<string, string>();
  readonly #now: () => number;
  #bytes = 0;
  #salt = 0;

  /** `base`: the first block follows it, and outputs that it had before may be spent by anyone. */
  constructor(options: { readonly base?: ChainBase; readonly now?: () => number } = {}) {
    this.#base = options.base;
    this.#now = options.now ?? (() => Math.floor(Date.now() / 1000));
    if (options.base !== undefined) return;
    const { raw, hash } = regtestGenesis();
    this.#push({
      height: 0,
      hash,
      raw,
      time: REGTEST.genesisTime,
      transactions: parseBlock(raw).transactions,
      spent: [],
    });
  }

  /** Height of the first block. */
  get first(): number {
    return this.#base === undefined ? 0 : this.#base.height + 1;
  }

  get height(): number {
    return this.first + this.#blocks.length - 1;
  }

  get tip(): ChainBase {
    return this.#blocks[this.#blocks.length - 1] ?? this.#base;
  }

  block(height: number): DevBlock | undefined {
    return this.#blocks[height - this.first];
  }

  /** By its hash in display order. */
  blockOf(hash: string): DevBlock | undefined {
    return this.#byHash.get(hash);
  }

  /** A transaction by its txid in display order, with the height of its block; undefined for one of the mempool. */
  transaction(txid: string): { readonly transaction: Transaction; readonly height: number | undefined } | undefined {
    const waiting = this.#waiting.get(txid);
    if (waiting !== undefined) return { transaction: waiting, height: undefined };
    const height = this.#places.get(txid);
    const found =
      height === undefined ? undefined : this.block(height)?.transactions.find((tx) => toDisplayHash(tx.txid) === txid);
    return found && { transaction: found, height };
  }

  /** Txids in display order, as they came. */
  get mempool(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** An output that nothing spends; `mempool`: nothing of the mempool either. */
  coin(txid: string, vout: number, mempool = true): DevCoin | undefined {
    const outpoint = `${txid}:${vout}`;
    if (mempool && this.#taken.has(outpoint)) return undefined;
    const coin = this.#coins.get(outpoint);
    if (coin !== undefined || !mempool) return coin;
    const output = this.#waiting.get(txid)?.outputs[vout];
    return output && { ...output, height: undefined };
  }

  /** Coins of the chain that are locked to a script. */
  coinsOf(script: Uint8Array): { readonly txid: string; readonly vout: number; readonly coin: DevCoin }[] {
    const wanted = Buffer.from(script);
    return [...this.#coins]
      .filter(([, coin]) => wanted.equals(coin.script))
      .map(([outpoint, coin]) => ({ txid: outpoint.slice(0, 64), vout: Number(outpoint.slice(65)), coin }));
  }

  /** Puts a transaction into the mempool. Returns its txid in display order. Throws {@link Rejection}. */
  accept(raw: Uint8Array): string {
    const transaction = this.check(raw);
    const txid = toDisplayHash(transaction.txid);
    if (this.#waiting.size >= MOST_WAITING) throw new Rejection(REJECTED, 'mempool full');
    this.#waiting.set(txid, transaction);
    for (const outpoint of outpointsOf(transaction)) this.#taken.set(outpoint, txid);
    return txid;
  }

  /** The transaction in `raw`, which could be the next one. Throws {@link Rejection}. */
  check(raw: Uint8Array): Transaction {
    const transaction = parsed(raw);
    const txid = toDisplayHash(transaction.txid);
    if (this.#waiting.has(txid)) throw new Rejection(REJECTED, 'txn-already-in-mempool');
    if (this.#places.has(txid)) throw new Rejection(IN_CHAIN, 'Transaction outputs already in utxo set');
    const decoded = Decoded.fromBuffer(raw);
    const outpoints = outpointsOf(transaction);
    if (new Set(outpoints).size < outpoints.length) throw new Rejection(REJECTED, 'bad-txns-inputs-duplicate');
    const spent = transaction.inputs.map(({ prevTxid, prevVout }) => {
      const from = toDisplayHash(prevTxid);
      const coin = this.coin(from, prevVout);
      if (coin !== undefined) return coin;
      if (this.#taken.has(`${from}:${prevVout}`)) throw new Rejection(REJECTED, 'txn-mempool-conflict');
      if (this.#base !== undefined && !this.#places.has(from) && !this.#waiting.has(from)) return undefined;
      throw new Rejection(REJECTED, 'bad-txns-inputs-missingorspent');
    });
    if (spent.every((coin) => coin !== undefined)) checkSpending(transaction, decoded, spent);
    if (decoded.weight() > REGTEST.maximumWeight - BLOCK_RESERVE) throw new Rejection(REJECTED, 'bad-txns-oversize');
    return transaction;
  }

  /** A block of these transactions, or of all that wait; its reward goes to `reward`. Throws {@link Rejection}. */
  mine(reward: Uint8Array, transactions: readonly Transaction[] = [...this.#waiting.values()]): DevBlock {
    const taken: Transaction[] = [];
    let weight = BLOCK_RESERVE;
    for (const transaction of transactions) {
      weight += Decoded.fromBuffer(transaction.raw).weight();
      if (weight > REGTEST.maximumWeight) break;
      taken.push(transaction);
    }
    return this.#mineAt(this.height + 1, Math.max(this.tip.time + 1, this.#now()), reward, taken);
  }

  /**
   * Takes the tip off the chain; its transactions wait again, if `keep` says so. Returns it. Throws {@link Rejection}
   * where there is no block to undo.
   */
  undo(keep = true): DevBlock {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last === undefined || last.height === 0) throw new Rejection(-1, 'there is no block that can be undone');
    this.#blocks.pop();
    this.#bytes -= last.raw.length;
    this.#byHash.delete(toDisplayHash(last.hash));
    for (const transaction of last.transactions) {
      const txid = toDisplayHash(transaction.txid);
      this.#places.delete(txid);
      for (let vout = 0; vout < transaction.outputs.length; vout++) this.#coins.delete(`${txid}:${vout}`);
    }
    for (const [outpoint, coin] of last.spent) this.#coins.set(outpoint, coin);
    if (keep) this.#waitAgain(last.transactions.slice(1));
    return last;
  }

  /**
   * Mines again what was undone, block by block, with the transactions that `changed` makes of theirs: what a program
   * that is being edited has done is done once more by its new version.
   */
  again(undone: readonly DevBlock[], reward: Uint8Array, changed: (transaction: Transaction) => Transaction): void {
    for (const { height, time, transactions } of undone)
      this.#mineAt(height, time, reward, transactions.slice(1).map(changed));
  }

  #mineAt(height: number, time: number, script: Uint8Array, transactions: readonly Transaction[]): DevBlock {
    if (this.#blocks.length >= MOST_BLOCKS || this.#bytes > MOST_BYTES)
      throw new Rejection(FULL, 'the chain is full: start a new one');
    const fees = transactions.reduce((sum, transaction) => sum + this.#feeOf(transaction, transactions), 0n);
    const mark = concatBytes(TAG, u32Bytes(this.#salt++));
    const frame = regtestFrame({ previous: this.tip.hash, height, time, reward: script, fees, mark });
    const { raw, hash } = writeBlock(frame, transactions);
    const all = parseBlock(raw).transactions;
    const spent: [string, DevCoin][] = [];
    for (const transaction of all) this.#enter(transaction, height, spent);
    const block = { height, hash, raw, time, transactions: all, spent };
    this.#push(block);
    return block;
  }

  /** Moves the coins of a transaction of a block. */
  #enter(transaction: Transaction, height: number, spent: [string, DevCoin][]): void {
    const txid = toDisplayHash(transaction.txid);
    for (const outpoint of outpointsOf(transaction)) {
      const coin = this.#coins.get(outpoint);
      if (coin !== undefined) spent.push([outpoint, coin]);
      this.#coins.delete(outpoint);
      this.#taken.delete(outpoint);
    }
    this.#waiting.delete(txid);
    for (const [vout, { value, script }] of transaction.outputs.entries()) {
      if (script[0] !== OP_RETURN) this.#coins.set(`${txid}:${vout}`, { value, script, height });
    }
  }

  /** What a transaction gives to the miner; 0 where an input is of the chain below. */
  #feeOf({ inputs, outputs }: Transaction, among: readonly Transaction[]): bigint {
    let fee = -outputs.reduce((sum, { value }) => sum + value, 0n);
    for (const { prevTxid, prevVout } of inputs) {
      const txid = toDisplayHash(prevTxid);
      const value =
        this.#coins.get(`${txid}:${prevVout}`)?.value ??
        among.find((each) => toDisplayHash(each.txid) === txid)?.outputs[prevVout]?.value;
      if (value === undefined) return 0n;
      fee += value;
    }
    return fee > 0n ? fee : 0n;
  }

  #waitAgain(transactions: readonly Transaction[]): void {
    const later = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const transaction of [...transactions, ...later]) {
      const txid = toDisplayHash(transaction.txid);
      this.#waiting.set(txid, transaction);
      for (const outpoint of outpointsOf(transaction)) this.#taken.set(outpoint, txid);
    }
  }

  #push(block: KeptBlock): void {
    this.#blocks.push(block);
    this.#bytes += block.raw.length;
    this.#byHash.set(toDisplayHash(block.hash), block);
    for (const { txid } of block.transactions) this.#places.set(toDisplayHash(txid), block.height);
  }
}

function parsed(raw: Uint8Array): Transaction {
  try {
    return parseTransaction(raw);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new Rejection(MALFORMED, `TX decode failed: ${error.message}`);
  }
}

function checkSpending(transaction: Transaction, decoded: Decoded, spent: readonly DevCoin[]): void {
  const [came, goes] = [spent, transaction.outputs].map((list) => list.reduce((sum, { value }) => sum + value, 0n));
  if (goes > came) throw new Rejection(REJECTED, 'bad-txns-in-belowout');
  if (came - goes < BigInt(Math.ceil(decoded.virtualSize() / 10)))
    throw new Rejection(REJECTED, 'min relay fee not met');
  for (let index = 0; index < spent.length; index++) {
    const flaw = witnessFlaw(decoded, index, spent);
    if (flaw !== undefined) {
      throw new Rejection(REJECTED, `mandatory-script-verify-flag-failed (${flaw}), input ${index}`);
    }
  }
}

function outpointsOf({ inputs }: Transaction): string[] {
  return inputs.map(({ prevTxid, prevVout }) => `${toDisplayHash(prevTxid)}:${prevVout}`);
}
