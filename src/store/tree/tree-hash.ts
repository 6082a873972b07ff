/**
 * Hashes of the state tree: a binary tree over the bits of SHA-256(key), most significant bit first, in which a leaf
 * sits at the shallowest depth at which it is alone. The root depends on the final key → value map only.
 */
import { concatBytes } from '../../util/bytes.js';
import { sha256 } from '../../util/sha256.js';

/** Hash of an empty subtree, and the root of an empty tree. */
export const EMPTY_HASH = new Uint8Array(32);
const LEAF = Uint8Array.of(1);
const STATE_TAG = new TextEncoder().encode('warpshrew/1');

/** SHA-256(01 ++ key ++ SHA-256(value)), given the hash of the value. */
export function leafHash(key: Uint8Array, valueHash: Uint8Array): Uint8Array {
  return sha256(concatBytes(LEAF, key, valueHash));
}

/** Reused for every node: 00, left, right. */
const node = new Uint8Array(65);

/** SHA-256(00 ++ left ++ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1);
  node.set(right, 33);
  return sha256(node);
}

/** Bit `depth` of a key's hash. */
export function pathBit(keyHash: Uint8Array, depth: number): 0 | 1 {
  return ((keyHash[depth >> 3] >> (7 - (depth & 7))) & 1) as 0 | 1;
}

/** The root of the whole store: SHA-256("warpshrew/1" ++ standard root ++ lane root). */
export function combinedRoot(standard: Uint8Array, lane: Uint8Array): Uint8Array {
  return sha256(concatBytes(STATE_TAG, standard, lane));
}
