/** The node that coins are asked of and transactions are given to. */
import { type Network, networkOfChain } from '../chain/networks.js';
import { badResponse, nodeCodeOf, RPC, shortAscii } from '../chain/node-errors.js';
import { type NodeParam, NodeRpc, type NodeRpcOptions } from '../chain/node-rpc.js';
import { ChainError, NodeError, UsageError } from '../errors/errors.js';
import { fromHex } from '../util/bytes.js';

/** An answer that holds a whole transaction, or all coins of a key. */
const MAX_ANSWER = 64 << 20;
/** `scantxoutset` reads every coin that there is: a quarter of an hour on a slow disk. */
const TIMEOUT_MS = 1_800_000;
const SATOSHI = 100_000_000;
/** Of the answers of a node that has a transaction already. */
const KNOWN = /txn-already-(in-mempool|known)|already in (block chain|utxo set)|outputs already in utxo/i;
const SPENT = /missing-?inputs|missingorspent|txn-mempool-conflict|bad-txns-spends-conflicting/i;
const ALREADY_IN_CHAIN = -27;
/** Blocks that a reward must lie deep (consensus). */
const MATURITY = 100;
/** Blocks within which a transaction should be mined. */
const TARGET = 6;

export interface WalletNodeOptions extends NodeRpcOptions {
  /** A wallet of the node. */
  readonly wallet?: string;
  /** The network that is meant; any but the main one if not given. */
  readonly network?: Network;
  readonly yesMainnet?: boolean;
}

/** A coin as a node tells of it; its value in satoshi. */
export interface FoundCoin {
  readonly value: bigint;
  readonly script: Uint8Array;
}

export class WalletNode {
  private constructor(
    readonly rpc: NodeRpc,
    readonly network: Network,
  ) {}

  /**
   * Asks the node which network it is on. Throws NodeError; ChainError CHAIN_WRONG_NETWORK; UsageError USAGE_NODE_URL,
   * USAGE_MAINNET.
   */
  static async open({ wallet, network: wanted, yesMainnet, ...access }: WalletNodeOptions): Promise<WalletNode> {
    const url =
      wallet === undefined ? access.url : `${access.url.replace(/\/+$/, '')}/wallet/${encodeURIComponent(wallet)}`;
    const rpc = new NodeRpc({ attempts: 3, timeoutMs: TIMEOUT_MS, ...access, url });
    try {
      const info = await rpc.call('getblockchaininfo');
      const network = networkOfChain(isRecord(info) ? info.chain : undefined)?.network;
      if (network === undefined) throw badResponse('it names no network that is known');
      if (wanted !== undefined && wanted !== network) {
        throw new ChainError('CHAIN_WRONG_NETWORK', 'the node is on another network', {
          facts: { node: rpc.name, network, wanted },
          hint: `Name a node of ${wanted} with --node-url, or leave --network away.`,
        });
      }
      if (network === 'mainnet' && yesMainnet !== true) {
        throw new UsageError('USAGE_MAINNET', 'the node is on mainnet, where coins are money', {
          facts: { node: rpc.name },
          hint: 'Name a node of regtest or signet with --node-url; --yes-mainnet sends on mainnet.',
        });
      }
      return new WalletNode(rpc, network);
    } catch (error) {
      rpc.close();
      throw error;
    }
  }

  close(): void {
    this.rpc.close();
  }

  call(method: string, ...params: NodeParam[]): Promise<unknown> {
    return this.rpc.call(method, params, { maxBytes: MAX_ANSWER });
  }

  /**
   * An unspent output, also of a transaction in the mempool; undefined if it is spent, was never there, or is a reward
   * that cannot be spent yet.
   */
  async coin(txid: string, vout: number): Promise<FoundCoin | undefined> {
    const found = await this.call('gettxout', txid, vout, true);
    if (found === null) return undefined;
    if (!isRecord(found) || !isRecord(found.scriptPubKey)) throw badResponse('gettxout gives no output');
    if (found.coinbase === true && !isMature(found.confirmations)) return undefined;
    return { value: satoshiOf(found.value), script: hexOf(found.scriptPubKey.hex) };
  }

  /** Satoshi per 1,000 bytes that the node expects to be enough; undefined if it has seen too few blocks to tell. */
  async feeRate(): Promise<bigint | undefined> {
    const found = await this.call('estimatesmartfee', TARGET);
    return isRecord(found) && typeof found.feerate === 'number' ? satoshiOf(found.feerate) : undefined;
  }

  /**
   * Gives the node a transaction; one that it has already is fine. Throws NodeError SEND_REFUSED with its reason, or
   * SEND_COINS_SPENT.
   */
  async send(hex: string): Promise<void> {
    await this.#give('sendrawtransaction', hex);
  }

  /** Mines one block of nothing but this transaction (regtest); its reward goes to `script`. Throws as {@link send}. */
  async mine(hex: string, script: Uint8Array): Promise<void> {
    await this.#give('generateblock', `raw(${Buffer.from(script).toString('hex')})`, [hex]);
  }

  async #give(method: string, ...params: NodeParam[]): Promise<void> {
    try {
      await this.call(method, ...params);
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'NODE_RPC_ERROR') throw error;
      const said = error.message;
      if (nodeCodeOf(error) === ALREADY_IN_CHAIN || KNOWN.test(said)) return;
      const facts = { node: this.rpc.name, says: shortAscii(said) };
      if (SPENT.test(said)) {
        throw new NodeError('SEND_COINS_SPENT', 'a coin that the transaction spends is spent, or was never there', {
          facts,
          hint: 'Delete the plan file, if there is one, and run the command again: it picks other coins.',
          cause: error,
        });
      }
      throw new NodeError('SEND_REFUSED', 'the node does not take the transaction', {
        facts,
        hint: hintFor(said),
        cause: error,
      });
    }
  }
}

/** Whether a reward with so many confirmations may be spent in the next block. */
export function isMature(confirmations: unknown): boolean {
  return typeof confirmations === 'number' && confirmations >= MATURITY;
}

/** What helps against the rules by which nodes pass transactions on. */
function hintFor(said: string): string {
  if (/fee|priority/i.test(said)) return 'Raise --fee-rate.';
  if (/size/i.test(said))
    return 'Make the program smaller: a transaction that nodes pass on has 100,000 virtual bytes.';
  if (/scriptpubkey|datacarrier|nonstandard|token|parasite|scriptsig|witness/i.test(said)) {
    return 'This node does not pass such transactions on: use another one; on regtest --mine puts it into a block.';
  }
  return 'See what the node says; on regtest --mine puts it into a block without its rules for passing on.';
}

/** Whether the node knows no such method, as one without wallets. */
export function isUnknownMethod(error: unknown): boolean {
  return nodeCodeOf(error) === RPC.unknownMethod;
}

/** A value in bitcoin, as nodes write it. Throws NodeError NODE_BAD_RESPONSE. */
export function satoshiOf(value: unknown): bigint {
  const found = typeof value === 'number' ? Math.round(value * SATOSHI) : Number.NaN;
  if (!Number.isSafeInteger(found)) throw badResponse('a value is no number of bitcoin');
  return BigInt(found);
}

/** Throws NodeError NODE_BAD_RESPONSE. */
export function hexOf(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/.test(value)) throw badResponse('a field is not hex');
  return fromHex(value);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
