import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { AMOUNT_BYTES, addAmounts, compareAmounts, isZero } from './amounts.js';
import { longer } from './key-table.js';
import { NumberSet } from './number-set.js';

/** Bytes of an asset in a sheet: its id and its amount. */
export const SHEET_ENTRY = ID_LENGTH + AMOUNT_BYTES;

const FIRST_ASSETS = 16;

/** Whether the 32-byte ids at `i` of `a` and at `j` of `b` are the same. */
export function isSameId(a: Uint8Array, i: number, b: Uint8Array, j: number): boolean {
  for (let n = 0; n < ID_LENGTH; n++) if (a[i + n] !== b[j + n]) return false;
  return true;
}

/** What one message pays out: amounts by asset, each asset by the number of its balance key. */
export class Parcel {
  readonly #assets = new NumberSet();
  /** By asset: where its id lies in the memory that it was added from. */
  #ids = new Uint32Array(FIRST_ASSETS);
  #amounts = new Uint8Array(FIRST_ASSETS * AMOUNT_BYTES);

  get count(): number {
    return this.#assets.count;
  }

  clear(): void {
    this.#assets.count = 0;
  }

  /** Adds the amount at `amountAt` of the asset `key` whose id lies at `idAt`; false if the sum passes u128. */
  add(key: number, memory: Uint8Array, idAt: number, amountAt: number): boolean {
    const place = this.#assets.placeOf(key);
    if (place >= 0) {
      const at = place * AMOUNT_BYTES;
      return addAmounts(this.#amounts, at, memory, amountAt, this.#amounts, at);
    }
    const added = this.#assets.add(key);
    if (added === this.#ids.length) this.#grow();
    this.#ids[added] = idAt;
    for (let i = 0; i < AMOUNT_BYTES; i++) this.#amounts[added * AMOUNT_BYTES + i] = memory[amountAt + i];
    return true;
  }

  /** Writes the sheet of it to `out` from `at` on: 48 bytes an asset, ascending by id. */
  write(memory: Uint8Array, out: Uint8Array, at: number): void {
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

  #writeEntry(place: number, memory: Uint8Array, out: Uint8Array, at: number): void {
    const id = this.#ids[place];
    for (let i = 0; i < ID_LENGTH; i++) out[at + i] = memory[id + i];
    const [from, to] = [place * AMOUNT_BYTES, at + ID_LENGTH];
    for (let i = 0; i < AMOUNT_BYTES; i++) out[to + i] = this.#amounts[from + i];
  }

  #grow(): void {
    this.#ids = longer(this.#ids, 2 * this.#ids.length);
    const amounts = new Uint8Array(2 * this.#amounts.length);
    amounts.set(this.#amounts);
    this.#amounts = amounts;
  }
}

/** As `compareIds` of the protocol, for two ids where they lie: by block, then tx, as numbers. */
function compareIdsAt(bytes: Uint8Array, a: number, b: number): number {
  return compareAmounts(bytes, a, bytes, b) || compareAmounts(bytes, a + AMOUNT_BYTES, bytes, b + AMOUNT_BYTES);
}

/** Whether these bytes are a sheet: ids ascend, and no amount is zero. */
export function isSheet(bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % SHEET_ENTRY !== 0) return false;
  for (let at = start; at < end; at += SHEET_ENTRY) {
    if (isZero(bytes, at + ID_LENGTH)) return false;
    if (at > start && compareIdsAt(bytes, at - SHEET_ENTRY, at) >= 0) return false;
  }
  return true;
}
