import { toBinaryString } from '../util/bytes.js';

/** Of the blocks whose results are kept; twice as many at most. */
const MOST_BYTES = 32 << 20;

/**
 * Something by block, kept for a while: many tests begin with the same blocks. The hash of a block says what all blocks
 * below it are, and so what state it meets.
 */
export class KnownBlocks<T> {
  #recent = new Map<string, T>();
  #older = new Map<string, T>();
  #bytes = 0;
  readonly #mostBytes: number;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** `hash`: in wire order. */
  get(hash: Uint8Array): T | undefined {
    const key = toBinaryString(hash);
    return this.#recent.get(key) ?? this.#older.get(key);
  }

  /** `bytes`: what keeping it takes, about. */
  add(hash: Uint8Array, value: T, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#mostBytes) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#bytes = bytes;
    }
    this.#recent.set(toBinaryString(hash), value);
  }
}
