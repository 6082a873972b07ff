import { EnvironmentError, InputError } from '../errors/errors.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { proofFromJson } from '../store/proof/json.js';
import { type KeyProof, refutationOf } from '../store/proof/key-proof.js';
import { combinedRoot } from '../store/tree/tree-hash.js';
import type { Namespace, StateRoots } from '../store/types.js';
import { fromHex, toHex } from '../util/bytes.js';
import type { BlockAt, DiffSide } from './side.js';

const HASH = /^0x[0-9a-f]{64}$/;

/** A running server, which is not trusted: what it proves is verified under the roots that it tells. */
export class ServerSide implements DiffSide {
  constructor(readonly name: string) {}

  async range(): Promise<{ first: number; tip: number } | undefined> {
    const answer = await askRpc(this.name, 'metashrew_height', []);
    const tip = typeof answer === 'string' && /^\d{1,9}$/.test(answer) ? Number(answer) : Number.NaN;
    if (!Number.isInteger(tip)) throw this.#strange('metashrew_height', 'no height');
    if ((await this.block(tip)) === undefined) return undefined;
    // Its blocks follow each other: the lowest is found by halving.
    let [missing, first] = [-1, tip];
    while (missing + 1 < first) {
      const middle = (missing + first) >> 1;
      if ((await this.block(middle)) === undefined) missing = middle;
      else first = middle;
    }
    return { first, tip };
  }

  async block(height: number): Promise<BlockAt | undefined> {
    const answer = await this.#ask('warpshrew_getroots', [height], 'BLOCK_NOT_INDEXED');
    if (answer instanceof EnvironmentError) return undefined;
    const fields = typeof answer === 'object' && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {};
    const { hash, stateRoot, standardRoot, laneRoot } = fields;
    const isHash = (value: unknown): value is string => typeof value === 'string' && HASH.test(value);
    if (fields.height !== height || !isHash(hash)) throw this.#strange('warpshrew_getroots', 'no block');
    const plain = (value: string): string => value.slice(2);
    if (stateRoot === null) return { hash: plain(hash), roots: undefined };
    if (!isHash(stateRoot) || !isHash(standardRoot) || !isHash(laneRoot)) {
      throw this.#strange('warpshrew_getroots', 'no roots');
    }
    const roots: StateRoots = { state: plain(stateRoot), standard: plain(standardRoot), lane: plain(laneRoot) };
    if (toHex(combinedRoot(fromHex(roots.standard), fromHex(roots.lane))) !== roots.state) {
      throw this.#strange('warpshrew_getroots', 'a state root that is not that of its namespaces');
    }
    return { hash: plain(hash), roots };
  }

  async prove(namespace: Namespace, key: Uint8Array, height: number): Promise<KeyProof | number> {
    const params = [namespace, toHex(key), height];
    const answer = await this.#ask('warpshrew_getproof', params, 'STORE_NOT_PROVABLE');
    if (answer instanceof EnvironmentError) return Math.max(height + 1, Number(answer.facts.from ?? 0));
    const proof = this.#proofIn(answer);
    const refutation = refutationOf(proof, { namespace, key, height });
    if (refutation !== undefined) throw this.#strange('warpshrew_getproof', refutation.reason);
    return proof;
  }

  #proofIn(answer: unknown): KeyProof {
    try {
      return proofFromJson(answer);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw this.#strange('warpshrew_getproof', error.message);
    }
  }

  async close(): Promise<void> {}

  /** The result, or the error with this code that the server answered. */
  async #ask(method: string, params: readonly unknown[], code: string): Promise<unknown> {
    try {
      return await askRpc(this.name, method, params);
    } catch (error) {
      if (error instanceof EnvironmentError && error.facts.serverCode === code) return error;
      throw error;
    }
  }

  #strange(method: string, reason: string): EnvironmentError {
    return new EnvironmentError('ENV_RPC_FAILED', `the answer to ${method} cannot be used`, {
      facts: { address: this.name, reason },
      hint: 'Check that a server of warpshrew of this version runs there.',
    });
  }
}
