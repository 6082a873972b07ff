import { NodeRpc } from '../chain/node-rpc.js';
import type { ChainBlock, ChainSource, ChainTip } from '../chain/source.js';
import { NodeError } from '../errors/errors.js';
import type { SecondaryUrls } from '../standard/secondary.js';
import { toDisplayHash } from '../util/bytes.js';

const ONE = /[\w.-]{1,64}=(?:https?:\/\/[^\s,]+|(?![\w+.-]+:\/\/)[^\s,][^,]*)/.source;
/** `NAME=URL` or `NAME=FOLDER`, several separated by commas. */
export const SECONDARIES = new RegExp(`^${ONE}(?:,${ONE})*$`);

/** Whether a place of another index is the address of a server; if not, it is the folder of a database. */
export function isServer(place: string): boolean {
  return /^https?:\/\//.test(place);
}

/** Servers and folders by name, as {@link SECONDARIES} says; undefined where the setting is not given. */
export function secondaryPlaces(setting: string | undefined): SecondaryUrls | undefined {
  if (setting === undefined) return undefined;
  const pairs = setting.split(',').map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

/**
 * A chain as far as all other indexes that the module reads have it: its tip is the highest block that they have, and
 * where one has another block there, it is waited for (SECONDARY_AWAY, which passes).
 */
export class SecondaryGate implements ChainSource {
  readonly kind: ChainSource['kind'];
  readonly name: string;
  readonly #source: ChainSource;
  readonly #others: readonly { readonly name: string; readonly rpc: NodeRpc }[];

  constructor(source: ChainSource, urls: SecondaryUrls) {
    this.kind = source.kind;
    this.name = source.name;
    this.#source = source;
    this.#others = Object.entries(urls).map(([name, url]) => ({ name, rpc: new NodeRpc({ url, attempts: 1 }) }));
  }

  async tip(): Promise<ChainTip> {
    const tip = await this.#source.tip();
    const heights = await Promise.all(this.#others.map(({ name, rpc }) => heightOf(name, rpc)));
    const height = Math.min(tip.height, ...heights);
    const hash = height === tip.height ? tip.hash : await this.#source.hashAt(height);
    if (hash === undefined) throw away('', 'the chain of the node has become shorter');
    for (const { name, rpc } of this.#others) {
      const theirs = await asked(name, rpc, 'metashrew_getblockhash', height);
      if (theirs !== `0x${toDisplayHash(hash)}`) throw away(name, `it has another block at height ${height}`);
    }
    return { height, hash };
  }

  genesis(): Promise<Uint8Array | undefined> {
    return this.#source.genesis();
  }

  hashAt(height: number): Promise<Uint8Array | undefined> {
    return this.#source.hashAt(height);
  }

  blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    return this.#source.blocks(from, to, signal);
  }

  changed(ms: number, signal: AbortSignal): Promise<void> {
    return this.#source.changed(ms, signal);
  }

  /** Closes its own connections; the chain is closed by whoever opened it. */
  async close(): Promise<void> {
    for (const { rpc } of this.#others) rpc.close();
  }
}

async function heightOf(name: string, rpc: NodeRpc): Promise<number> {
  const text = await asked(name, rpc, 'metashrew_height');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw away(name, 'it tells no height');
}

async function asked(name: string, rpc: NodeRpc, method: string, ...params: number[]): Promise<string> {
  const result = await rpc.call(method, params).catch((cause: unknown) => {
    throw away(name, cause instanceof Error ? cause.message : String(cause), cause);
  });
  return String(result);
}

function away(name: string, why: string, cause?: unknown): NodeError {
  return new NodeError('SECONDARY_AWAY', `the index '${name}' that the module reads is not there: ${why}`, {
    facts: { index: name },
    hint: 'Check what --secondary names.',
    cause,
  });
}
