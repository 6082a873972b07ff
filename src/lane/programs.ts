/** Programs of stored code, remembered so that a message need not hash its contract's code again. */

import { BoundedCache } from '../program/lru.js';
import { prepareProgram } from '../program/prepare.js';
import type { Program } from '../program/types.js';
import { bytesEqual } from '../util/bytes.js';
import type { LaneKey } from './types.js';

/** Contracts remembered at once, and bytes of their code. */
const KEPT_CONTRACTS = 256;
const KEPT_BYTES = 32 * 1024 * 1024;

interface Known {
  readonly value: Uint8Array;
  /**
   * SHA-256 of the code. Only the cache of prepared programs, which counts their bytes, keeps a program: a strong
   * reference would keep more, and so would a WeakRef, whose target lives until the job that made it ends. A block is
   * one job.
   */
  readonly hash: string;
}

export class StoredPrograms {
  readonly #known: BoundedCache<Known>;

  constructor(maxContracts = KEPT_CONTRACTS, maxBytes = KEPT_BYTES) {
    this.#known = new BoundedCache(maxContracts, maxBytes);
  }

  /** The program of a `code/` value of kind 00, remembered by key and checked by value. */
  ofStored(key: LaneKey, value: Uint8Array): Program {
    const known = this.#known.get(key);
    const hash = known !== undefined && bytesEqual(known.value, value) ? known.hash : undefined;
    const program = prepareProgram(value.subarray(1), hash);
    // The newest value is kept: a reader that returns the same array again saves the comparison.
    this.#known.set(key, { value, hash: program.hash }, value.length);
    return program;
  }

  /** Contracts and bytes of code that are remembered. */
  get kept(): { readonly contracts: number; readonly bytes: number } {
    return { contracts: this.#known.size, bytes: this.#known.weight };
  }
}

/** A cache of pure results: one per thread is enough, and it is never stale. */
export const programs = new StoredPrograms();
