import { InternalError } from '../errors/errors.js';
import type { FlushedPairs } from './flushed-pairs.js';
import type { StandardReads } from './guest.js';

/** The writes of a module's last block, for the next block, which runs while they are being stored. */
export class UnstoredWrites {
  #height: number | undefined;
  #writes: FlushedPairs | undefined;

  /** Keeps the writes of the block at `height` instead of those kept before. */
  keep(height: number, writes: FlushedPairs): void {
    this.#height = height;
    this.#writes = writes;
  }

  /**
   * Reads the kept writes, then `stored`; it does not matter whether `stored` has the block already. Throws
   * InternalError if the kept writes are not those of the block at `height`.
   */
  over({ read, readMany }: StandardReads, height: number): StandardReads {
    const writes = this.#writes;
    if (writes === undefined || this.#height !== height) {
      throw new InternalError('the writes of a block are missing', { facts: { height } });
    }
    return {
      read: (key) => writes.find(key) ?? read(key),
      readMany: (keys) => {
        const values = keys.map((key) => writes.find(key));
        const missing = keys.filter((_, i) => values[i] === undefined);
        if (missing.length === 0) return values;
        const stored = readMany(missing);
        let next = 0;
        return values.map((value) => value ?? stored[next++]);
      },
    };
  }
}
