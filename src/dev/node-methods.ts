/** The JSON-RPC methods of a Bitcoin node that indexers, wallets and our own commands use, over a {@link DevChain}. */
import { Transaction as Decoded } from 'bitcoinjs-lib';
import { scriptOfAddress } from '../bitcoin/address.js';
import { REGTEST } from '../bitcoin/regtest.js';
import type { Transaction } from '../bitcoin/types.js';
import { fromHex, readU32, toDisplayHash, toHex } from '../util/bytes.js';
import { VERSION } from '../util/version.js';
import { type DevBlock, type DevChain, type DevCoin, Rejection } from './dev-chain.js';
import type { DevWallet } from './dev-wallet.js';

/** What the methods work on. */
export interface DevNode {
  readonly chain: DevChain;
  readonly wallet: DevWallet;
  /** Whether a transaction gets a block as soon as it comes. */
  readonly instant: boolean;
  /** Called behind each change of the chain, before the answer. */
  readonly changed: () => Promise<void>;
}

type Params = readonly unknown[];
type Method = (node: DevNode, params: Params) => unknown;

const INVALID_PARAMETER = -8;
const NOT_FOUND = -5;
const BAD_TYPE = -3;
const SATOSHI = 100_000_000;
const MOST_GENERATED = 1_000;

