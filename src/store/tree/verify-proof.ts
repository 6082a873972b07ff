/**
 * Verifies proofs of the state tree (docs/state-root.md). It needs a hash function and nothing else: BLAKE2s-256
 * without a key (RFC 7693). To verify elsewhere, copy this file or say the same in another language.
 */
import { createHash } from 'node:crypto';

const HASH_BYTES = 32;
const PATH_BYTES = 31;

/**
 * The way from the root to where a key belongs. Presence: `leaf` is the key's own. Absence: there is no leaf, or that
 * of another key stands in its place.
 */
export interface StateProof {
  /** Hashes of the siblings along the path, 32 bytes each, top first; 32 zero bytes where a sibling is empty. */
  readonly siblings: readonly Uint8Array[];
  /** Path (31 bytes) and hash of the value (32 bytes) of the leaf at the end of the way; undefined if there is none. */
  readonly leaf: { readonly path: Uint8Array; readonly valueHash: Uint8Array } | undefined;
}

function hash(...parts: readonly Uint8Array[]): Uint8Array {
  const blake2s = createHash('blake2s256');
  for (const part of parts) blake2s.update(part);
  return blake2s.digest();
}

/** Bit `depth` of a path, the most significant bit of the first byte first. */
function bit(path: Uint8Array, depth: number): number {
  return (path[depth >> 3] >> (7 - (depth & 7))) & 1;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Whether `proof` shows that under `root`, the root of a namespace, `key` has `value`, or, if `value` is undefined,
 * that `key` is absent. Never throws, whatever the proof.
 */
export function verifyProof(
  root: Uint8Array,
  key: Uint8Array,
  value: Uint8Array | undefined,
  { siblings, leaf }: StateProof,
): boolean {
  const depth = siblings.length;
  if (depth > 8 * PATH_BYTES || siblings.some(({ length }) => length !== HASH_BYTES)) return false;
  const path = hash(key).subarray(0, PATH_BYTES);
  let node = new Uint8Array(HASH_BYTES);
  if (leaf !== undefined) {
    if (leaf.path.length !== PATH_BYTES || leaf.valueHash.length !== HASH_BYTES) return false;
    // A leaf stands for this key only if it hangs on its way.
    for (let at = 0; at < depth; at++) if (bit(leaf.path, at) !== bit(path, at)) return false;
    node = Uint8Array.from(hash(leaf.path, leaf.valueHash));
  }
  const own = leaf !== undefined && equal(leaf.path, path) ? leaf : undefined;
  if (value === undefined ? own !== undefined : own === undefined || !equal(own.valueHash, hash(value))) return false;
  for (let at = depth - 1; at >= 0; at--) {
    node = Uint8Array.from(bit(path, at) === 0 ? hash(node, siblings[at]) : hash(siblings[at], node));
  }
  return equal(node, root);
}
