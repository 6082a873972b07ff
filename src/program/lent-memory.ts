/**
 * A memory lent to one run after the other, one run at a time. A memory that has grown cannot be made smaller, so a
 * program that grows needs a fresh instance for each run, which takes far longer than the rest. In a lent memory a
 * program sees as many bytes as a global says, and keeps account of what it touches (lent-code.ts): only that is
 * cleared.
 */
import { HIDDEN_BYTES, HIDDEN_PAGES, USED_FROM } from './hidden-page.js';
import { LIMITS } from './limits.js';

/** Pages that a lent memory may grow to: the most that a program can have, and those below (hidden-page.ts). */
export const LENT_PAGES = LIMITS.memoryPages + HIDDEN_PAGES;
/** What it begins with. */
const FIRST_PAGES = 64;

export class LentMemory {
  readonly memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: LENT_PAGES });
  /** What may have been written to since it was cleared: `low` to `high`. */
  #low = Number.POSITIVE_INFINITY;
  #high = 0;
  #hiddenPageUsed = false;
  /** The part that a run had at any time: the machine keeps memory for no more. */
  #lowest = Number.POSITIVE_INFINITY;
  #highest = 0;

  /** Makes it all zeros. */
  clear(): void {
    if (this.#high === 0 && !this.#hiddenPageUsed) return;
    const bytes = new Uint8Array(this.memory.buffer);
    if (this.#low < this.#high) bytes.fill(0, this.#low, this.#high);
    if (this.#hiddenPageUsed) bytes.fill(0, USED_FROM, HIDDEN_BYTES);
    this.#low = Number.POSITIVE_INFINITY;
    this.#high = 0;
    this.#hiddenPageUsed = false;
  }

  /** The borrower may have written to the bytes `low` to `high`, none if they are equal, and to the hidden page. */
  used(low: number, high: number, hiddenPage: boolean): void {
    this.#hiddenPageUsed ||= hiddenPage;
    if (low >= high) return;
    this.#low = Math.min(this.#low, low);
    this.#high = Math.max(this.#high, high);
    this.#lowest = Math.min(this.#lowest, low);
    this.#highest = Math.max(this.#highest, high);
  }

  /** Gives it `pages` at least. Throws `RangeError` if there is no memory to be had. */
  reserve(pages: number): void {
    const lacking = pages - (this.memory.buffer.byteLength >>> 16);
    if (lacking > 0) this.memory.grow(lacking);
  }

  /** Bytes that it takes of the machine's memory, at most. */
  get takenBytes(): number {
    return Math.max(0, this.#highest - this.#lowest);
  }
}
