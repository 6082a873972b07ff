import { HASH_BYTES, PAGE_TXIDS, txidsKey } from './address-rows.js';
import type { Database } from './database.js';

/** Finds txids by where their transactions stand; keeps the page that it read last. */
export class AddressTxids {
  #page: { readonly height: number; readonly number: number; readonly txids: Uint8Array } | undefined;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The txid (32 bytes, wire order) of transaction `index` of block `height`; undefined if it is not there. */
  at(height: number, index: number): Uint8Array | undefined {
    const number = Math.floor(index / PAGE_TXIDS);
    if (this.#page?.height !== height || this.#page.number !== number) {
      const txids = this.#database.get('addresses', txidsKey(height, number));
      this.#page = txids && { height, number, txids };
    }
    const from = (index % PAGE_TXIDS) * HASH_BYTES;
    const txid = this.#page?.txids.slice(from, from + HASH_BYTES);
    return txid?.length === HASH_BYTES ? txid : undefined;
  }
}
