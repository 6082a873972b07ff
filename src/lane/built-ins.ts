/** Contracts that every chain has: they answer calls of contracts, and are no frames (docs/lane-rules.md, 9). */
import { Cursor, layoutTransaction } from '../bitcoin/layout.js';
import { MIN_TRANSACTION } from '../bitcoin/limits.js';
import { CALL_FUEL } from '../program/prices.js';
import type { AlkaneId } from '../protocol/types.js';
import { concatBytes, u128Bytes } from '../util/bytes.js';

const BUILT_IN_BLOCK = 800_000_000n;
const HEADER_BYTES = 80;
const VALUE_BYTES = 8;

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
      return u128Bytes(coinbaseOf(block).value);
    default:
      return undefined;
  }
}

interface Coinbase {
  /** As it is serialised, with its witness. */
  readonly raw: Uint8Array;
  /** Sum of its outputs, in satoshis. */
  readonly value: bigint;
}

/** By block: it is asked again and again. */
const coinbases = new WeakMap<Uint8Array, Coinbase>();

function coinbaseOf(block: Uint8Array): Coinbase {
  const known = coinbases.get(block);
  if (known !== undefined) return known;
  const cursor = new Cursor(block, HEADER_BYTES, 'BLOCK');
  cursor.count(MIN_TRANSACTION);
  const start = cursor.at;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  let value = 0n;
  const { end } = layoutTransaction(block, start, 'BLOCK', {
    input: () => undefined,
    output: (script, scriptEnd) => {
      value += view.getBigUint64(script - sizeBytes(scriptEnd - script) - VALUE_BYTES, true);
    },
  });
  const coinbase = { raw: block.subarray(start, end), value };
  coinbases.set(block, coinbase);
  return coinbase;
}

/** Bytes of a compact size, which is in its shortest form. */
function sizeBytes(size: number): number {
  if (size < 0xfd) return 1;
  return size <= 0xffff ? 3 : 5;
}
