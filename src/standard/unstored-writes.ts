import { InternalError } from '../errors.js';
import { toBinaryString } from '../util/bytes.js';
import { collectPairs } from './flush.js';
import type { StandardRead } from './guest.js';

/** What the last block of a module wrote, for the one that runs while it is stored. */
export class UnstoredWrites {
  #height: number | undefined;
  #flushes: readonly Uint8Array[] = [];
  /** Made of the flushed bytes when somebody reads them. */
  #pairs: ReadonlyMap<string, Uint8Array> | undefined;

  /** Keeps the writes of the block at `height` instead of those kept before; `flushes` passed `checkFlush`. */
  keep(height: number, flushes: readonly Uint8Array[]): void {
    this.#height = height;
    this.#flushes = flushes;
    this.#pairs = undefined;
  }

  /**
   * Reads of what is kept, then of `stored`; it does not matter whether `stored` has the block already.
   * Throws InternalError if what is kept is not the block at `height`: its writes would be missing.
   */
  over(stored: StandardRead, height: number): StandardRead {
    if (this.#height !== height) {
      throw new InternalError('the writes of a block are not there', { facts: { height } });
    }
    this.#pairs ??= collectPairs(this.#flushes);
    this.#flushes = [];
    const pairs = this.#pairs;
    return (key) => pairs.get(toBinaryString(key)) ?? stored(key);
  }
}
