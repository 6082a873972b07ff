/**
 * The data of a block's event, which its chunks carry in parts. All numbers are little-endian.
 *
 * header 80, roots of both namespaces after the block 32 each, text of the module's error (length u32, UTF-8; ffffffff:
 * none), plan (length u32, JSON as it is stored), writes of namespace S and then of P, receipts, SHA-256 of all that.
 *
 * Writes: for each key, in ascending order: 1 u8, length of the key u32, length of the value u32, key, value; of a key
 * that was deleted: 2 u8, length of the key u32, key. Receipts: for each, in block order: 1 u8, length u32, the bytes
 * that are stored. Both end with 0 u8.
 */
import { createHash } from 'node:crypto';
import { encodePlan } from '../store/records.js';
import type { StateRoots } from '../store/types.js';
import { concatBytes, fromHex, u32Bytes } from '../util/bytes.js';
import type { StoredBlock } from './stored-block.js';

/** Bytes of the data of a block, at most: whoever follows has it in memory as a whole. */
export const MAX_BODY_BYTES = 512 << 20;
export const DIGEST_BYTES = 32;
/** What an entry begins with, and what ends them. */
export const END = 0;
export const PRESENT = 1;
export const DELETED = 2;
/** In the place of a length. */
export const NONE = 0xffffffff;

/** The data of a block in parts of `size` bytes, all but the last. */
export function* bodyParts(block: StoredBlock, size: number): Generator<Uint8Array, void, void> {
  const digest = createHash('sha256');
  let part = new Uint8Array(size);
  let used = 0;
  for (const bytes of withDigest(fieldsOf(block), digest)) {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + size - used);
      part.set(bytes.subarray(at, end), used);
      used += end - at;
      at = end;
      if (used < size) continue;
      yield part;
      part = new Uint8Array(size);
      used = 0;
    }
  }
  if (used > 0) yield part.subarray(0, used);
}

function* withDigest(
  fields: Iterable<Uint8Array>,
  digest: ReturnType<typeof createHash>,
): Generator<Uint8Array, void, void> {
  for (const bytes of fields) {
    digest.update(bytes);
    yield bytes;
  }
  yield digest.digest();
}

function* fieldsOf(block: StoredBlock): Generator<Uint8Array, void, void> {
  const error = block.standardError === undefined ? undefined : new TextEncoder().encode(block.standardError);
  const plan = encodePlan(block.plan);
  yield concatBytes(block.header, ...rootBytes(block.roots));
  yield concatBytes(u32Bytes(error?.length ?? NONE), error ?? new Uint8Array(0), u32Bytes(plan.length), plan);
  for (const ns of ['S', 'P'] as const) {
    for (const [key, value] of block.writes(ns)) {
      yield value === undefined
        ? concatBytes(Uint8Array.of(DELETED), u32Bytes(key.length), key)
        : concatBytes(Uint8Array.of(PRESENT), u32Bytes(key.length), u32Bytes(value.length), key, value);
    }
    yield Uint8Array.of(END);
  }
  for (const receipt of block.receipts()) yield concatBytes(Uint8Array.of(PRESENT), u32Bytes(receipt.length), receipt);
  yield Uint8Array.of(END);
}

function rootBytes({ standard, lane }: StateRoots): readonly [Uint8Array, Uint8Array] {
  return [fromHex(standard), fromHex(lane)];
}
