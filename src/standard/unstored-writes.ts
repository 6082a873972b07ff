import { InternalError } from '../errors/errors.js';
import type { StandardReads } from './guest.js';
import { PairIndex } from './pair-index.js';

/** The writes of a module's last block, for the next block, which runs while they are being stored. */
export class UnstoredWrites {
  #height: number | undefined;
  #writes = new PairIndex([], 0);

  /**
   * Keeps the writes of the block at `height` instead of those kept before; `flushes` passed `checkFlush`, which
   * counted `pairCount`.
   */
  keep(height: number, flushes: readonly Uint8Array[], pairCount: number): void {
    this.#height = height;
    this.#writes = new PairIndex(flushes, pairCount);
  }

  /**
   * Reads the kept writes, then `stored`; it does not matter whether `stored` has the block already. Throws
   * InternalError if the kept writes are not those of the block at `height`.
   */
  over({ read, readMany }: StandardReads, height: number): StandardReads {
    if (this.#height !== height) {
      throw new InternalError('the writes of a block are missing', { facts: { height } });
    }
    const writes = this.#writes;
    return {
      read: (key) => writes.get(key) ?? read(key),
      readMany: (keys) => {
        const values = keys.map((key) => writes.get(key));
        const missing = keys.filter((_, i) => values[i] === undefined);
        if (missing.length === 0) return values;
        const stored = readMany(missing);
        let next = 0;
        return values.map((value) => value ?? stored[next++]);
      },
    };
  }
}
