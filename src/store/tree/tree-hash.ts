/**
 * Hashes of the state tree: a binary tree over the bits of a key's path, most significant bit first, in which a leaf
 * sits at the shallowest depth at which it is alone. The root depends on the final key → value map only. H is
 * BLAKE2s-256 without a key (RFC 7693): leaves have 63 bytes and nodes 64, one compression each, and the length, which
 * BLAKE2s hashes too, keeps them apart.
 */
import { createHash } from 'node:crypto';

/** Bytes of a path. */
export const PATH_BYTES = 31;
/** Bits of a path: the deepest that a leaf can sit. */
export const PATH_BITS = PATH_BYTES * 8;
/** Bytes of a hash. */
export const HASH_BYTES = 32;
/** Hash of an empty subtree, and the root of an empty tree. */
export const EMPTY_HASH = new Uint8Array(HASH_BYTES);

const STATE_TAG = new TextEncoder().encode('warpshrew/2');

function blake2s(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('blake2s256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Where a key's leaf hangs: the first 31 bytes of H(key). */
export function pathOf(key: Uint8Array): Uint8Array {
  return blake2s(key).slice(0, PATH_BYTES);
}

/** H(value), 32 bytes. */
export function valueHashOf(value: Uint8Array): Uint8Array {
  return blake2s(value);
}

/** H(path ++ valueHash). */
export function leafHash(path: Uint8Array, valueHash: Uint8Array): Uint8Array {
  return blake2s(path, valueHash);
}

/** H(left ++ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return blake2s(left, right);
}

/** Bit `depth` of a path. */
export function pathBit(path: Uint8Array, depth: number): 0 | 1 {
  return ((path[depth >> 3] >> (7 - (depth & 7))) & 1) as 0 | 1;
}

/** The root of the whole store: H("warpshrew/2" ++ standard root ++ lane root). */
export function combinedRoot(standard: Uint8Array, lane: Uint8Array): Uint8Array {
  return blake2s(STATE_TAG, standard, lane);
}
