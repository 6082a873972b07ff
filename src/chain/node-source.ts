import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { NodeError } from '../errors/errors.js';
import { fromDisplayHash, fromHex, toDisplayHash } from '../util/bytes.js';
import { shown } from '../util/shown.js';
import { streamBlocks } from './block-stream.js';
import { Changes, type Notifier } from './changes.js';
import { type Clock, REAL_CLOCK } from './clock.js';
import { NETWORKS, type Network, networkOfChain, signetMagic } from './networks.js';
import { badResponse, nodeCodeOf, RPC } from './node-errors.js';
import type { NodeRpc, Outcome } from './node-rpc.js';
import type { ChainBlock, ChainSource, ChainTip } from './source.js';

export interface NodeSourceOptions {
  /** Blocks requested at a time. */
  readonly concurrency?: number;
  /** Bound of the bytes held by {@link NodeSource.blocks}. */
  readonly maxBytes?: number;
  /** Bound of their number. */
  readonly maxBlocks?: number;
  /** Milliseconds between two polls of the tip while waiting for a change. */
  readonly pollMs?: number;
  /** As `pollMs`, while notifications come. */
  readonly safetyMs?: number;
  /** Owned, and closed, by its creator. */
  readonly notifier?: Notifier;
  readonly clock?: Clock;
}

/** What a node reports about itself. */
export interface NodeInfo {
  readonly network: Network;
  /** The bytes before each block in its block files. */
  readonly magic: Uint8Array;
  readonly tip: ChainTip;
  /** Height of the best header: the tip's, or more while blocks are missing. */
  readonly headers: number;
  readonly initialBlockDownload: boolean;
  /** Lowest height whose block a pruned node still has; undefined if it is not pruned. */
  readonly pruneHeight: number | undefined;
}

const HASH_BATCH = 500;
/** The hex of a block and the JSON around it. */
const MAX_BLOCK_ANSWER = 2 * MAX_BLOCK_LENGTH + 4096;
/** Memory of a block being fetched: the bytes of the answer and of the block. */
const RESERVE = 3 * MAX_BLOCK_LENGTH;

/** The best chain of a node, over JSON-RPC. Methods reject as those of {@link NodeRpc}. */
export class NodeSource implements ChainSource {
  readonly kind = 'rpc';
  readonly name: string;
  readonly #changes: Changes;
  #lastTip: string | undefined;
  readonly #options: NodeSourceOptions;

  constructor(
    readonly rpc: NodeRpc,
    options: NodeSourceOptions = {},
  ) {
    this.#options = options;

    this.name = rpc.name;
    this.#changes = new Changes({
      clock: options.clock ?? REAL_CLOCK,
      pollMs: options.pollMs ?? 1000,
      safetyMs: options.safetyMs ?? 10_000,
      notifier: options.notifier,
      look: async (signal) => (await rpc.call('getbestblockhash', [], { signal })) !== this.#lastTip,
    });
  }

  async info(signal?: AbortSignal): Promise<NodeInfo> {
    return readInfo(await this.rpc.call('getblockchaininfo', [], { signal }));
  }

  genesis(): Promise<Uint8Array | undefined> {
    return this.hashAt(0);
  }

  async tip(): Promise<ChainTip> {
    this.#changes.mark();
    const { tip } = await this.info();
    this.#lastTip = toDisplayHash(tip.hash);
    return tip;
  }

  async hashAt(height: number): Promise<Uint8Array | undefined> {
    try {
      return readHash(await this.rpc.call('getblockhash', [height]));
    } catch (error) {
      if (nodeCodeOf(error) === RPC.invalidParameter) return undefined;
      throw error;
    }
  }

  /** Hashes (wire order) of the best chain from `height` on, at most `count`; fewer where the chain ends. */
  async hashes(height: number, count: number, signal: AbortSignal): Promise<Uint8Array[]> {
    const heights = Array.from({ length: count }, (_, i) => [height + i]);
    const outcomes = await this.rpc.batch('getblockhash', heights, { signal });
    const end = outcomes.findIndex((outcome) => 'error' in outcome);
    const failed = outcomes[end];
    if (failed && 'error' in failed && nodeCodeOf(failed.error) !== RPC.invalidParameter) throw failed.error;
    return outcomes.slice(0, end < 0 ? count : end).map((outcome: Outcome) => {
      if ('error' in outcome) throw outcome.error;
      return readHash(outcome.result);
    });
  }

  /** The block with that hash, as the node sends it: the hash is not checked. `height` is its height in the chain. */
  async block(hash: Uint8Array, height: number, signal: AbortSignal): Promise<Uint8Array> {
    const params = [toDisplayHash(hash), 0];
    try {
      return await this.rpc.callBytes('getblock', params, { signal, maxBytes: MAX_BLOCK_ANSWER });
    } catch (error) {
      throw error instanceof NodeError && error.code === 'NODE_BLOCK_PRUNED'
        ? await this.#prunedOrMissing(error, height, signal)
        : error;
    }
  }

  /** A pruning node may report a block as pruned that it never had: what counts is its lowest block. */
  async #prunedOrMissing(error: NodeError, height: number, signal: AbortSignal): Promise<NodeError> {
    const { pruneHeight } = await this.info(signal);
    if (pruneHeight === undefined || height < pruneHeight) return error;
    const facts = { ...error.facts, height, pruneHeight };
    return new NodeError('NODE_BLOCK_MISSING', 'the node does not have a block that it announced', {
      facts,
      cause: error,
    });
  }

  blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    return streamBlocks({
      from,
      to,
      signal,
      hashes: (height, count, own) => this.hashes(height, count, own),
      fetch: (hash, height, own) => this.block(hash, height, own),
      batch: HASH_BATCH,
      concurrency: this.#options.concurrency ?? 4,
      maxBytes: this.#options.maxBytes ?? 96 << 20,
      maxBlocks: this.#options.maxBlocks,
      reserve: RESERVE,
    });
  }

  changed(ms: number, signal: AbortSignal): Promise<void> {
    return this.#changes.wait(ms, signal);
  }

  async close(): Promise<void> {
    this.rpc.close();
  }
}

function readHash(value: unknown): Uint8Array {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return fromDisplayHash(value);
  throw badResponse('a block hash is not 64 hex digits');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readInfo(value: unknown): NodeInfo {
  const info: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const facts = networkOfChain(info.chain);
  if (facts === undefined) {
    const known = NETWORKS.map(({ chain }) => chain).join(', ');
    throw badResponse('it names no known chain', { chain: shown(info.chain, 20), known });
  }
  const {
    blocks,
    headers,
    bestblockhash,
    initialblockdownload,
    pruned,
    pruneheight,
    signet_challenge: challenge,
  } = info;
  if (!isCount(blocks)) throw badResponse('it gives no height');
  const custom = facts.network === 'signet' && typeof challenge === 'string' && challenge.length < 2 ** 16;
  let magic = facts.magic;
  try {
    if (custom) magic = signetMagic(fromHex(challenge));
  } catch {
    throw badResponse('its signet challenge is not hex');
  }
  return {
    network: facts.network,
    magic,
    tip: { height: blocks, hash: readHash(bestblockhash) },
    headers: isCount(headers) ? headers : blocks,
    initialBlockDownload: initialblockdownload === true,
    pruneHeight: pruned === true ? (isCount(pruneheight) ? pruneheight : 0) : undefined,
  };
}