export const NODE_METHODS: Readonly<Record<string, Method>> = {
  getblockchaininfo: ({ chain }) => ({
    ...{ chain: 'regtest', blocks: chain.height, headers: chain.height, bestblockhash: toDisplayHash(chain.tip.hash) },
    ...{ difficulty: 4.656542373906925e-10, time: chain.tip.time, mediantime: chain.tip.time, verificationprogress: 1 },
    ...{ initialblockdownload: false, chainwork: '00'.repeat(32), size_on_disk: 0, pruned: false, warnings: '' },
  }),
  getnetworkinfo: () => ({
    ...{ version: 280000, subversion: `/warpshrew-dev:${VERSION}/`, protocolversion: 70016, connections: 0 },
    ...{ networkactive: false, relayfee: 0.000001, incrementalfee: 0.000001, warnings: '' },
  }),
  getblockcount: ({ chain }) => chain.height,
  getbestblockhash: ({ chain }) => toDisplayHash(chain.tip.hash),
  getblockhash: ({ chain }, params) => {
    const block = chain.block(numberAt(params, 0));
    if (block === undefined) throw new Rejection(INVALID_PARAMETER, 'Block height out of range');
    return toDisplayHash(block.hash);
  },
  getblock: ({ chain }, params) => {
    const block = blockAt(chain, params);
    const verbosity = params[1] ?? 1;
    if (verbosity === 0 || verbosity === false) return toHex(block.raw);
    const tx = block.transactions.map((each) =>
      verbosity === 2 ? transactionJson(chain, each, block.height) : toDisplayHash(each.txid),
    );
    return { ...headerJson(chain, block), size: block.raw.length, tx };
  },
  getblockheader: ({ chain }, params) => {
    const block = blockAt(chain, params);
    return params[1] === false ? toHex(block.raw.subarray(0, 80)) : headerJson(chain, block);
  },
  getrawtransaction: ({ chain }, params) => {
    const found = chain.transaction(textAt(params, 0));
    if (found === undefined) throw new Rejection(NOT_FOUND, 'No such mempool or blockchain transaction');
    const { transaction, height } = found;
    return params[1] === true || params[1] === 1 || params[1] === 2
      ? transactionJson(chain, transaction, height)
      : toHex(transaction.raw);
  },
  decoderawtransaction: ({ chain }, params) => transactionJson(chain, parsedHex(params), undefined),
  gettxout: ({ chain }, params) => {
    const coin = chain.coin(textAt(params, 0), numberAt(params, 1), params[2] !== false);
    return coin === undefined ? null : { bestblock: toDisplayHash(chain.tip.hash), ...coinJson(chain, coin) };
  },
  scantxoutset: ({ chain }, params) => {
    const list: unknown = params[1];
    if (params[0] !== 'start' || !Array.isArray(list))
      throw new Rejection(INVALID_PARAMETER, 'only "start" with a list');
    const unspents = list.map(scriptOfDescriptor).flatMap((script) =>
      chain.coinsOf(script).map(({ txid, vout, coin }) => ({
        ...{ txid, vout, scriptPubKey: toHex(coin.script), amount: bitcoin(coin.value), height: coin.height },
        coinbase: false,
      })),
    );
    const total = unspents.reduce((sum, { amount }) => sum + amount, 0);
    return {
      success: true,
      height: chain.height,
      bestblock: toDisplayHash(chain.tip.hash),
      unspents,
      total_amount: total,
    };
  },
  sendrawtransaction: async (node, params) => give(node, bytesAt(params, 0)),
  testmempoolaccept: ({ chain }, params) => {
    const list: unknown = params[0];
    if (!Array.isArray(list) || list.length > 25) throw new Rejection(INVALID_PARAMETER, 'a list of 1 to 25 is wanted');
    return list.map((hex) => {
      try {
        const { txid } = chain.check(bytesAt([hex], 0));
        return { txid: toDisplayHash(txid), allowed: true };
      } catch (error) {
        if (!(error instanceof Rejection)) throw error;
        return { allowed: false, 'reject-reason': error.message };
      }
    });
  },
  getrawmempool: ({ chain }) => chain.mempool,
  getmempoolinfo: ({ chain }) => ({ loaded: true, size: chain.mempool.length, mempoolminfee: 0.000001 }),
  estimatesmartfee: () => ({ errors: ['Insufficient data or no feerate found'], blocks: 0 }),
  validateaddress: (_, params) => {
    const script = scriptOfAddress(textAt(params, 0), 'regtest');
    if (typeof script === 'string') return { isvalid: false, error: script };
    return { isvalid: true, address: textAt(params, 0), scriptPubKey: toHex(script) };
  },
  generatetoaddress: async (node, params) => generate(node, numberAt(params, 0), scriptAt(params, 1)),
  generate: async (node, params) => generate(node, numberAt(params, 0), node.wallet.lock.script),
  generateblock: async ({ chain, changed }, params) => {
    const list: unknown = params[1];
    if (!Array.isArray(list)) throw new Rejection(BAD_TYPE, 'a list of transactions is wanted');
    const transactions = list.map((each) => {
      const text = textAt([each], 0);
      return chain.mempool.includes(text) ? chain.transaction(text)?.transaction : chain.check(bytesAt([text], 0));
    });
    const { hash } = chain.mine(
      scriptOfDescriptor(params[0]),
      transactions.filter((each) => each !== undefined),
    );
    await changed();
    return { hash: toDisplayHash(hash) };
  },
  invalidateblock: async ({ chain, changed }, params) => {
    const { height } = blockAt(chain, params);
    while (chain.height >= height) chain.undo();
    await changed();
    return null;
  },
  getnewaddress: ({ wallet }) => wallet.address,
  getrawchangeaddress: ({ wallet }) => wallet.address,
  getbalance: ({ wallet }) => bitcoin(wallet.coins().reduce((sum, { value }) => sum + value, 0n)),
  listunspent: ({ chain, wallet }) =>
    wallet.coins().map(({ txid, vout, value, lock }) => ({
      ...{ txid: toDisplayHash(txid), vout, address: wallet.address, scriptPubKey: toHex(lock.script) },
      ...{ amount: bitcoin(value), spendable: true, solvable: true, safe: true, confirmations: 1 + chain.height },
    })),
  sendtoaddress: async (node, params) => {
    const value = params[1];
    const satoshi =
      typeof value === 'number' || typeof value === 'string' ? Math.round(Number(value) * SATOSHI) : Number.NaN;
    if (!Number.isSafeInteger(satoshi) || satoshi < 546) throw new Rejection(BAD_TYPE, 'Invalid amount');
    return give(node, node.wallet.pay(scriptAt(params, 0), BigInt(satoshi)));
  },
  walletprocesspsbt: ({ wallet }, params) => wallet.process(textAt(params, 0)),
  finalizepsbt: ({ wallet }, params) => wallet.finalize(textAt(params, 0)),
};

async function give({ chain, wallet, instant, changed }: DevNode, raw: Uint8Array): Promise<string> {
  const txid = chain.accept(raw);
  if (instant) {
    chain.mine(wallet.lock.script);
    await changed();
  }
  return txid;
}

async function generate({ chain, changed }: DevNode, count: number, script: Uint8Array): Promise<string[]> {
  if (count > MOST_GENERATED) throw new Rejection(INVALID_PARAMETER, `at most ${MOST_GENERATED} blocks at once`);
  const hashes = Array.from({ length: count }, () => toDisplayHash(chain.mine(script).hash));
  await changed();
  return hashes;
}

