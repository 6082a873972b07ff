// Pages of the state tree in memory. A page in memory copies nothing: its slots point to the hashes.
import { alloc } from './arena';

export const SLOTS: u32 = 16;
/** Longest path in nibbles. */
export const MAX_DEPTH: u32 = 64;

/**
 * A page: u16 map of the leaves, u16 map of the children, u32 first and end of the changes on its path, u32 next page
 * of its depth, then per slot the address of the leaf (hash of the key, hash of the leaf) or of the child's hash, per
 * slot the loaded page below, its own hash, and the address of a key's hash on its path.
 */
const LEAVES: usize = 0;
const CHILDREN: usize = 2;
const FROM: usize = 4;
const TO: usize = 8;
const NEXT: usize = 12;
const SLOT: usize = 16;
const BELOW: usize = 80;
const HASH: usize = 144;
const PATH: usize = 176;
const PAGE_BYTES: usize = 180;

/** First and last page of each depth that is to be hashed and stored, in the order of the tree. */
const FIRST: usize = memory.data(256, 4);
const LAST: usize = memory.data(256, 4);

export function newPage(path: usize, from: u32, to: u32): usize {
  const page = alloc(PAGE_BYTES);
  memory.fill(page, 0, PAGE_BYTES);
  store<u32>(page, from, FROM);
  store<u32>(page, to, TO);
  store<u32>(page, <u32>path, PATH);
  return page;
}

@inline
export function leavesOf(page: usize): u32 {
  return <u32>load<u16>(page, LEAVES);
}

@inline
export function childrenOf(page: usize): u32 {
  return <u32>load<u16>(page, CHILDREN);
}

@inline
export function firstChange(page: usize): u32 {
  return load<u32>(page, FROM);
}

@inline
export function endOfChanges(page: usize): u32 {
  return load<u32>(page, TO);
}

@inline
export function pathOf(page: usize): usize {
  return <usize>load<u32>(page, PATH);
}

@inline
export function hashOf(page: usize): usize {
  return page + HASH;
}

@inline
export function slotOf(page: usize, slot: u32): usize {
  return <usize>load<u32>(page + (<usize>slot << 2), SLOT);
}

@inline
export function belowOf(page: usize, slot: u32): usize {
  return <usize>load<u32>(page + (<usize>slot << 2), BELOW);
}

@inline
export function setBelow(page: usize, slot: u32, below: usize): void {
  store<u32>(page + (<usize>slot << 2), <u32>below, BELOW);
}

export function clearSlot(page: usize, slot: u32): void {
  const others = ~(1 << slot);
  store<u16>(page, leavesOf(page) & others, LEAVES);
  store<u16>(page, childrenOf(page) & others, CHILDREN);
}

export function setLeaf(page: usize, slot: u32, leaf: usize): void {
  clearSlot(page, slot);
  store<u16>(page, leavesOf(page) | (1 << slot), LEAVES);
  store<u32>(page + (<usize>slot << 2), <u32>leaf, SLOT);
}

/** `child`: the page below, whose hash need not be known yet. */
export function setChild(page: usize, slot: u32, child: usize): void {
  clearSlot(page, slot);
  store<u16>(page, childrenOf(page) | (1 << slot), CHILDREN);
  store<u32>(page + (<usize>slot << 2), <u32>hashOf(child), SLOT);
}

/** The leaf that is all that a page holds; 0 if it holds nothing or more. */
export function loneLeaf(page: usize): usize {
  const leaves = leavesOf(page);
  if (childrenOf(page) != 0 || popcnt(leaves) != 1) return 0;
  return slotOf(page, ctz(leaves));
}

@inline
export function isEmpty(page: usize): bool {
  return (leavesOf(page) | childrenOf(page)) == 0;
}

/** Points `page` into the stored row of `length` bytes; false if that is not a valid row. */
export function readRow(page: usize, row: usize, length: u32): bool {
  if (length < 4) return false;
  const leaves = <u32>load<u16>(row);
  const children = <u32>load<u16>(row, 2);
  if ((leaves & children) != 0 || length != rowBytes(leaves, children)) return false;
  store<u16>(page, leaves, LEAVES);
  store<u16>(page, children, CHILDREN);
  let at = row + 4;
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    const bit = 1 << slot;
    store<u32>(page + (<usize>slot << 2), <u32>at, SLOT);
    if ((leaves & bit) != 0) at += 64;
    else if ((children & bit) != 0) at += 32;
  }
  return true;
}

/** Bytes of a page's row. */
export function rowBytes(leaves: u32, children: u32): u32 {
  return 4 + 64 * popcnt(leaves) + 32 * popcnt(children);
}

/** Writes the row of a page whose children are hashed: the two maps, then what the slots point to. */
export function writeRow(page: usize, out: usize): void {
  const leaves = leavesOf(page);
  const children = childrenOf(page);
  store<u16>(out, leaves);
  store<u16>(out, children, 2);
  let at = out + 4;
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    const bit = 1 << slot;
    if (((leaves | children) & bit) == 0) continue;
    const bytes: usize = (leaves & bit) != 0 ? 64 : 32;
    memory.copy(at, slotOf(page, slot), bytes);
    at += bytes;
  }
}

export function clearFinished(): void {
  memory.fill(FIRST, 0, 256);
  memory.fill(LAST, 0, 256);
}

/** Adds a page to those of its depth that are to be hashed and stored; in the order of the tree. */
export function finish(page: usize, depth: u32): void {
  const cell = <usize>depth << 2;
  const last = <usize>load<u32>(LAST + cell);
  if (last != 0) store<u32>(last, <u32>page, NEXT);
  else store<u32>(FIRST + cell, <u32>page);
  store<u32>(LAST + cell, <u32>page);
}

@inline
export function firstFinished(depth: u32): usize {
  return <usize>load<u32>(FIRST + (<usize>depth << 2));
}

@inline
export function nextFinished(page: usize): usize {
  return <usize>load<u32>(page, NEXT);
}
