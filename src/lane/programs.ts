/** Programs of stored code, remembered so that a message need not hash its contract's code again. */
import { prepareProgram } from '../program/prepare.js';
import type { Program } from '../program/types.js';
import { sameBytes } from './same-bytes.js';
import type { LaneKey } from './types.js';

/** Programs remembered at most; the least recently used goes first. */
const CAPACITY = 256;

class StoredPrograms {
  readonly #known = new Map<LaneKey, { value: Uint8Array; program: Program }>();

  /** The program of a `code/` value of kind 00, remembered by key and checked by value. */
  ofStored(key: LaneKey, value: Uint8Array): Program {
    const known = this.#known.get(key);
    const hit = known !== undefined && sameBytes(known.value, value) ? known : undefined;
    // The newest value is kept: a reader that gives the same bytes again spares the comparison.
    const entry = { value, program: hit?.program ?? prepareProgram(value.subarray(1)) };
    this.#known.delete(key);
    this.#known.set(key, entry);
    if (this.#known.size > CAPACITY) this.#known.delete(this.#known.keys().next().value as LaneKey);
    return entry.program;
  }
}

/** A cache of pure results, so one per thread is enough and it is never wrong. */
export const programs = new StoredPrograms();
