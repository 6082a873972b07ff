import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { longer } from '../../util/longer.js';
import { wordsEqual } from '../../util/word-hash.js';
import { bytesOf, copyWords, viewOf } from '../../util/words.js';
import { AMOUNT_BYTES, addAmounts, compareAmounts, isZero } from './amounts.js';
import { NumberSet } from './number-set.js';

/** Bytes of an asset in a sheet: its id and its amount. */
export const SHEET_ENTRY = ID_LENGTH + AMOUNT_BYTES;

const FIRST_ASSETS = 16;

/** Whether the 32-byte ids at `i` of `a` and at `j` of `b` are the same. */
export function isSameId(a: DataView, i: number, b: DataView, j: number): boolean {
  return wordsEqual(a, i, b, j, ID_LENGTH);
}

/** What one message pays out: amounts by asset, each asset by the number of its balance key. */
export class Parcel {
  readonly #assets = new NumberSet();
  /** By asset: where its id lies in the memory that it was added from. */
  #ids = new Uint32Array(FIRST_ASSETS);
  #amounts = viewOf(new Uint8Array(FIRST_ASSETS * AMOUNT_BYTES));

  get count(): number {
    return this.#assets.count;
  }

  clear(): void {
    this.#assets.count = 0;
  }

  /** Adds the amount at `amountAt` of the asset `key` whose id lies at `idAt`; false if the sum passes u128. */
  add(key: number, memory: DataView, idAt: number, amountAt: number): boolean {
    const place = this.#assets.placeOf(key);
    if (place >= 0) {
      const at = place * AMOUNT_BYTES;
      return addAmounts(this.#amounts, at, memory, amountAt, this.#amounts, at);
    }
    const added = this.#assets.add(key);
    if (added === this.#ids.length) this.#grow();
    this.#ids[added] = idAt;
    copyWords(memory, amountAt, amountAt + AMOUNT_BYTES, this.#amounts, added * AMOUNT_BYTES);
    return true;
  }

  /** Writes the sheet of it to `out` from `at` on: 48 bytes an asset, ascending by id. */
  write(memory: DataView, out: DataView, at: number): void {
    if (this.count === 1) {
      this.#writeEntry(0, memory, out, at);
      return;
    }
    const order = Array.from({ length: this.count }, (_, place) => place);
    order.sort((a, b) => compareIdsAt(memory, this.#ids[a], this.#ids[b]));
    order.forEach((place, i) => {
      this.#writeEntry(place, memory, out, at + i * SHEET_ENTRY);
    });
  }

  #writeEntry(place: number, memory: DataView, out: DataView, at: number): void {
    const id = this.#ids[place];
    const amount = place * AMOUNT_BYTES;
    copyWords(memory, id, id + ID_LENGTH, out, at);
    copyWords(this.#amounts, amount, amount + AMOUNT_BYTES, out, at + ID_LENGTH);
  }

  #grow(): void {
    this.#ids = longer(this.#ids, 2 * this.#ids.length);
    const amounts = new Uint8Array(2 * this.#amounts.byteLength);
    amounts.set(bytesOf(this.#amounts));
    this.#amounts = viewOf(amounts);
  }
}

/** As `compareIds` of the protocol, for two ids where they lie: by block, then tx, as numbers. */
function compareIdsAt(bytes: DataView, a: number, b: number): number {
  return compareAmounts(bytes, a, bytes, b) || compareAmounts(bytes, a + AMOUNT_BYTES, bytes, b + AMOUNT_BYTES);
}

/** Whether these bytes are a sheet: ids ascend, and no amount is zero. */
export function isSheet(bytes: DataView, start: number, end: number): boolean {
  if ((end - start) % SHEET_ENTRY !== 0) return false;
  for (let at = start; at < end; at += SHEET_ENTRY) {
    if (isZero(bytes, at + ID_LENGTH)) return false;
    if (at > start && compareIdsAt(bytes, at - SHEET_ENTRY, at) >= 0) return false;
  }
  return true;
}
