// Hashes a tree in parts: subtrees of about as many changed buckets each. Instances over the same memory take one after
// the other, each in a thread of its own; the one that has the tree begins, takes part and ends. It alone makes room.
import {
  bits,
  clearDirty,
  dirtyBuckets,
  dirtyCount,
  keepBuckets,
  LEAST_BITS,
  resumeBuckets,
  unlist,
} from './tree-buckets';
import { BESIDE, buffer, bufferAt, DIRTY, ROWS } from './tree-memory';
import { BESIDE_BYTES, goBeside, hashBuckets, hashUpper } from './tree-nodes';
import { setScratch } from './tree-scratch';

/** Changed buckets to a part, on average, beyond which there are twice as many. */
const PART_BUCKETS: u32 = 128;
/** Parts are subtrees of this depth at most. */
const MOST_DEPTH: u32 = 8;

/** By part: its first bits, from where to where its buckets are in the list, 1 once it is hashed. */
const PARTS: usize = memory.data(4096, 4);
const PART_BYTES: usize = 16;
/** What all instances know: the next part to take, the number of parts, their depth, the list, rooms; the buckets. */
const SHARED: usize = memory.data(64, 16);
const COUNT: usize = 4;
const DEPTH: usize = 8;
const LIST: usize = 12;
const ROOMS: usize = 16;
const BUCKETS: usize = 20;

/** Rows that had changes when hashing last began: how many, from the buffer's begin on. */
export let touchedRows: u32 = 0;

/**
 * Prepares hashing, beside this instance in those of the numbers from 0 to `instances`. Gives the number of parts. The
 * list of rows that had changes is made. Nothing else may be called before {@link endHash} but {@link hashParts}.
 */
export function beginHash(instances: u32): u32 {
  const list = dirtyBuckets();
  listRows(list, dirtyCount);
  let depth: u32 = 0;
  while (depth < MOST_DEPTH && depth < bits && dirtyCount >> depth > PART_BUCKETS) depth++;
  const rooms: usize = instances == 0 ? 0 : buffer(BESIDE, <usize>instances * BESIDE_BYTES);
  const parts = cut(list, depth);
  store<u32>(SHARED, parts, COUNT);
  store<u32>(SHARED, depth, DEPTH);
  store<u32>(SHARED, <u32>list, LIST);
  store<u32>(SHARED, <u32>rooms, ROOMS);
  keepBuckets(SHARED + BUCKETS);
  atomic.store<u32>(SHARED, 0);
  return parts;
}

/** Lists the subtrees of `depth` that have changed buckets; gives their number. */
function cut(list: usize, depth: u32): u32 {
  let parts: u32 = 0;
  let from: u32 = 0;
  while (from < dirtyCount) {
    const prefix = load<u32>(list + (<usize>from << 2)) >> (bits - depth);
    let to = from + 1;
    while (to < dirtyCount && load<u32>(list + (<usize>to << 2)) >> (bits - depth) == prefix) to++;
    const part = PARTS + <usize>(parts++) * PART_BYTES;
    store<u32>(part, prefix);
    store<u32>(part, from, 4);
    store<u32>(part, to, 8);
    store<u32>(part, 0, 12);
    from = to;
  }
  return parts;
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

/** Makes this the instance of the number `instance` beside another one that has begun. */
export function joinHash(instance: u32): void {
  resumeBuckets(SHARED + BUCKETS);
  setScratch(<usize>load<u32>(SHARED, ROOMS) + <usize>instance * BESIDE_BYTES);
  goBeside();
}

/** Hashes parts that nobody has taken until there are none. */
export function hashParts(): void {
  const parts = load<u32>(SHARED, COUNT);
  for (;;) {
    const taken = atomic.add<u32>(SHARED, 1);
    if (taken >= parts) return;
    hashPart(PARTS + <usize>taken * PART_BYTES);
  }
}

/** Hashes a part, unless that takes more room than there is. */
function hashPart(part: usize): void {
  const from = load<u32>(part, 4);
  const number = load<u32>(part, 8) - from;
  const list = <usize>load<u32>(SHARED, LIST) + (<usize>from << 2);
  if (!hashBuckets(list, number)) return;
  unlist(list, number);
  hashUpper(list, number, bits, load<u32>(SHARED, DEPTH));
  store<u32>(part, 1, 12);
}

/** Hashes what is left. All other instances must have come to their ends. */
export function endHash(): void {
  const parts = load<u32>(SHARED, COUNT);
  const list = bufferAt(DIRTY);
  for (let i: u32 = 0; i < parts; i++) {
    const part = PARTS + <usize>i * PART_BYTES;
    if (load<u32>(part, 12) == 0) hashPart(part);
  }
  for (let i: u32 = 0; i < parts; i++) store<u32>(list + (<usize>i << 2), load<u32>(PARTS + <usize>i * PART_BYTES));
  hashUpper(list, parts, load<u32>(SHARED, DEPTH), 0);
  clearDirty();
}
