// Hashes of the state tree, four at a time: of the leaves and nodes of the buckets that changed, and of the nodes above
// them.
import { beginAll, compressAll, COUNTS, FIRST_HALVES, finishAll, finishLane, LASTS, SECOND_HALVES } from './blake2s';
import {
  bits,
  clearDirty,
  countOf,
  dirtyBuckets,
  dirtyCount,
  EMPTY,
  entriesOf,
  hashAt,
  kindAt,
  LEAST_BITS,
  LONE,
  MORE,
} from './tree-buckets';
import { buffer, bufferAt, copyHash, DIRTY, ENTRY, LEAVES, NODES, ROWS } from './tree-memory';

/** Leaves that are hashed together, unless one bucket has more. */
const GROUP: u32 = 1024;
/** Bits of a path: every node is above this depth. */
const PATH_BITS: u32 = 248;
/** A node that waits for its children: addresses of their hashes, where its own goes, the next one; room for it. */
const NODE: usize = 48;
const NODE_HASH: usize = 16;
/** By depth: the first node that waits. */
const WAITING: usize = memory.data(992, 4);
/** Hash of an empty subtree. */
const ZERO: usize = memory.data(32, 16);

const OUT: usize = memory.data(16, 4);
let lanes: u32 = 0;

/** Begins messages of one block of `length` bytes. */
function beginBlocks(length: i32): void {
  v128.store(COUNTS, i32x4.splat(length));
  v128.store(LASTS, i32x4.splat(-1));
  lanes = 0;
}

/** Hashes the block of two halves to `out`, when four wait or {@link endBlocks} is called. */
@inline
function hashBlock(first: usize, second: usize, out: usize): void {
  const cell = <usize>lanes << 2;
  store<u32>(FIRST_HALVES + cell, <u32>first);
  store<u32>(SECOND_HALVES + cell, <u32>second);
  store<u32>(OUT + cell, <u32>out);
  if (++lanes != 4) return;
  beginAll();
  compressAll();
  finishAll(load<u32>(OUT), load<u32>(OUT, 4), load<u32>(OUT, 8), load<u32>(OUT, 12));
  lanes = 0;
}

function endBlocks(): void {
  if (lanes == 0) return;
  for (let lane = lanes; lane < 4; lane++) {
    const cell = <usize>lane << 2;
    store<u32>(FIRST_HALVES + cell, load<u32>(FIRST_HALVES));
    store<u32>(SECOND_HALVES + cell, load<u32>(SECOND_HALVES));
  }
  beginAll();
  compressAll();
  for (let lane: u32 = 0; lane < lanes; lane++) finishLane(lane, load<u32>(OUT + (<usize>lane << 2)));
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
  const cell = WAITING + (<usize>depth << 2);
  store<u32>(node, load<u32>(cell), 8);
  store<u32>(cell, <u32>node);
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
    const cell = WAITING + (<usize>depth << 2);
    for (let node = <usize>load<u32>(cell); node != 0; node = <usize>load<u32>(node, 8)) {
      hashBlock(load<u32>(node), load<u32>(node, 4), node + NODE_HASH);
    }
    store<u32>(cell, 0);
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
  const leaves = buffer(LEAVES, <usize>count << 5);
  beginBlocks(63);
  hashLeaves(entries, count, leaves);
  endBlocks();
  nextNode = buffer(NODES, <usize>mostNodes(entries, count, depth) * NODE);
  const top = planPart(entries, leaves, count, depth);
  hashWaiting(depth);
  memory.copy(out, top, 32);
}

/** Brings all hashes up to date. The list of rows that had changes is made on the way. */
export function hashAll(): void {
  const list = dirtyBuckets();
  const number = dirtyCount;
  listRows(list, number);
  let from: u32 = 0;
  while (from < number) {
    let count: u32 = 0;
    let nodes: u32 = 0;
    let to = from;
    while (to < number && (to == from || count < GROUP)) {
      const bucket = load<u32>(list + (<usize>(to++) << 2));
      count += countOf(bucket);
      if (countOf(bucket) > 1) nodes += mostNodes(entriesOf(bucket), countOf(bucket), bits);
    }
    hashGroup(list, from, to, count, nodes);
    from = to;
  }
  clearDirty();
  hashUpper(bufferAt(DIRTY), number);
}

/** Rows that had changes at the last {@link hashAll}: how many, from the buffer's begin on. */
export let touchedRows: u32 = 0;

/** As {@link keepBuckets}: the number of rows, 4 bytes. */
export function keepTouched(at: usize): void {
  store<u32>(at, touchedRows);
}

export function resumeTouched(at: usize): void {
  touchedRows = load<u32>(at);
}

function listRows(list: usize, number: u32): void {
  const rows = buffer(ROWS, <usize>number << 2);
  touchedRows = 0;
  for (let i: u32 = 0; i < number; i++) {
    const row = load<u32>(list + (<usize>i << 2)) >> LEAST_BITS;
    if (touchedRows != 0 && load<u32>(rows + (<usize>(touchedRows - 1) << 2)) == row) continue;
    store<u32>(rows + (<usize>(touchedRows++) << 2), row);
  }
}

/** Hashes the buckets `from` to `to` of the list, which have `count` leaves and at most `nodes` nodes together. */
function hashGroup(list: usize, from: u32, to: u32, count: u32, nodes: u32): void {
  const leaves = buffer(LEAVES, <usize>count << 5);
  let at = leaves;
  beginBlocks(63);
  for (let i = from; i < to; i++) {
    const bucket = load<u32>(list + (<usize>i << 2));
    hashLeaves(entriesOf(bucket), countOf(bucket), at);
    at += <usize>countOf(bucket) << 5;
  }
  endBlocks();
  nextNode = buffer(NODES, <usize>nodes * NODE);
  at = leaves;
  for (let i = from; i < to; i++) {
    const bucket = load<u32>(list + (<usize>i << 2));
    const entries = countOf(bucket);
    store<u8>(kindAt(bits, bucket), entries == 0 ? EMPTY : entries == 1 ? LONE : MORE);
    // For now the address of the hash.
    store<u32>(hashAt(bits, bucket), <u32>planPart(entriesOf(bucket), at, entries, bits));
    at += <usize>entries << 5;
  }
  hashWaiting(bits);
  for (let i = from; i < to; i++) {
    const out = hashAt(bits, load<u32>(list + (<usize>i << 2)));
    copyHash(out, load<u32>(out));
  }
}

/** Hashes the nodes above `number` parts of the lowest level, whose list it uses up. */
function hashUpper(list: usize, number: u32): void {
  beginBlocks(64);
  for (let level = <i32>bits - 1; level >= 0; level--) {
    let parents: u32 = 0;
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
