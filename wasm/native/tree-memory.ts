// Memory of the state tree: blocks of entries by number of entries, with a free list each, and buffers that grow. What
// is given back is used again; WebAssembly memory never shrinks.

/** Bytes of an entry: path 31, hash of the value 32, one zero: as it stands, the block that is hashed for its leaf. */
export const ENTRY: usize = 64;
export const PATH: usize = 31;
export const PAD: usize = 63;

/** Up to this many entries a block has room for just as many. */
export const EXACT: u32 = 128;
/** Beyond, four sizes for every power of two, up to 2^26 entries. */
const CLASSES: usize = <usize>EXACT + 1 + 4 * 20;
/** By class: the first free block, in which the address of the next one stands. */
const FREE: usize = memory.data(836, 4);
/** Ranges that were given back whole: address and end, used before memory grows. */
const RANGES: usize = memory.data(1024, 4);
const MAX_RANGES: u32 = 128;
let ranges: u32 = 0;

let next: usize = 0;
let end: usize = 0;
/** Bytes of all blocks of entries in use. */
export let entryBytes: usize = 0;

function classOf(entries: u32): usize {
  if (entries <= EXACT) return <usize>entries;
  // 2^power < entries <= 2^(power + 1); quarters of 2^power above it.
  const power = 31 - clz(entries - 1);
  const quarter = 1 << (power - 2);
  return <usize>(EXACT + 1 + 4 * (power - 7) + ((entries - 1 - (1 << power)) / quarter));
}

/** Entries that a block of the class has room for. */
function roomOf(entries: u32): u32 {
  if (entries <= EXACT) return entries;
  const power = 31 - clz(entries - 1);
  const quarter: u32 = 1 << (power - 2);
  return (1 << power) + quarter * ((entries - 1 - (1 << power)) / quarter + 1);
}

/** Gives a range back, to be used for anything. */
export function donate(from: usize, bytes: usize): void {
  if (bytes < ENTRY) return;
  // An emptied range is replaced; were all of the list in use, the range would be lost.
  for (let i: u32 = 0; i < ranges; i++) {
    const range = RANGES + (<usize>i << 3);
    if (load<u32>(range, 4) - load<u32>(range) >= <u32>ENTRY) continue;
    store<u32>(range, <u32>from);
    store<u32>(range, <u32>(from + bytes), 4);
    return;
  }
  if (ranges == MAX_RANGES) return;
  store<u32>(RANGES + (<usize>ranges << 3), <u32>from);
  store<u32>(RANGES + (<usize>ranges << 3), <u32>(from + bytes), 4);
  ranges++;
}

/** `bytes` bytes at a multiple of 64, with undefined content; traps where there is no more memory. */
export function take(bytes: usize): usize {
  const size = (bytes + 63) & ~63;
  if (next + size > end) more(size);
  const at = next;
  next += size;
  return at;
}

/** Makes `size` bytes free in one piece from {@link next} on. */
function more(size: usize): void {
  const restFrom = next;
  const restTo = end;
  for (let i: u32 = ranges; i > 0; i--) {
    const range = RANGES + (<usize>(i - 1) << 3);
    const from = <usize>load<u32>(range);
    if (from + size > <usize>load<u32>(range, 4)) continue;
    next = from;
    end = <usize>load<u32>(range, 4);
    store<u32>(range, <u32>restFrom);
    store<u32>(range, <u32>restTo, 4);
    return;
  }
  const have = <usize>memory.size() << 16;
  if (end == have) next = restFrom;
  else {
    donate(restFrom, restTo - restFrom);
    next = end == 0 ? (__heap_base + 63) & ~63 : have;
  }
  // By a sixteenth at least: growing may move all of it.
  const missing = next + size > have ? max(next + size - have, have >> 4) : 0;
  const pages = (missing + 0xffff) >> 16;
  if (pages != 0 && memory.grow(<i32>pages) < 0) {
    // Perhaps no more than is needed can be had.
    const least = (next + size - have + 0xffff) >> 16;
    if (memory.grow(<i32>least) < 0) unreachable();
  }
  end = <usize>memory.size() << 16;
}

// A call to copy so few bytes takes longer than copying them.

@inline
export function copyHash(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

@inline
export function copyEntry(to: usize, from: usize): void {
  copyHash(to, from);
  copyHash(to + 32, from + 32);
}

/** A block for `entries` entries. */
export function takeBlock(entries: u32): usize {
  const cell = FREE + (classOf(entries) << 2);
  const block = <usize>load<u32>(cell);
  entryBytes += <usize>roomOf(entries) * ENTRY;
  if (block != 0) {
    store<u32>(cell, load<u32>(block));
    return block;
  }
  const bytes = <usize>roomOf(entries) * ENTRY;
  if (next + bytes > end && entries <= EXACT) {
    const split = splitLarger(entries);
    if (split != 0) return split;
  }
  return take(bytes);
}

/** Divides the smallest larger block that is free; 0 if there is none. */
function splitLarger(entries: u32): usize {
  for (let larger = entries + 1; larger <= EXACT; larger++) {
    const cell = FREE + (<usize>larger << 2);
    const block = <usize>load<u32>(cell);
    if (block == 0) continue;
    store<u32>(cell, load<u32>(block));
    hang(block + <usize>entries * ENTRY, <usize>(larger - entries));
    return block;
  }
  return 0;
}

/** Gives the block of `entries` entries back. */
export function freeBlock(block: usize, entries: u32): void {
  entryBytes -= <usize>roomOf(entries) * ENTRY;
  hang(block, classOf(entries));
}

@inline
function hang(block: usize, classIndex: usize): void {
  const cell = FREE + (classIndex << 2);
  store<u32>(block, load<u32>(cell));
  store<u32>(cell, <u32>block);
}

/** Buffers that keep their place until more is wanted. */
export const INPUT: usize = 0;
export const CHANGES: usize = 1;
export const SORT_FROM: usize = 2;
export const SORT_TO: usize = 3;
export const SORT_SUMS: usize = 4;
export const EXISTED: usize = 5;
export const MERGED: usize = 6;
export const DIRTY: usize = 7;
export const ROWS: usize = 8;
export const LEAVES: usize = 9;
export const NODES: usize = 10;
export const OUTPUT: usize = 11;
export const BESIDE: usize = 12;
/** By buffer: its address and its bytes. */
const BUFFER: usize = memory.data(104, 4);

/** The buffer with room for `bytes` bytes; with `keep` the content stays, else it is undefined after it grew. */
export function buffer(which: usize, bytes: usize, keep: usize = 0): usize {
  const cell = BUFFER + (which << 3);
  const at = <usize>load<u32>(cell);
  const room = <usize>load<u32>(cell, 4);
  if (bytes <= room) return at;
  const wanted = (max(bytes, room + (room >> 1)) + 4095) & ~4095;
  const grown = take(wanted);
  if (keep != 0) memory.copy(grown, at, keep);
  if (at != 0) donate(at, room);
  store<u32>(cell, <u32>grown);
  store<u32>(cell, <u32>wanted, 4);
  return grown;
}

@inline
export function bufferAt(which: usize): usize {
  return <usize>load<u32>(BUFFER + (which << 3));
}
