import { writeBeU32 } from '../store/keys.js';
import { HEIGHT_BYTES } from '../store/rows.js';
import { copyBytes } from '../util/copy-bytes.js';
import type { RowsBefore } from '../util/packed-writes.js';
import type { FlushedPairs } from './flushed-pairs.js';

const FIRST_BYTES = 1 << 16;
const FIRST_ROWS = 1 << 10;
/** Bytes of keys and rows that are kept: what a block reads beyond is read again by whoever stores it. */
const MOST_BYTES = 32 << 20;
/** Numbers of a row: where its key begins, where the key ends and the row begins, where the row ends. */
const NUMBERS = 3;

/**
 * The rows of the store that a block of the module has read. Most keys that a module changes it has read before:
 * whoever stores the block has what it replaces then, and need not read it once more.
 */
export class RowsRead {
  #bytes = new Uint8Array(FIRST_BYTES);
  #numbers = new Int32Array(FIRST_ROWS * NUMBERS);
  #count = 0;
  #used = 0;

  /** Notes that `key` had the value in `bytes` from `start` on, written by the block at height `writtenAt`. */
  add(key: Uint8Array, writtenAt: number, bytes: Uint8Array, start: number): void {
    const row = this.#used + key.length;
    const end = row + HEIGHT_BYTES + bytes.length - start;
    if (end > MOST_BYTES) return;
    if (end > this.#bytes.length) this.#bytes = larger(this.#bytes, new Uint8Array(roomFor(end)));
    const at = this.#count * NUMBERS;
    if (at === this.#numbers.length) this.#numbers = larger(this.#numbers, new Int32Array(2 * at));
    copyBytes(key, 0, key.length, this.#bytes, this.#used);
    writeBeU32(this.#bytes, row, writtenAt);
    copyBytes(bytes, start, bytes.length, this.#bytes, row + HEIGHT_BYTES);
    this.#numbers[at] = this.#used;
    this.#numbers[at + 1] = row;
    this.#numbers[at + 2] = end;
    this.#used = end;
    this.#count++;
  }

  /** Those of the keys of `pairs`, as read last, in buffers of their own: what else the block has read is let go. */
  ofPairs(pairs: FlushedPairs): RowsBefore<ArrayBuffer> {
    const places = new Int32Array(2 * pairs.size);
    let length = 0;
    for (let at = 0; at < this.#count * NUMBERS; at += NUMBERS) {
      const entry = pairs.entryOf(this.#bytes, this.#numbers[at], this.#numbers[at + 1]);
      if (entry < 0) continue;
      const [start, end] = [this.#numbers[at + 1], this.#numbers[at + 2]];
      length += end - start - (places[2 * entry + 1] - places[2 * entry]);
      places[2 * entry] = start;
      places[2 * entry + 1] = end;
    }
    const bytes = new Uint8Array(length);
    let to = 0;
    for (let place = 0; place < places.length; place += 2) {
      const [start, end] = [places[place], places[place + 1]];
      if (end === 0) continue;
      copyBytes(this.#bytes, start, end, bytes, to);
      places[place] = to;
      to += end - start;
      places[place + 1] = to;
    }
    return { bytes, places };
  }
}

/** At least twice what was enough before, but for the last time. */
function roomFor(bytes: number): number {
  return Math.min(MOST_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
}

function larger<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
