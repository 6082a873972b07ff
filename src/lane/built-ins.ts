/** Contracts that every chain has: they answer calls of contracts, and are no frames (docs/lane-rules.md, 9). */
import { Cursor, layoutTransaction } from '../bitcoin/layout.js';
import { MIN_TRANSACTION } from '../bitcoin/limits.js';
import { readTransaction } from '../bitcoin/parse-transaction.js';
import type { Transaction } from '../bitcoin/types.js';
import { CALL_FUEL } from '../program/prices.js';
import type { AlkaneId } from '../protocol/types.js';
import { concatBytes, u128Bytes } from '../util/bytes.js';

const BUILT_IN_BLOCK = 800_000_000n;
const HEADER_BYTES = 80;

/** What a built-in contract answers. */
export interface Answer {
  /** Its price beside that of the call. */
  readonly fuel: number;
  /** Return data: a count of no transfers, then the data. */
  readonly data: Uint8Array;
}

/** Whether `target` has an id of a built-in contract, existing or not. */
export function isBuiltIn({ block }: AlkaneId): boolean {
  return block === BUILT_IN_BLOCK;
}

/** What the built-in `target` says of `block` (serialised with witnesses); undefined: there is no such contract. */
export function builtIn(target: AlkaneId, block: Uint8Array): Answer | undefined {
  const data = dataOf(target.tx, block);
  if (data === undefined) return undefined;
  const fuel = CALL_FUEL.builtIn + Math.ceil(data.length / CALL_FUEL.builtInBytes);
  return { fuel, data: concatBytes(u128Bytes(0n), data) };
}

function dataOf(number: bigint, block: Uint8Array): Uint8Array | undefined {
  switch (number) {
    case 0n:
      return block.subarray(0, HEADER_BYTES);
    case 1n:
      return coinbaseOf(block).raw;
    case 3n:
      return u128Bytes(coinbaseOf(block).outputs.reduce((sum, { value }) => sum + value, 0n));
    default:
      return undefined;
  }
}

/** By block: it is asked again and again. */
const coinbases = new WeakMap<Uint8Array, Transaction>();

function coinbaseOf(block: Uint8Array): Transaction {
  const known = coinbases.get(block);
  if (known !== undefined) return known;
  const cursor = new Cursor(block, HEADER_BYTES, 'BLOCK');
  cursor.count(MIN_TRANSACTION);
  const start = cursor.at;
  const layout = layoutTransaction(block, start, 'BLOCK');
  const { transaction } = readTransaction(block, start, layout, 'BLOCK');
  coinbases.set(block, transaction);
  return transaction;
}
