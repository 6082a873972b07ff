/**
 * One memory of the greatest size, lent to one run after the other. A memory that has grown cannot be made smaller, so
 * a program that grows needs a fresh instance for each run, whose growing and first touches take far longer than the
 * rest. In a lent memory a program sees as many bytes as a global says, and growing is counting (lent-code.ts).
 */
import { HIDDEN_PAGES } from './hidden-page.js';
import { LIMITS } from './limits.js';

/** Pages of a lent memory: the most that a program can have, and those below that it may need (hidden-page.ts). */
export const LENT_PAGES = LIMITS.memoryPages + HIDDEN_PAGES;

export class LentMemory {
  readonly memory = new WebAssembly.Memory({ initial: LENT_PAGES, maximum: LENT_PAGES });
  readonly #bytes = new Uint8Array(this.memory.buffer);
  #dirty = 0;

  /** Makes it all zeros. */
  clear(): void {
    this.#bytes.fill(0, 0, this.#dirty);
    this.#dirty = 0;
  }

  /** The borrower may have written to the first `bytes` bytes. */
  used(bytes: number): void {
    this.#dirty = Math.max(this.#dirty, bytes);
  }
}
