// Hashes of the state tree, four at a time: of the leaves and nodes of the buckets that changed, and of the nodes above
// them.
import { beginAll, compressAll, finishAll, finishLane } from './blake2s';
import { bits, countOf, EMPTY, entriesOf, hashAt, kindAt, LONE, MORE } from './tree-buckets';
import { buffer, copyHash, ENTRY, LEAVES, NODES } from './tree-memory';
import {
  COUNTS,
  FIRST_HALVES,
  LASTS,
  OUTS,
  READ_AHEAD,
  scratch,
  SCRATCH_BYTES,
  SECOND_HALVES,
  WAITING,
} from './tree-scratch';

/** Leaves that are hashed together, unless one bucket has more. */
const GROUP: u32 = 1024;
/** Bits of a path: every node is above this depth. */
const PATH_BITS: u32 = 248;
/** A node that waits for its children: addresses of their hashes, where its own goes, the next one; room for it. */
const NODE: usize = 48;
const NODE_HASH: usize = 16;
/** Hash of an empty subtree. */
const ZERO: usize = memory.data(32, 16);

/** Lanes that have a block. */
let lanes: u32 = 0;

/** Leaves and nodes that an instance beside another one has room for, which does not grow: a group mostly has fewer. */
const MOST_LEAVES: u32 = 4 * GROUP;
const MOST_NODES: u32 = 4 * GROUP;
/** Bytes that an instance needs which hashes beside another one: a scratch, leaves, nodes. */
export const BESIDE_BYTES: usize = SCRATCH_BYTES + (<usize>MOST_LEAVES << 5) + <usize>MOST_NODES * NODE;
let isBeside: bool = false;

/** Says that {@link scratch} is that of an instance beside the one that has the tree. Anything may have lain there. */
export function goBeside(): void {
  isBeside = true;
  memory.fill(scratch, 0, SCRATCH_BYTES);
}

/** Where the hashes of leaves and the nodes of a group lie. */
let leavesAt: usize = 0;
let nodesAt: usize = 0;

/** Makes room for a group; false where only the instance that has the tree could. */
function makeRoom(leaves: u32, nodes: u32): bool {
  if (isBeside) {
    leavesAt = scratch + SCRATCH_BYTES;
    nodesAt = leavesAt + (<usize>MOST_LEAVES << 5);
    return leaves <= MOST_LEAVES && nodes <= MOST_NODES;
  }
  leavesAt = buffer(LEAVES, <usize>leaves << 5);
  nodesAt = buffer(NODES, <usize>nodes * NODE);
  return true;
}

/** Begins messages of one block of `length` bytes. */
function beginBlocks(length: i32): void {
  v128.store(scratch, i32x4.splat(length), COUNTS);
  v128.store(scratch, i32x4.splat(-1), LASTS);
  lanes = 0;
}

/** Hashes the block of two halves to `out`, when four wait or {@link endBlocks} is called. */
@inline
function hashBlock(first: usize, second: usize, out: usize): void {
  const at = scratch;
  const cell = at + (<usize>lanes << 2);
  store<u32>(cell, <u32>first, FIRST_HALVES);
  store<u32>(cell, <u32>second, SECOND_HALVES);
  store<u32>(cell, <u32>out, OUTS);
  if (++lanes != 4) return;
  beginAll();
  compressAll();
  finishAll(load<u32>(at, OUTS), load<u32>(at, OUTS + 4), load<u32>(at, OUTS + 8), load<u32>(at, OUTS + 12));
  lanes = 0;
}

function endBlocks(): void {
  if (lanes == 0) return;
  const at = scratch;
  for (let lane = lanes; lane < 4; lane++) {
    const cell = at + (<usize>lane << 2);
    store<u32>(cell, load<u32>(at, FIRST_HALVES), FIRST_HALVES);
    store<u32>(cell, load<u32>(at, SECOND_HALVES), SECOND_HALVES);
  }
  beginAll();
  compressAll();
  for (let lane: u32 = 0; lane < lanes; lane++) finishLane(lane, load<u32>(at + (<usize>lane << 2), OUTS));
  lanes = 0;
}

