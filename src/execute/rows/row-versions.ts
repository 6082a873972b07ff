import { Words } from '../tasks/row-records.js';

/** No version. */
export const NO_VERSION = -1;

/** Values that rows have written while a block runs, by number of the key and by row. */
export class RowVersions {
  /** By key: its newest version + 1; each version has the number of the next older one + 1, or 0. */
  #heads = new Uint32Array(128);
  readonly #older = new Words();
  readonly #rows = new Words();
  readonly #starts = new Words();
  readonly #ends = new Words();

  /** `row` has written the value from `start` to `end` under `key`; equal: it has deleted it. Once per row and key. */
  put(row: number, key: number, start: number, end: number): void {
    if (key >= this.#heads.length) {
      const heads = new Uint32Array(Math.max(key + 1, 2 * this.#heads.length));
      heads.set(this.#heads);
      this.#heads = heads;
    }
    const rows = this.#rows.list;
    const older = this.#older.list;
    let newer = 0;
    let next = this.#heads[key];
    for (; next !== 0 && rows[next - 1] > row; next = older[next - 1]) newer = next;
    this.#older.push(next);
    this.#rows.push(row);
    this.#starts.push(start);
    this.#ends.push(end);
    if (newer === 0) this.#heads[key] = this.#rows.length;
    else this.#older.list[newer - 1] = this.#rows.length;
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** The last version of `key` that a row before `row` has written, or {@link NO_VERSION}. */
  find(key: number, row: number): number {
    if (key >= this.#heads.length) return NO_VERSION;
    const rows = this.#rows.list;
    const older = this.#older.list;
    let version = this.#heads[key];
    while (version !== 0 && rows[version - 1] >= row) version = older[version - 1];
    return version - 1;
  }

  start(version: number): number {
    return this.#starts.list[version];
  }

  end(version: number): number {
    return this.#ends.list[version];
  }
}
