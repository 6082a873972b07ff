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
  /** Weak: only the cache of prepared programs, which counts their bytes, keeps a program alive. */
  readonly program: WeakRef<Program>;
}

export class StoredPrograms {
  readonly #known: BoundedCache<Known>;

  constructor(maxContracts = KEPT_CONTRACTS, maxBytes = KEPT_BYTES) {
    this.#known = new BoundedCache(maxContracts, maxBytes);
  }

  /** The program of a `code/` value of kind 00, remembered by key and checked by value. */
  ofStored(key: LaneKey, value: Uint8Array): Program {
    const known = this.#known.get(key);
    const hit = known !== undefined && bytesEqual(known.value, value) ? known.program.deref() : undefined;
    const program = hit ?? prepareProgram(value.subarray(1));
    // The newest value is kept: a reader that returns the same array again saves the comparison.
    this.#known.set(key, { value, program: new WeakRef(program) }, value.length);
    return program;
  }

  /** Contracts and bytes of code that are remembered. */
  get kept(): { readonly contracts: number; readonly bytes: number } {
    return { contracts: this.#known.size, bytes: this.#known.weight };
  }
}

/** A cache of pure results: one per thread is enough, and it is never stale. */
export const programs = new StoredPrograms();