/** Hashes the leaves of `count` entries to `out`. */
function hashLeaves(entries: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + <usize>i * ENTRY;
    hashBlock(entry, entry + 32, out + (<usize>i << 5));
  }
}

/** Bits that two different paths share from the first on. */
function sharedBits(a: usize, b: usize): u32 {
  for (let at: usize = 0; at < 24; at += 8) {
    const differ = bswap(load<u64>(a + at) ^ load<u64>(b + at));
    if (differ != 0) return (<u32>at << 3) + <u32>clz(differ);
  }
  // The last eight of 31 bytes, one of them compared above.
  return 184 + <u32>clz(bswap(load<u64>(a, 23) ^ load<u64>(b, 23)));
}

/** Most nodes that sorted entries can have at `depth` and below. */
function mostNodes(entries: usize, count: u32, depth: u32): u32 {
  let most: u32 = 0;
  for (let i: u32 = 1; i < count; i++) {
    const entry = entries + <usize>i * ENTRY;
    most += sharedBits(entry - ENTRY, entry) - depth + 1;
  }
  return most;
}

@inline
function bitOf(path: usize, depth: u32): u32 {
  return (<u32>load<u8>(path + (depth >> 3)) >> (7 - (depth & 7))) & 1;
}

/** Address of the next node; the deepest one that waits. */
let nextNode: usize = 0;
let deepest: u32 = 0;

/**
 * Puts the nodes of two or more entries that share `depth` bits in line; gives where the hash of the topmost will lie.
 * `leaves`: the hashes of their leaves. As deep as paths are long, at most.
 */
function planNodes(entries: usize, leaves: usize, count: u32, depth: u32): usize {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bitOf(entries + <usize>middle * ENTRY, depth) == 0) low = middle + 1;
    else high = middle;
  }
  if (depth >= PATH_BITS) unreachable();
  const node = nextNode;
  nextNode += NODE;
  const left = planPart(entries, leaves, low, depth + 1);
  const right = planPart(entries + <usize>low * ENTRY, leaves + (<usize>low << 5), count - low, depth + 1);
  store<u32>(node, <u32>left);
  store<u32>(node, <u32>right, 4);
  const cell = scratch + (<usize>depth << 2);
  store<u32>(node, load<u32>(cell, WAITING), 8);
  store<u32>(cell, <u32>node, WAITING);
  if (depth > deepest) deepest = depth;
  return node + NODE_HASH;
}

function planPart(entries: usize, leaves: usize, count: u32, depth: u32): usize {
  return count == 0 ? ZERO : count == 1 ? leaves : planNodes(entries, leaves, count, depth);
}

/** Hashes all nodes that wait, the deepest first. */
function hashWaiting(top: u32): void {
  beginBlocks(64);
  for (let depth = <i32>deepest; depth >= <i32>top; depth--) {
    const cell = scratch + (<usize>depth << 2);
    for (let node = <usize>load<u32>(cell, WAITING); node != 0; node = <usize>load<u32>(node, 8)) {
      hashBlock(load<u32>(node), load<u32>(node, 4), node + NODE_HASH);
    }
    store<u32>(cell, 0, WAITING);
    // The next depth reads these.
    endBlocks();
  }
  deepest = 0;
}

/** Hash of the subtree of `count` sorted entries that share `depth` bits, to `out`. */
export function hashSubtree(entries: usize, count: u32, depth: u32, out: usize): void {
  if (count == 0) {
    memory.fill(out, 0, 32);
    return;
  }
  makeRoom(count, mostNodes(entries, count, depth));
  beginBlocks(63);
  hashLeaves(entries, count, leavesAt);
  endBlocks();
  nextNode = nodesAt;
  const top = planPart(entries, leavesAt, count, depth);
  hashWaiting(depth);
  memory.copy(out, top, 32);
}

/** Brings the entries of `number` buckets into the processor's caches: memory answers many reads at once. */
function readAhead(list: usize, number: u32): void {
  let read: u32 = 0;
  for (let i: u32 = 0; i < number; i++) {
    const bucket = load<u32>(list + (<usize>i << 2));
    let entry = entriesOf(bucket);
    const end = entry + <usize>countOf(bucket) * ENTRY;
    for (; entry < end; entry += ENTRY) read ^= load<u32>(entry);
  }
  store<u32>(scratch, read, READ_AHEAD);
}

