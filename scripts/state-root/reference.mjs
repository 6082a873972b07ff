/**
 * The state tree from its definition (docs/state-root.md), and from nothing else of the project: the root of a whole
 * set of pairs, and the proof of a key, both by splitting the set bit by bit. Slow and short: to be compared with.
 * Bytes are Uint8Array; a path is a text of 248 characters `0` and `1`.
 */
import { createHash } from 'node:crypto';

const EMPTY = Buffer.alloc(32);

/** BLAKE2s-256 of all parts, one after the other. */
export function H(...parts) {
  return createHash('blake2s256').update(Buffer.concat(parts)).digest();
}

const bitsOf = (bytes) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');

/** A pair as a leaf of the tree. */
function leafOf([key, value]) {
  const path = H(key).subarray(0, 31);
  const valueHash = H(value);
  return { bits: bitsOf(path), path, valueHash, hash: H(path, valueHash) };
}

/** The leaves of pairs [key, value], by their paths. */
export function leavesOf(pairs) {
  return pairs.map(leafOf).sort((a, b) => (a.bits < b.bits ? -1 : 1));
}

/** Hash of the subtree of sorted leaves that share their first `depth` bits. */
function subtree(leaves, depth) {
  if (leaves.length <= 1) return leaves.length === 0 ? EMPTY : leaves[0].hash;
  const [left, right] = halves(leaves, depth);
  return H(subtree(left, depth + 1), subtree(right, depth + 1));
}

function halves(leaves, depth) {
  const first = leaves.findIndex(({ bits }) => bits[depth] === '1');
  const middle = first < 0 ? leaves.length : first;
  return [leaves.slice(0, middle), leaves.slice(middle)];
}

/** Root of a namespace. */
export function rootOf(leaves) {
  return subtree(leaves, 0);
}

/** Root of the whole state. */
export function stateRootOf(standard, lane) {
  return H(Buffer.from('warpshrew/2'), standard, lane);
}

/** Siblings from the top, and the leaf at the end of the way of `key`. */
export function proofOf(leaves, key) {
  const bits = bitsOf(H(key).subarray(0, 31));
  const siblings = [];
  let inside = leaves;
  while (inside.length > 1) {
    const depth = siblings.length;
    const sides = halves(inside, depth);
    const own = bits[depth] === '0' ? 0 : 1;
    siblings.push(subtree(sides[1 - own], depth + 1));
    inside = sides[own];
  }
  const [leaf] = inside;
  return { siblings, leaf: leaf && { path: leaf.path, valueHash: leaf.valueHash } };
}
