import { InternalError } from '../errors/errors.js';
import { toBinaryString } from '../util/bytes.js';
import { collectPairs } from './flush.js';
import type { StandardReads } from './guest.js';

/** The writes of a module's last block, for the next block, which runs while they are being stored. */
export class UnstoredWrites {
  #height: number | undefined;
  #flushes: readonly Uint8Array[] = [];
  /** Decoded from the flushes on the first read. */
  #pairs: ReadonlyMap<string, Uint8Array> | undefined;

  /** Keeps the writes of the block at `height` instead of those kept before; `flushes` passed `checkFlush`. */
  keep(height: number, flushes: readonly Uint8Array[]): void {
    this.#height = height;
    this.#flushes = flushes;
    this.#pairs = undefined;
  }

  /**
   * Reads the kept writes, then `stored`; it does not matter whether `stored` has the block already. Throws
   * InternalError if the kept writes are not those of the block at `height`.
   */
  over({ read, readMany }: StandardReads, height: number): StandardReads {
    if (this.#height !== height) {
      throw new InternalError('the writes of a block are missing', { facts: { height } });
    }
    this.#pairs ??= collectPairs(this.#flushes);
    this.#flushes = [];
    const pairs = this.#pairs;
    return {
      read: (key) => pairs.get(toBinaryString(key)) ?? read(key),
      readMany: (keys) => {
        const values = keys.map((key) => pairs.get(toBinaryString(key)));
        const missing = keys.filter((_, i) => values[i] === undefined);
        if (missing.length === 0) return values;
        const stored = readMany(missing);
        let next = 0;
        return values.map((value) => value ?? stored[next++]);
      },
    };
  }
}
