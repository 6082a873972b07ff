// The writes of a batch as leaves of the state tree: their hashes, and the order of the hashes.
import { alloc } from './arena';
import { compressMessages, MESSAGE_HEAD, pad } from './messages';

/**
 * A change: hash of the key, then hash of the leaf (32 bytes each; together they are a leaf as pages have it), then
 * u32: address and length of the key, address and length of the value, flags.
 */
export const CHANGE_BYTES: usize = 96;
const LEAF_HASH: usize = 32;
const KEY: usize = 64;
const VALUE: usize = 72;
const FLAGS: usize = 80;

/** The key gets a value; otherwise it is removed. */
const PRESENT: u32 = 1;
/** Both hashes are present already: JavaScript hashes long keys and values. */
const HASHED: u32 = 2;

/** Messages that are laid out at once. */
const GROUP: u32 = 128;
/** The longest message that is laid out here: 01, key, hash of the value. */
const MAX_MESSAGE: usize = 1 + 512 + 32;
const MESSAGE_ROOM: usize = MESSAGE_HEAD + MAX_MESSAGE + 9 + 63;
const DIGITS: usize = 1 << 16;

/** Addresses of the changes in the order of the tree, and how many there are. */
export let sorted: usize = 0;
export let count: u32 = 0;

@inline
export function changeAt(index: u32): usize {
  return <usize>load<u32>(sorted + (<usize>index << 2));
}

@inline
export function isPresent(change: usize): bool {
  return (load<u32>(change, FLAGS) & PRESENT) != 0;
}

/** Nibble `depth` of the key's hash that lies at `keyHash`. */
@inline
export function nibble(keyHash: usize, depth: u32): u32 {
  const byte = <u32>load<u8>(keyHash + (depth >> 1));
  return (depth & 1) != 0 ? byte & 15 : byte >> 4;
}

/** Takes `number` changes from `table` on: computes missing hashes, and sorts them. */
export function takeChanges(table: usize, number: u32): void {
  const work = alloc(<usize>GROUP * MESSAGE_ROOM);
  for (let from: u32 = 0; from < number; from += GROUP) {
    const to = min<u32>(number, from + GROUP);
    hashGroup(table, from, to, work, KEY, 0);
    hashGroup(table, from, to, work, VALUE, LEAF_HASH);
    hashLeaves(table, from, to, work);
  }
  count = number;
  sort(table);
}

/** Writes the hashes of the keys, or of the values, of changes `from` to `to` to `out` in each. */
function hashGroup(table: usize, from: u32, to: u32, work: usize, what: usize, out: usize): void {
  let at = work;
  for (let i = from; i < to; i++) {
    const change = table + <usize>i * CHANGE_BYTES;
    const flags = load<u32>(change, FLAGS);
    if ((flags & HASHED) != 0 || (what == VALUE && (flags & PRESENT) == 0)) continue;
    const length = load<u32>(change + what, 4);
    memory.copy(at + MESSAGE_HEAD, load<u32>(change + what), length);
    at = endMessage(at, length, change + out);
  }
  compressMessages(work, at);
}

/** Replaces the hashes of the values by those of the leaves. */
function hashLeaves(table: usize, from: u32, to: u32, work: usize): void {
  let at = work;
  for (let i = from; i < to; i++) {
    const change = table + <usize>i * CHANGE_BYTES;
    if ((load<u32>(change, FLAGS) & (PRESENT | HASHED)) != PRESENT) continue;
    const length = load<u32>(change + KEY, 4);
    const message = at + MESSAGE_HEAD;
    store<u8>(message, 1);
    memory.copy(message + 1, load<u32>(change + KEY), length);
    memory.copy(message + 1 + length, change + LEAF_HASH, 32);
    at = endMessage(at, length + 33, change + LEAF_HASH);
  }
  compressMessages(work, at);
}

function endMessage(at: usize, length: u32, digest: usize): usize {
  const message = at + MESSAGE_HEAD;
  const last = pad(message, length);
  store<u32>(at, <u32>((last - message) >> 6));
  store<u32>(at, <u32>digest, 4);
  return last;
}

/**
 * By the first 64 bits with four passes over the table, then the few that share them (finding many is infeasible) by
 * the rest.
 */
function sort(table: usize): void {
  const bytes = <usize>count << 2;
  let from = alloc(bytes);
  let to = alloc(bytes);
  const sums = alloc(DIGITS << 2);
  for (let i: u32 = 0; i < count; i++) store<u32>(from + (<usize>i << 2), <u32>(table + <usize>i * CHANGE_BYTES));
  // Few changes: the pass over the digits would cost more than all the rest.
  const digits: i32 = count < 64 ? 0 : 4;
  for (let digit = digits - 1; digit >= 0; digit--) {
    pass(from, to, sums, <usize>digit << 1);
    const other = from;
    from = to;
    to = other;
  }
  for (let i: u32 = 1; i < count; i++) {
    const change = load<u32>(from + (<usize>i << 2));
    let at = i;
    for (; at > 0; at--) {
      const before = load<u32>(from + (<usize>(at - 1) << 2));
      if (memory.compare(before, change, 32) <= 0) break;
      store<u32>(from + (<usize>at << 2), before);
    }
    store<u32>(from + (<usize>at << 2), change);
  }
  sorted = from;
}

/** Sorts by the two bytes at `offset` of the hashes; the sort is stable. */
function pass(from: usize, to: usize, sums: usize, offset: usize): void {
  memory.fill(sums, 0, DIGITS << 2);
  for (let i: u32 = 0; i < count; i++) {
    const cell = sums + digitAt(load<u32>(from + (<usize>i << 2)), offset);
    store<u32>(cell, load<u32>(cell) + 1);
  }
  let sum: u32 = 0;
  for (let cell = sums; cell < sums + (DIGITS << 2); cell += 4) {
    const here = load<u32>(cell);
    store<u32>(cell, sum);
    sum += here;
  }
  for (let i: u32 = 0; i < count; i++) {
    const change = load<u32>(from + (<usize>i << 2));
    const cell = sums + digitAt(change, offset);
    const place = load<u32>(cell);
    store<u32>(cell, place + 1);
    store<u32>(to + (<usize>place << 2), change);
  }
}

/** Offset in the table of sums of the big-endian number in two bytes of a hash. */
@inline
function digitAt(change: u32, offset: usize): usize {
  const low = <u32>load<u16>(<usize>change + offset);
  return <usize>(((low & 0xff) << 8) | (low >> 8)) << 2;
}
