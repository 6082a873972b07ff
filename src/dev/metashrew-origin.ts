/**
 * A Metashrew host that a chain goes on from. It has views of its module and no keys: what they say of blocks up to the
 * fork is its own, nothing else can be had of it.
 */
import { LRUCache } from 'lru-cache';
import { EnvironmentError, ProgramError, WarpshrewError } from '../errors/errors.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { fromDisplayHash, fromHex, toHex } from '../util/bytes.js';
import type { ChainBase } from './dev-chain.js';

/** Answers at one height up to the fork are kept, as far as there is room. */
const CACHE_BYTES = 64 << 20;
const ENTRY_BYTES = 200;

/** What answers views of blocks that a chain begins above. */
export interface ViewOrigin {
  readonly base: ChainBase;
  /**
   * At most at the height of the fork. Throws EnvironmentError ENV_RPC_FAILED and ENV_ABOVE_FORK, ProgramError
   * VIEW_NOT_FOUND.
   */
  view(name: string, input: Uint8Array, height: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Whether a server has refused a method as one that it does not know: the two wordings of Metashrew hosts. */
export function isUnknownMethod(error: unknown): boolean {
  if (!(error instanceof WarpshrewError) || error.facts.serverCode !== undefined) return false;
  return /"code":-32601|Method not found/.test(String(error.facts.reason));
}

export class MetashrewOrigin implements ViewOrigin {
  readonly #cache = new LRUCache<string, Uint8Array>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (answer, question) => ENTRY_BYTES + question.length + answer.length,
  });

  constructor(
    readonly url: string,
    readonly base: ChainBase,
  ) {}

  async view(name: string, input: Uint8Array, height: number): Promise<Uint8Array> {
    if (height > this.base.height) {
      throw new EnvironmentError('ENV_ABOVE_FORK', 'the host that was forked has no blocks above the fork', {
        facts: { height, fork: this.base.height },
        hint: `Ask for height ${this.base.height} or below; blocks above it are of this chain, and no view sees them.`,
      });
    }
    const params = [name, toHex(input), height] as const;
    const question = JSON.stringify(params);
    const kept = this.#cache.get(question);
    if (kept !== undefined) return kept;
    const answer = await this.#ask(name, params);
    this.#cache.set(question, answer);
    return answer;
  }

  async close(): Promise<void> {
    this.#cache.clear();
  }

  async #ask(name: string, params: readonly unknown[]): Promise<Uint8Array> {
    let answer: unknown;
    try {
      answer = await askRpc(this.url, 'metashrew_view', params);
    } catch (error) {
      if (!(error instanceof WarpshrewError) || !/get view function/.test(String(error.facts.reason))) throw error;
      throw new ProgramError('VIEW_NOT_FOUND', 'the module of the host has no such view', { facts: { name } });
    }
    if (typeof answer === 'string' && /^0x([0-9a-f]{2})*$/.test(answer)) return fromHex(answer);
    throw notMetashrew(this.url, 'its view gives no hex');
  }
}

/** The block that a chain goes on from: `height`, or the newest. Throws EnvironmentError ENV_RPC_FAILED. */
export async function baseOf(url: string, height: number | undefined): Promise<ChainBase> {
  const newest = Number(await askRpc(url, 'metashrew_height', []));
  const at = height ?? newest;
  if (!Number.isSafeInteger(newest) || at > newest)
    throw notMetashrew(url, `its newest block is ${newest}, below ${at}`);
  const hash = await askRpc(url, 'metashrew_getblockhash', [at]);
  if (typeof hash !== 'string' || !/^0x[0-9a-f]{64}$/.test(hash)) throw notMetashrew(url, 'it gives no block hash');
  return { height: at, hash: fromDisplayHash(hash.slice(2)), time: 0 };
}

function notMetashrew(url: string, reason: string): EnvironmentError {
  return new EnvironmentError('ENV_RPC_FAILED', `the server that was forked cannot be asked: ${reason}`, {
    facts: { address: url },
    hint: 'Check that it is a warpshrew server or a Metashrew host that has the height.',
  });
}
