import type { Program } from '../../program/types.js';
import { programs } from '../programs.js';
import type { BlockState } from './block-state.js';

/** Copies of contracts' code that are kept while a block runs, in bytes. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** Programs by the number of their code's key, found without comparing code. */
export class ContractCodes {
  readonly #state: BlockState;
  readonly #codes = new Map<number, Uint8Array>();
  #bytes = 0;
  /** Most transactions call what the one before called. */
  #lastKey = -1;
  #lastProgram: Program | undefined;

  constructor(state: BlockState) {
    this.#state = state;
  }

  /** The program of the stored code at `key`, which lies from `start` to `end` of the state. Code never changes. */
  programAt(key: number, start: number, end: number): Program {
    if (key === this.#lastKey && this.#lastProgram !== undefined) return this.#lastProgram;
    let code = this.#codes.get(key);
    if (code === undefined) {
      if (this.#bytes + end - start > KEPT_BYTES) this.forget();
      code = this.#state.bytes.slice(start, end);
      this.#bytes += code.length;
      this.#codes.set(key, code);
    }
    this.#lastProgram = programs.ofStored(code);
    this.#lastKey = key;
    return this.#lastProgram;
  }

  /** Keys have other numbers from now on. */
  forget(): void {
    this.#codes.clear();
    this.#bytes = 0;
    this.#lastProgram = undefined;
  }
}
