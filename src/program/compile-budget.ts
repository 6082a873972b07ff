/**
 * What compiling may take of one message. A message may enter dozens of programs that have all run enough to be
 * compiled: one after the other, each with a message that enters it, they cost as much, and no message waits for all.
 */
import type { Program } from './types.js';

/** Bytes of source that a message may have compiled whatever it runs, and what each program counts beside its own. */
const MESSAGE_BYTES = 128 * 1024;
const PROGRAM_BYTES = 16 * 1024;
/** Interpreting so much fuel takes as long as compiling a byte: a long message may have more compiled. */
const FUEL_A_BYTE = 8;

export class CompileBudget {
  #left = MESSAGE_BYTES;
  #anyCompiled = false;

  /** Whether `program` may be compiled now; the first of a message always may. */
  allows({ sourceBytes }: Program): boolean {
    return !this.#anyCompiled || this.#left >= sourceBytes + PROGRAM_BYTES;
  }

  /** `program` is compiled. */
  spend({ sourceBytes }: Program): void {
    this.#anyCompiled = true;
    this.#left -= sourceBytes + PROGRAM_BYTES;
  }

  /** The interpreter has run so much. */
  interpreted(fuel: number): void {
    this.#left += fuel / FUEL_A_BYTE;
  }

  /** The message is over. */
  messageEnded(): void {
    this.#left = MESSAGE_BYTES;
    this.#anyCompiled = false;
  }
}
