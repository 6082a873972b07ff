import { randomBytes } from 'node:crypto';
import { readU32 } from '../util/bytes.js';

const HASH_LENGTH = 32;

/** Odd numbers, random per process, so that no block can be made whose txids all collide. */
const [SEED_A, SEED_B] = new Uint32Array(Uint8Array.from(randomBytes(8)).buffer).map((word) => word | 1);

/** Finds transactions of a block by txid, without an object or a string for each. */
export class TxidTable {
  readonly #txids: Uint8Array;
  readonly #words: Uint32Array;
  /** Position + 1 of a transaction, 0 for an empty place. */
  readonly #places: Uint32Array;
  readonly #mask: number;

  /** `txids`: 32 bytes each, one after the other. Of equal ones the first is found. */
  constructor(txids: Uint8Array) {
    const count = txids.length / HASH_LENGTH;
    const size = 2 ** Math.ceil(Math.log2(count * 2 + 2));
    this.#txids = txids;
    this.#words = new Uint32Array(count);
    this.#places = new Uint32Array(size);
    this.#mask = size - 1;
    for (let i = 0; i < count; i++) {
      const word = hashOf(txids, i * HASH_LENGTH);
      this.#words[i] = word;
      let place = word & this.#mask;
      while (this.#places[place] !== 0 && !this.#holds(place, word, txids, i * HASH_LENGTH)) {
        place = (place + 1) & this.#mask;
      }
      if (this.#places[place] === 0) this.#places[place] = i + 1;
    }
  }

  /** Position of the first transaction with the txid at `at` of `bytes`, -1 if there is none. */
  find(bytes: Uint8Array, at: number): number {
    const word = hashOf(bytes, at);
    for (let place = word & this.#mask; this.#places[place] !== 0; place = (place + 1) & this.#mask) {
      if (this.#holds(place, word, bytes, at)) return this.#places[place] - 1;
    }
    return -1;
  }

  #holds(place: number, word: number, bytes: Uint8Array, at: number): boolean {
    const index = this.#places[place] - 1;
    if (this.#words[index] !== word) return false;
    const from = index * HASH_LENGTH;
    for (let i = 0; i < HASH_LENGTH; i++) if (this.#txids[from + i] !== bytes[at + i]) return false;
    return true;
  }
}

function hashOf(bytes: Uint8Array, at: number): number {
  const mixed = Math.imul(readU32(bytes, at), SEED_A) ^ Math.imul(readU32(bytes, at + 4), SEED_B);
  // Products are good in their high bits, places are taken from the low ones.
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
