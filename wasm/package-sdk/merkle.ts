// Merkle trees of SHA-256: a node is the hash of its two children, 64 bytes, left then right.
import { input } from './context';
import { sha256 } from './intrinsics';
import { require } from './stop';
import * as u128 from './u128';

/** Levels of a tree at most. */
const MOST_LEVELS: u32 = 64;
/** Left and right child, and a node, as buffers. */
const PAIR: usize = memory.data<u32>([64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8) + 4;
const NODE: usize = memory.data<u32>([32, 0, 0, 0, 0, 0, 0, 0, 0], 8) + 4;

/**
 * Whether the siblings among the inputs, two inputs each from `first` on, lead from the leaf (the buffer `leaf`, which
 * is hashed) at place `index` up to the 32 bytes of `root`, over `levels` levels.
 */
export function merkleProves(leaf: usize, index: u64, levels: u32, first: u32, root: usize): bool {
  require(levels <= MOST_LEVELS, 'a tree has at most 64 levels');
  if (levels < 64 && index >> levels != 0) return false;
  sha256(leaf, NODE);
  for (let level: u32 = 0; level < levels; level++) {
    const own = PAIR + ((<u32>(index >> level) & 1) << 5);
    const other = PAIR + (PAIR + 32 - own);
    memory.copy(own, NODE, 32);
    u128.copy(other, input(first + 2 * level));
    u128.copy(other + 16, input(first + 2 * level + 1));
    sha256(PAIR, NODE);
  }
  return u128.equal(NODE, root) && u128.equal(NODE + 16, root + 16);
}