/** Hashes the leaves and nodes of `number` buckets, whose list stays as it is; false where there is no room. */
export function hashBuckets(list: usize, number: u32): bool {
  let from: u32 = 0;
  while (from < number) {
    let count: u32 = 0;
    let to = from;
    while (to < number && (to == from || count < GROUP)) count += countOf(load<u32>(list + (<usize>(to++) << 2)));
    const group = list + (<usize>from << 2);
    // What fits into no cache is not read ahead.
    if (count <= 2 * GROUP) readAhead(group, to - from);
    if (!hashGroup(group, to - from, count)) return false;
    from = to;
  }
  return true;
}

/** Hashes a group of buckets, which have `leaves` leaves together; false where there is no room. */
function hashGroup(list: usize, number: u32, leaves: u32): bool {
  let nodes: u32 = 0;
  for (let i: u32 = 0; i < number; i++) {
    const bucket = load<u32>(list + (<usize>i << 2));
    if (countOf(bucket) > 1) nodes += mostNodes(entriesOf(bucket), countOf(bucket), bits);
  }
  if (!makeRoom(leaves, nodes)) return false;
  let at = leavesAt;
  beginBlocks(63);
  for (let i: u32 = 0; i < number; i++) {
    const bucket = load<u32>(list + (<usize>i << 2));
    hashLeaves(entriesOf(bucket), countOf(bucket), at);
    at += <usize>countOf(bucket) << 5;
  }
  endBlocks();
  nextNode = nodesAt;
  at = leavesAt;
  for (let i: u32 = 0; i < number; i++) {
    const bucket = load<u32>(list + (<usize>i << 2));
    const entries = countOf(bucket);
    store<u8>(kindAt(bits, bucket), entries == 0 ? EMPTY : entries == 1 ? LONE : MORE);
    // For now the address of the hash.
    store<u32>(hashAt(bits, bucket), <u32>planPart(entriesOf(bucket), at, entries, bits));
    at += <usize>entries << 5;
  }
  hashWaiting(bits);
  for (let i: u32 = 0; i < number; i++) {
    const out = hashAt(bits, load<u32>(list + (<usize>i << 2)));
    copyHash(out, load<u32>(out));
  }
  return true;
}

/** Hashes the nodes above `number` parts of the level `below`, up to `top`; it uses their list up. */
export function hashUpper(list: usize, number: u32, below: u32, top: u32): void {
  beginBlocks(64);
  for (let level = <i32>below - 1; level >= <i32>top; level--) {
    let parents: u32 = 0;
    let read: u32 = 0;
    for (let i: u32 = 0; i < number; i++) {
      const part = load<u32>(list + (<usize>i << 2)) >> 1;
      read ^= load<u32>(hashAt(<u32>level, part)) ^ <u32>load<u8>(kindAt(<u32>level, part));
    }
    store<u32>(scratch, read, READ_AHEAD);
    for (let i: u32 = 0; i < number; i++) {
      const part = load<u32>(list + (<usize>i << 2)) >> 1;
      if (parents != 0 && load<u32>(list + (<usize>(parents - 1) << 2)) == part) continue;
      store<u32>(list + (<usize>(parents++) << 2), part);
      join(<u32>level, part);
    }
    endBlocks();
    number = parents;
  }
}

/** A part of the upper tree from its two halves: a leaf that is alone moves up. */
@inline
function join(level: u32, part: u32): void {
  const left = hashAt(level + 1, part << 1);
  const right = hashAt(level + 1, (part << 1) | 1);
  const leftKind = load<u8>(kindAt(level + 1, part << 1));
  const kind = leftKind + load<u8>(kindAt(level + 1, (part << 1) | 1));
  const out = hashAt(level, part);
  store<u8>(kindAt(level, part), kind > LONE ? MORE : kind);
  if (kind > LONE) hashBlock(left, right, out);
  else copyHash(out, leftKind == EMPTY ? right : left);
}
