/**
 * The index of receipts by contract: for each page of receipts (receipt-pages.ts) and each contract that its receipts
 * name, a row that says which of them do. All of it follows from the page: whoever writes or deletes a page does the
 * same with its rows.
 *
 * 'c' ++ id 32 ++ height u32 BE ++ position in the block of the page's first transaction u32 BE → positions of the
 * transactions whose receipts name the contract, ascending, u32 BE each.
 */
import { indexOf } from '../lane/receipt-list.js';
import { TargetReader, type TargetSink } from '../lane/receipt-targets.js';
import { ID_LENGTH } from '../protocol/alkane-id.js';
import { toBinaryString } from '../util/bytes.js';
import type { Row } from './database.js';
import { contractKey, readBeU32, writeBeU32 } from './keys.js';
import { eachReceipt } from './receipt-pages.js';
import { corrupt } from './records.js';

const POSITION = 4;
/** Bytes of a row's key. */
export const CONTRACT_KEY_BYTES = 41;
/** Contracts of a page that are looked for one by one; most pages name fewer. */
const FEW = 8;

interface Named {
  readonly id: Uint8Array;
  /** Of its receipts, ascending. */
  readonly positions: number[];
}

/** Gathers what the receipts of a page name. */
class PageTargets implements TargetSink {
  readonly #reader = new TargetReader();
  #named: Named[] = [];
  /** Those from number {@link FEW} on, by their ids as binary strings. */
  #others = new Map<string, Named>();
  #position = 0;

  /** In the order in which the receipts of `page` name them. Throws `RangeError` if one is no receipt. */
  of(page: Uint8Array, height: number): readonly Named[] {
    this.#named = [];
    if (this.#others.size > 0) this.#others = new Map();
    eachReceipt(page, height, (start, end) => {
      this.#position = indexOf(page, start);
      this.#reader.read(page, start, end, this);
    });
    return this.#named;
  }

  named(bytes: Uint8Array, at: number): void {
    const { positions } = this.#find(bytes, at);
    if (positions.length === 0 || positions[positions.length - 1] !== this.#position) positions.push(this.#position);
  }

  #find(bytes: Uint8Array, at: number): Named {
    const named = this.#named;
    for (let i = 0; i < named.length && i < FEW; i++) if (isAt(bytes, at, named[i].id)) return named[i];
    const id = bytes.subarray(at, at + ID_LENGTH);
    const text = named.length < FEW ? undefined : toBinaryString(id);
    let found = text === undefined ? undefined : this.#others.get(text);
    if (found === undefined) {
      found = { id, positions: [] };
      if (text !== undefined) this.#others.set(text, found);
      named.push(found);
    }
    return found;
  }
}

/** Ids differ in their second half first, which begins with the low bytes of a contract's number. */
function isAt(bytes: Uint8Array, at: number, id: Uint8Array): boolean {
  const half = ID_LENGTH / 2;
  for (let i = 0; i < ID_LENGTH; i++) {
    const byte = (i + half) % ID_LENGTH;
    if (bytes[at + byte] !== id[byte]) return false;
  }
  return true;
}

const targets = new PageTargets();

/** The rows of a page. Throws StoreError STORE_CORRUPT if the page cannot be read. */
export function contractRows(page: Uint8Array, height: number, first: number): Row[] {
  try {
    return targets.of(page, height).map(({ id, positions }) => [contractKey(id, height, first), encoded(positions)]);
  } catch (error) {
    if (error instanceof RangeError) throw corrupt('receipt', height);
    throw error;
  }
}

function encoded(positions: readonly number[]): Uint8Array {
  const row = new Uint8Array(POSITION * positions.length);
  for (let i = 0; i < positions.length; i++) writeBeU32(row, POSITION * i, positions[i]);
  return row;
}

/** What a row says: the block, and the positions of transactions in it. Throws STORE_CORRUPT if it cannot be read. */
export function contractRow([key, value]: Row): { readonly height: number; readonly positions: readonly number[] } {
  const height = readBeU32(key, CONTRACT_KEY_BYTES - 2 * POSITION);
  if (key.length !== CONTRACT_KEY_BYTES || value.length % POSITION !== 0) throw corrupt('index of receipts', height);
  return {
    height,
    positions: Array.from({ length: value.length / POSITION }, (_, i) => readBeU32(value, POSITION * i)),
  };
}
