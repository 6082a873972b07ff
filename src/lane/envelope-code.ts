/** The module in a transaction's envelope, ready to run, or why there is none (docs/lane-rules.md, section 3). */
import { createHash } from 'node:crypto';
import type { Transaction } from '../bitcoin/types.js';
import { ProgramError } from '../errors/errors.js';
import { inflateBody } from '../program/inflate.js';
import { BoundedCache } from '../program/lru.js';
import { prepareProgram } from '../program/prepare.js';
import type { Program } from '../program/types.js';
import { findEnvelope } from '../protocol/envelope.js';

export type EnvelopeCode =
  | { readonly ok: true; readonly program: Program }
  | { readonly ok: false; readonly error: string };

/**
 * Only the cache of prepared programs, which counts bytes, keeps the program; it can be prepared again from the WASM.
 * `hash` is the SHA-256 of that.
 */
type Module =
  | { readonly ok: true; readonly wasm: Uint8Array; readonly hash: string }
  | { readonly ok: false; readonly error: string };

/** Approximate memory of a refusal and its key. */
const REFUSAL_BYTES = 256;
const KEPT_REFUSALS = 4_096;

export class EnvelopeCodes {
  /**
   * The dry run, the plan, the executor and the repair of a transaction all need its module. An entry lives as long as
   * the block does and takes at most 8 times the block's witness bytes.
   */
  readonly #found = new WeakMap<Transaction, Module>();
  /** By SHA-256 of the body: a body that was refused once is neither inflated nor checked again. */
  readonly #refusals: BoundedCache<string>;
  readonly #inflate: typeof inflateBody;

  constructor(inflate = inflateBody, keptRefusals = KEPT_REFUSALS) {
    this.#inflate = inflate;
    this.#refusals = new BoundedCache(keptRefusals, keptRefusals * REFUSAL_BYTES);
  }

  /** The program in the first envelope of `tx`: found, inflated, checked and instrumented once. */
  of(tx: Transaction): EnvelopeCode {
    let module = this.#found.get(tx);
    if (module === undefined) {
      module = this.#moduleOf(tx);
      this.#found.set(tx, module);
    }
    return module.ok ? { ok: true, program: prepareProgram(module.wasm, module.hash) } : module;
  }

  #moduleOf(tx: Transaction): Module {
    const body = findEnvelope(tx);
    if (body === undefined) return { ok: false, error: 'no envelope' };
    const hash = createHash('sha256').update(body).digest('hex');
    const known = this.#refusals.get(hash);
    if (known !== undefined) return { ok: false, error: known };
    const module = this.#moduleOfBody(body);
    if (!module.ok) this.#refusals.set(hash, module.error, REFUSAL_BYTES);
    return module;
  }

  #moduleOfBody(body: Uint8Array): Module {
    const inflated = this.#inflate(body);
    if (!inflated.ok) return inflated;
    try {
      const { source: wasm, hash } = prepareProgram(inflated.wasm);
      return { ok: true, wasm, hash };
    } catch (error) {
      if (error instanceof ProgramError) return { ok: false, error: `invalid code: ${error.code}` };
      throw error;
    }
  }
}

/** A cache of pure results: one per thread is enough, and it is never stale. */
export const envelopeCodes = new EnvelopeCodes();
