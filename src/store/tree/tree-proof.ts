import { bytesEqual } from '../../util/bytes.js';
import {
  EMPTY_HASH,
  HASH_BYTES,
  leafHash,
  nodeHash,
  PATH_BITS,
  PATH_BYTES,
  pathBit,
  pathOf,
  valueHashOf,
} from './tree-hash.js';

/**
 * A path of the state tree. Inclusion: `leaf` is the key's own. Absence: no leaf, or another key's that stands in its
 * place.
 */
export interface StateProof {
  /** Sibling hashes along the path, top first; 32 zero bytes where a sibling is empty. */
  readonly siblings: readonly Uint8Array[];
  /** Path (31 bytes) and hash of the value (32 bytes) of the leaf at the end of the path. */
  readonly leaf: { readonly path: Uint8Array; readonly valueHash: Uint8Array } | undefined;
}

/**
 * Whether `proof` shows under `root` that `key` has `value`, or, if `value` is undefined, that `key` is absent. Needs
 * only BLAKE2s, so that a client can verify a server's answer.
 */
export function verifyProof(
  root: Uint8Array,
  key: Uint8Array,
  value: Uint8Array | undefined,
  proof: StateProof,
): boolean {
  const { leaf, siblings } = proof;
  const depth = siblings.length;
  if (depth > PATH_BITS || siblings.some((hash) => hash.length !== HASH_BYTES)) return false;
  if (leaf !== undefined && (leaf.path.length !== PATH_BYTES || leaf.valueHash.length !== HASH_BYTES)) return false;
  const path = pathOf(key);
  const own = leaf !== undefined && bytesEqual(leaf.path, path);
  if (own !== (value !== undefined)) return false;
  if (value !== undefined && leaf !== undefined && !bytesEqual(leaf.valueHash, valueHashOf(value))) return false;
  let hash = leaf === undefined ? EMPTY_HASH : leafHash(leaf.path, leaf.valueHash);
  if (leaf !== undefined && !own) {
    for (let bit = 0; bit < depth; bit++) if (pathBit(leaf.path, bit) !== pathBit(path, bit)) return false;
  }
  for (let bit = depth - 1; bit >= 0; bit--) {
    hash = pathBit(path, bit) === 0 ? nodeHash(hash, siblings[bit]) : nodeHash(siblings[bit], hash);
  }
  return bytesEqual(hash, root);
}
