/**
 * The index of receipts by contract: for each page of receipts (receipt-pages.ts) and each contract that its receipts
 * name, a row that says which of them do. All of it follows from the page: whoever writes or deletes a page does the
 * same with its rows.
 *
 * 'c' ++ id 32 ++ height u32 BE ++ position in the block of the page's first transaction u32 BE → positions of the
 * transactions whose receipts name the contract, ascending, u32 BE each.
 */
import { indexOf } from '../lane/receipt-list.js';
import { targetsIn } from '../lane/receipt-targets.js';
import { toBinaryString } from '../util/bytes.js';
import type { Row } from './database.js';
import { contractKey, readBeU32, writeBeU32 } from './keys.js';
import { receiptsOf } from './receipt-pages.js';
import { corrupt } from './records.js';

const POSITION = 4;
/** Bytes of a row's key. */
export const CONTRACT_KEY_BYTES = 41;

/** The rows of a page. Throws StoreError STORE_CORRUPT if the page cannot be read. */
export function contractRows(page: Uint8Array, height: number, first: number): Row[] {
  const named = new Map<string, { readonly id: Uint8Array; readonly positions: number[] }>();
  try {
    for (const receipt of receiptsOf(page, height)) {
      const index = indexOf(receipt);
      for (const id of targetsIn(receipt)) {
        const text = toBinaryString(id);
        const known = named.get(text);
        if (known === undefined) named.set(text, { id, positions: [index] });
        else if (known.positions[known.positions.length - 1] !== index) known.positions.push(index);
      }
    }
  } catch (error) {
    if (error instanceof RangeError) throw corrupt('receipt', height);
    throw error;
  }
  return [...named.values()].map(({ id, positions }) => [contractKey(id, height, first), encoded(positions)]);
}

function encoded(positions: readonly number[]): Uint8Array {
  const row = new Uint8Array(POSITION * positions.length);
  for (const [i, position] of positions.entries()) writeBeU32(row, POSITION * i, position);
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
