/** Memory that one block after the other uses: touching new memory takes longer than what is done with it. */

/** More than this is not kept for the next block, in bytes of each array. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Arrays of the engine's thread that no result refers to. What they hold means nothing. */
export class BlockMemory {
  readonly #bytes = new Map<string, Uint8Array>();
  readonly #words = new Map<string, Uint32Array>();

  /** The array that was given back for `purpose`; whoever takes it has it alone. */
  takeBytes(purpose: string): Uint8Array | undefined {
    const bytes = this.#bytes.get(purpose);
    this.#bytes.delete(purpose);
    return bytes;
  }

  takeWords(purpose: string): Uint32Array | undefined {
    const words = this.#words.get(purpose);
    this.#words.delete(purpose);
    return words;
  }

  /** Nobody, in whichever thread, reads or writes these any more. */
  giveBackBytes(purpose: string, bytes: Uint8Array): void {
    if (bytes.byteLength <= MOST_BYTES) this.#bytes.set(purpose, bytes);
  }

  giveBackWords(purpose: string, words: Uint32Array): void {
    if (words.byteLength <= MOST_BYTES) this.#words.set(purpose, words);
  }
}
