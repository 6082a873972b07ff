/** Alkane ids: `block:tx` as text, 16 + 16 bytes little-endian as bytes (docs/wire.md, "Ids"). */
import { UsageError } from '../errors/errors.js';
import { readU128, U128_MAX, writeU128 } from '../util/bytes.js';
import type { AlkaneId } from './types.js';

export const ID_LENGTH = 32;

/** The 32 bytes of an id: block, then tx, each u128 little-endian. */
export function idBytes(id: AlkaneId): Uint8Array {
  const out = new Uint8Array(ID_LENGTH);
  writeU128(out, 0, id.block);
  writeU128(out, 16, id.tx);
  return out;
}

/** Inverse of {@link idBytes}: reads 32 bytes from `at`. Throws `RangeError` if there are fewer. */
export function idFromBytes(bytes: Uint8Array, at = 0): AlkaneId {
  return { block: readU128(bytes, at), tx: readU128(bytes, at + 16) };
}

/** `block:tx`, both decimal: the form of receipts, JSON and map keys. */
export function formatId(id: AlkaneId): string {
  return `${id.block}:${id.tx}`;
}

/** Inverse of {@link formatId}. Throws `UsageError` USAGE_BAD_ID if `text` is not two decimal u128 numbers. */
export function parseId(text: string): AlkaneId {
  const match = /^(\d{1,39}):(\d{1,39})$/.exec(text);
  const id = match && { block: BigInt(match[1]), tx: BigInt(match[2]) };
  if (!id || id.block > U128_MAX || id.tx > U128_MAX) {
    throw new UsageError('USAGE_BAD_ID', 'not an id of the form block:tx', {
      facts: { text: text.slice(0, 100) },
      hint: 'Write two decimal numbers below 2^128 with a colon between them, for example 2:1.',
    });
  }
  return id;
}

/** Ascending by block, then tx, as numbers. */
export function compareIds(a: AlkaneId, b: AlkaneId): number {
  if (a.block !== b.block) return a.block < b.block ? -1 : 1;
  if (a.tx !== b.tx) return a.tx < b.tx ? -1 : 1;
  return 0;
}

export function idsEqual(a: AlkaneId, b: AlkaneId): boolean {
  return a.block === b.block && a.tx === b.tx;
}
