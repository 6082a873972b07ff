import { bytesEqual } from '../../util/bytes.js';
import { sha256 } from '../../util/sha256.js';
import { EMPTY_HASH, leafHash, nodeHash, pathBit } from './tree-hash.js';

/** A path of the state tree. Inclusion: `leaf` is the key's own. Absence: no leaf, or another key's that stands in its place. */
export interface StateProof {
  /** Hashes beside the path, top first. */
  readonly siblings: readonly Uint8Array[];
  readonly leaf: { readonly key: Uint8Array; readonly valueHash: Uint8Array } | undefined;
}

/** Bits of a path. */
const MAX_DEPTH = 256;

/**
 * Whether `proof` shows under `root` that `key` has `value`, or, if `value` is undefined, that `key` is absent.
 * Needs nothing but SHA-256, so that a client can check what a server says.
 */
export function verifyProof(
  root: Uint8Array,
  key: Uint8Array,
  value: Uint8Array | undefined,
  proof: StateProof,
): boolean {
  const depth = proof.siblings.length;
  if (depth > MAX_DEPTH || proof.siblings.some((hash) => hash.length !== 32)) return false;
  const keyHash = sha256(key);
  const { leaf } = proof;
  if (leaf !== undefined && leaf.valueHash.length !== 32) return false;
  const own = leaf !== undefined && bytesEqual(leaf.key, key);
  if (own !== (value !== undefined)) return false;
  if (value !== undefined && leaf !== undefined && !bytesEqual(leaf.valueHash, sha256(value))) return false;
  let hash = leaf === undefined ? EMPTY_HASH : leafHash(leaf.key, leaf.valueHash);
  if (leaf !== undefined && !own) {
    const other = sha256(leaf.key);
    for (let bit = 0; bit < depth; bit++) if (pathBit(other, bit) !== pathBit(keyHash, bit)) return false;
  }
  for (let bit = depth - 1; bit >= 0; bit--) {
    const sibling = proof.siblings[bit];
    hash = pathBit(keyHash, bit) === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }
  return bytesEqual(hash, root);
}
