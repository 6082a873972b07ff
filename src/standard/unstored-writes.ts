import { InternalError } from '../errors/errors.js';
import { PackedMap } from '../util/packed-map.js';
import type { FlushedPairs } from './flushed-pairs.js';
import type { StandardReads } from './guest.js';
import type { RowsRead } from './rows-read.js';

/** Blocks whose writes are looked through one by one; those of older ones lie together. */
const MOST_RECENT = 2;

/** The writes of the last blocks of a module, for the next one, which runs while they are not stored yet. */
export class UnstoredWrites {
  /** Of the last blocks, which follow each other. */
  readonly #recent: { readonly height: number; readonly writes: FlushedPairs }[] = [];
  /** Of those before. */
  #older: { readonly from: number; to: number; readonly writes: PackedMap } | undefined;

  /** Keeps the writes of the block at `height`, the last one that ran. */
  keep(height: number, writes: FlushedPairs): void {
    if (this.#last !== height - 1) this.clear();
    this.#recent.push({ height, writes });
  }

  /** Says that all is stored. */
  clear(): void {
    this.#recent.length = 0;
    this.#older = undefined;
  }

  /**
   * Reads the kept writes of the last `blocks` blocks up to `height`, then `stored`; it does not matter which of them
   * `stored` has already. `rows` gets what is read of the kept ones, where it is known which of them wrote it. Throws
   * InternalError if they are not all kept.
   */
  over({ read, readMany }: StandardReads, height: number, blocks: number, rows?: RowsRead): StandardReads {
    this.#forgetBelow(height - blocks + 1);
    const first = this.#older?.from ?? this.#recent[0]?.height ?? Number.POSITIVE_INFINITY;
    if (this.#last !== height || first > height - blocks + 1) {
      throw new InternalError('the writes of a block are missing', { facts: { height, blocks } });
    }
    while (this.#recent.length > MOST_RECENT) this.#putTogether();
    return {
      read: (key) => this.#find(key, rows) ?? read(key),
      readMany: (keys) => {
        const values = keys.map((key) => this.#find(key, rows));
        const missing = keys.filter((_, i) => values[i] === undefined);
        if (missing.length === 0) return values;
        const stored = readMany(missing);
        let next = 0;
        return values.map((value) => value ?? stored[next++]);
      },
    };
  }

  get #last(): number | undefined {
    return this.#recent.at(-1)?.height ?? this.#older?.to;
  }

  #forgetBelow(height: number): void {
    if (this.#older !== undefined && this.#older.to < height) this.#older = undefined;
    while (this.#recent.length > 0 && this.#recent[0].height < height) this.#recent.shift();
  }

  #putTogether(): void {
    const next = this.#recent.shift();
    if (next === undefined) return;
    this.#older ??= { from: next.height, to: next.height, writes: new PackedMap() };
    this.#older.to = next.height;
    const { writes } = next;
    for (const address of writes.addresses()) this.#older.writes.setEntry(writes.read(address));
  }

  #find(key: Uint8Array, rows: RowsRead | undefined): Uint8Array | undefined {
    for (let i = this.#recent.length - 1; i >= 0; i--) {
      const { height, writes } = this.#recent[i];
      const value = writes.find(key);
      if (value === undefined) continue;
      rows?.add(key, height, value, 0);
      return value;
    }
    const entry = this.#older?.writes.findAt(key, 0, key.length);
    return entry?.bytes.subarray(entry.valueStart, entry.valueEnd);
  }
}
