/** Programs of stored code, found by their code without hashing all of it again. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { BoundedCache } from '../program/lru.js';
import { knownProgram, prepareProgram } from '../program/prepare.js';
import type { Program } from '../program/types.js';
import { isLongCode } from './overlay.js';
import type { LaneKey, StateReader } from './types.js';

/** Codes whose hash is remembered, some hundred bytes each. */
const KEPT_HASHES = 65_536;

/**
 * SHA-256 of a contract's code takes longer than the whole of a short call, so what it gave is remembered by a tag of
 * the code that takes a tenth of the time: GMAC under a key that this process drew and shows to no one. Without the
 * key nobody can make two codes with one tag, and for any two of 2 MiB it happens once in 2^110 keys.
 */
export class StoredPrograms {
  readonly #key = randomBytes(16);
  readonly #nonce = randomBytes(12);
  /** Within a block a reader gives the same array again and again. It keeps no array alive. */
  readonly #seen = new WeakMap<Uint8Array, string>();
  readonly #hashes: BoundedCache<string>;

  constructor(maxHashes = KEPT_HASHES) {
    this.#hashes = new BoundedCache(maxHashes, maxHashes);
  }

  /**
   * The program of a `code/` value of kind 00. Only the cache of prepared programs, which counts their bytes, keeps a
   * program: a strong reference would keep more, and so would a WeakRef, whose target lives until the job that made it
   * ends. A block is one job. If `key` is given, where it lies, `state` learns which long code is there.
   */
  ofStored(value: Uint8Array, key?: LaneKey, state?: StateReader): Program {
    const program = this.#programOf(value);
    if (key !== undefined && isLongCode(value)) state?.learnCode?.(key, program);
    return program;
  }

  #programOf(value: Uint8Array): Program {
    const seen = this.#seen.get(value);
    if (seen !== undefined) return knownProgram(seen) ?? prepareProgram(value.subarray(1), seen);
    const tag = this.#tagOf(value);
    const program = prepareProgram(value.subarray(1), this.#hashes.get(tag));
    this.#hashes.set(tag, program.hash, 1);
    this.#seen.set(value, program.hash);
    return program;
  }

  /** Codes whose hash is remembered. */
  get kept(): number {
    return this.#hashes.size;
  }

  #tagOf(value: Uint8Array): string {
    // Tags never leave this object, so that one nonce for all of them tells nobody anything.
    const mac = createCipheriv('aes-128-gcm', this.#key, this.#nonce).setAAD(value);
    mac.final();
    return mac.getAuthTag().toString('base64');
  }
}

/** A cache of pure results: one per thread is enough, and it is never stale. */
export const programs = new StoredPrograms();
