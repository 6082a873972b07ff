// The way from the root to a path: the hashes beside it, and the leaf at its end.
import { bits, countOf, EMPTY, entriesOf, hashAt, kindAt, MORE, prefixOf } from './tree-buckets';
import { buffer, ENTRY, OUTPUT } from './tree-memory';
import { hashSubtree } from './tree-nodes';

const PATH_BITS: u32 = 248;
/** Where in the output the siblings begin: after the path that is asked for, and before the leaf found. */
const SIBLINGS: usize = 64;

/** Siblings of the last proof, and whether it ends at a leaf. */
export let siblings: u32 = 0;

/** Room for a proof: the path that is asked for goes there. */
export function proofAt(): usize {
  return buffer(OUTPUT, SIBLINGS + <usize>(PATH_BITS << 5));
}

@inline
function bitOf(path: usize, depth: u32): u32 {
  return (<u32>load<u8>(path + (depth >> 3)) >> (7 - (depth & 7))) & 1;
}

/** The bucket that a proof of the path at {@link proofAt} ends in; -1 if it ends above all leaves. */
export function bucketOfProof(): i32 {
  const path = proofAt();
  for (let level: u32 = 0; level < bits; level++) {
    let part = prefixOf(path, level);
    const kind = load<u8>(kindAt(level, part));
    if (kind == EMPTY) return -1;
    if (kind == MORE) continue;
    // The only leaf down there, wherever it is.
    for (let below = level + 1; below <= bits; below++) {
      part <<= 1;
      if (load<u8>(kindAt(below, part)) == EMPTY) part |= 1;
    }
    return <i32>part;
  }
  return <i32>prefixOf(path, bits);
}

/**
 * Writes the hashes beside the path, the topmost first, from 64 bytes after {@link proofAt} on. Gives the address of
 * the entry of the leaf at the end, 0 if there is none. The row of {@link bucketOfProof} must be in memory.
 */
export function prove(): usize {
  const path = proofAt();
  siblings = 0;
  for (let level: u32 = 0; level < bits; level++) {
    const kind = load<u8>(kindAt(level, prefixOf(path, level)));
    if (kind == EMPTY) return 0;
    if (kind != MORE) return entriesOf(<u32>bucketOfProof());
    addSibling(path, hashAt(level + 1, prefixOf(path, level + 1) ^ 1));
  }
  const bucket = prefixOf(path, bits);
  return descend(path, entriesOf(bucket), countOf(bucket));
}

@inline
function addSibling(path: usize, hash: usize): void {
  memory.copy(path + SIBLINGS + (<usize>(siblings++) << 5), hash, 32);
}

/** Goes on inside of a bucket. */
function descend(path: usize, entries: usize, count: u32): usize {
  let depth = bits;
  for (; count > 1; depth++) {
    let low: u32 = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bitOf(entries + <usize>middle * ENTRY, depth) == 0) low = middle + 1;
      else high = middle;
    }
    const right = entries + <usize>low * ENTRY;
    const out = path + SIBLINGS + (<usize>(siblings++) << 5);
    if (bitOf(path, depth) == 0) {
      hashSubtree(right, count - low, depth + 1, out);
      count = low;
    } else {
      hashSubtree(entries, low, depth + 1, out);
      entries = right;
      count -= low;
    }
  }
  return count == 0 ? 0 : entries;
}
