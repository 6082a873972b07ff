import { KeyTable, MOST_STEPS } from '../../lane/columns/key-table.js';
import type { LaneKey } from '../../lane/types.js';
import { writeBinaryString } from '../../util/bytes.js';

/**
 * Values by key, for keys as text and as bytes: contracts choose keys of a kilobyte, and a `Map` hashes each of them as
 * slowly as it can. They lie packed, with the keys.
 */
export class KnownRows {
  readonly #table: KeyTable;
  readonly #keys: Uint8Array;
  readonly #values: Uint8Array[] = [];
  #longest = 0;
  #room = new Uint8Array(0);

  constructor(rows: ReadonlyMap<LaneKey, Uint8Array>) {
    this.#table = new KeyTable(MOST_STEPS, Math.max(1, rows.size));
    let bytes = 0;
    for (const key of rows.keys()) {
      bytes += key.length;
      this.#longest = Math.max(this.#longest, key.length);
    }
    this.#keys = new Uint8Array(bytes);
    let at = 0;
    for (const [key, value] of rows) {
      writeBinaryString(this.#keys, at, key);
      const end = at + key.length;
      this.#table.find(this.#keys, at, end, this.#keys);
      this.#table.add(this.#keys, at, end);
      this.#values.push(value);
      at = end;
    }
  }

  get(key: LaneKey): Uint8Array | undefined {
    if (key.length > this.#longest) return undefined;
    if (this.#room.length === 0) this.#room = new Uint8Array(this.#longest);
    writeBinaryString(this.#room, 0, key);
    return this.getAt(this.#room, 0, key.length);
  }

  /** The value of the key from `start` to `end` of `bytes`. */
  getAt(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    if (end - start > this.#longest) return undefined;
    const number = this.#table.find(bytes, start, end, this.#keys);
    return number < 0 ? undefined : this.#values[number];
  }
}