function blockAt(chain: DevChain, params: Params): DevBlock {
  const block = chain.blockOf(textAt(params, 0));
  if (block === undefined) throw new Rejection(NOT_FOUND, 'Block not found');
  return block;
}

function headerJson(chain: DevChain, { hash, height, time, raw, transactions }: DevBlock): object {
  const next = chain.block(height + 1);
  return {
    ...{ hash: toDisplayHash(hash), confirmations: chain.height - height + 1, height, time, mediantime: time },
    ...{ version: readU32(raw, 0), merkleroot: toDisplayHash(raw.slice(36, 68)), nonce: readU32(raw, 76) },
    ...{
      bits: REGTEST.bits.toString(16),
      previousblockhash: toDisplayHash(raw.slice(4, 36)),
      nTx: transactions.length,
    },
    ...(next !== undefined && { nextblockhash: toDisplayHash(next.hash) }),
  };
}

function transactionJson(
  chain: DevChain,
  { txid, raw, inputs, outputs }: Transaction,
  height: number | undefined,
): object {
  const decoded = Decoded.fromBuffer(raw);
  const block = height === undefined ? undefined : chain.block(height);
  return {
    ...{ txid: toDisplayHash(txid), hash: toDisplayHash(decoded.getHash(true)), version: decoded.version },
    ...{ size: raw.length, vsize: decoded.virtualSize(), weight: decoded.weight(), locktime: decoded.locktime },
    vin: inputs.map(({ prevTxid, prevVout, witness }, at) => ({
      ...{ txid: toDisplayHash(prevTxid), vout: prevVout, txinwitness: witness.map(toHex) },
      sequence: decoded.ins[at].sequence,
    })),
    vout: outputs.map(({ value, script }, n) => ({ value: bitcoin(value), n, scriptPubKey: { hex: toHex(script) } })),
    hex: toHex(raw),
    ...(block !== undefined && {
      ...{ blockhash: toDisplayHash(block.hash), confirmations: chain.height - block.height + 1, time: block.time },
    }),
  };
}

/** Rewards are said to be none: they can be spent at once. */
function coinJson(chain: DevChain, { value, script, height }: DevCoin): object {
  const confirmations = height === undefined ? 0 : chain.height - height + 1;
  return { confirmations, value: bitcoin(value), scriptPubKey: { hex: toHex(script) }, coinbase: false };
}

function bitcoin(satoshi: bigint): number {
  return Number(satoshi) / SATOSHI;
}

/** `raw(HEX)`, `addr(ADDRESS)` or an address, alone or as `{"desc": …}`. */
function scriptOfDescriptor(given: unknown): Uint8Array {
  const text: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, 'desc') : given;
  const [, kind, within] = /^(?:(raw|addr)\(([0-9A-Za-z]+)\)(?:#[a-z0-9]{8})?)$/.exec(String(text)) ?? [];
  if (kind === 'raw') return bytesAt([within], 0);
  return scriptAt([within ?? text], 0);
}

function scriptAt(params: Params, at: number): Uint8Array {
  const script = scriptOfAddress(textAt(params, at), 'regtest');
  if (typeof script === 'string') throw new Rejection(NOT_FOUND, `Invalid address: ${script}`);
  return script;
}

function numberAt(params: Params, at: number): number {
  const value = params[at];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Rejection(BAD_TYPE, `parameter ${at + 1} is not a whole number`);
}

function textAt(params: Params, at: number): string {
  const value = params[at];
  if (typeof value === 'string') return value;
  throw new Rejection(BAD_TYPE, `parameter ${at + 1} is not a text`);
}

function bytesAt(params: Params, at: number): Uint8Array {
  try {
    return fromHex(textAt(params, at));
  } catch (error) {
    if (error instanceof Rejection) throw error;
    throw new Rejection(-22, 'TX decode failed: not whole bytes of hex');
  }
}

function parsedHex(params: Params): Transaction {
  const decoded = Decoded.fromBuffer(bytesAt(params, 0));
  return {
    txid: decoded.getHash(),
    raw: decoded.toBuffer(),
    inputs: decoded.ins.map(({ hash, index, witness }) => ({ prevTxid: hash, prevVout: index, witness })),
    outputs: decoded.outs.map(({ value, script }) => ({ value, script })),
  };
}
