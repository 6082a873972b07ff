// One batch of changes through the state tree: which pages are needed, what becomes of them, and the rows to store.
// The host calls begin, takeChanges, then giveRoot, and wanted and give level by level, then rebuild (see src/store/tree/tree-updater.ts).
import { alloc, reset } from './arena';
import { changeAt, count, isPresent, nibble } from './tree-changes';
import { hashPages } from './tree-nodes';
import {
  belowOf,
  childrenOf,
  clearFinished,
  clearSlot,
  endOfChanges,
  finish,
  firstChange,
  firstFinished,
  hashOf,
  isEmpty,
  leavesOf,
  loneLeaf,
  MAX_DEPTH,
  newPage,
  nextFinished,
  pathOf,
  readRow,
  rowBytes,
  setBelow,
  setChild,
  setLeaf,
  slotOf,
  writeRow,
} from './tree-pages';

export { alloc } from './arena';
export { takeChanges } from './tree-changes';

/** A row: u32 kind (depth of a page, or {@link NAME}), address of a key's hash on its path, address (0: the row is deleted) and length of its value. */
const ROW_BYTES: usize = 16;
/** The row that tells the key of a leaf; its value is the address of the change that has the key. */
const NAME: u32 = 0x100;

let root: usize = 0;
let rootStood: bool = false;
/** The pages of the level that was loaded last, and of the one that is being loaded: addresses, one after the other. */
let level: usize = 0;
let levelPages: u32 = 0;
let nextLevel: usize = 0;
let nextPages: u32 = 0;
/** By page wanted: address of a key's hash on its path. The host puts the address and the length of its row there. */
let wantedList: usize = 0;
let rows: usize = 0;
let rowCount: u32 = 0;
/** Leaves of a slot while it is built anew: addresses. */
let leafList: usize = 0;
let depthOfLevel: u32 = 0;

/** Begins a batch; everything of the one before is gone. */
export function begin(): void {
  reset();
  clearFinished();
  root = 0;
  rows = 0;
  rowCount = 0;
}

/** The stored row of the root page, or length 0 if there is none; gives 0 if it cannot be read. */
export function giveRoot(row: usize, length: u32): u32 {
  const pointers = <usize>count << 2;
  level = alloc(pointers);
  nextLevel = alloc(pointers);
  wantedList = alloc(<usize>count << 3);
  leafList = alloc(pointers + 4);
  root = newPage(changeAt(0), 0, count);
  rootStood = length != 0;
  depthOfLevel = 0;
  store<u32>(level, <u32>root);
  levelPages = rootStood ? 1 : 0;
  return !rootStood || readRow(root, row, length) ? 1 : 0;
}

/** How many pages the level below needs; see {@link wantedAt}. */
export function wanted(): u32 {
  nextPages = 0;
  for (let i: u32 = 0; i < levelPages; i++) {
    const page = <usize>load<u32>(level + (<usize>i << 2));
    const end = endOfChanges(page);
    let from = firstChange(page);
    while (from < end) {
      const to = runEnd(from, end, depthOfLevel);
      const slot = nibble(changeAt(from), depthOfLevel);
      if ((childrenOf(page) & (1 << slot)) != 0) {
        const below = newPage(changeAt(from), from, to);
        setBelow(page, slot, below);
        store<u32>(nextLevel + (<usize>nextPages << 2), <u32>below);
        store<u32>(wantedList + (<usize>nextPages << 3), <u32>changeAt(from));
        nextPages++;
      }
      from = to;
    }
  }
  return nextPages;
}

/** Two u32 for each page wanted: address of a key's hash on its path, to be replaced by address and length of its row. */
export function wantedAt(): usize {
  return wantedList;
}

/** Takes the rows of the pages wanted; gives the index of the first that cannot be read, -1 if all can. */
export function give(): i32 {
  for (let i: u32 = 0; i < nextPages; i++) {
    const page = <usize>load<u32>(nextLevel + (<usize>i << 2));
    const cell = wantedList + (<usize>i << 3);
    if (!readRow(page, load<u32>(cell), load<u32>(cell, 4))) return <i32>i;
  }
  const other = level;
  level = nextLevel;
  nextLevel = other;
  levelPages = nextPages;
  depthOfLevel++;
  return -1;
}

/** Applies the changes to the pages that were loaded; gives the number of rows at {@link rowsAt}. */
export function rebuild(): u32 {
  // Each change makes or removes a name at most; each page that stands or is made gives a row.
  rebuildPage(root, 0);
  finish(root, 0);
  for (let depth: i32 = <i32>MAX_DEPTH - 1; depth >= 0; depth--) {
    const first = firstFinished(depth);
    if (first == 0) continue;
    hashPages(first);
    for (let page = first; page != 0; page = nextFinished(page)) storePage(page, depth);
  }
  return rowCount;
}

export function rowsAt(): usize {
  return rows;
}

/** Address of the root of the tree after {@link rebuild}. */
export function rootAt(): usize {
  return hashOf(root);
}

function storePage(page: usize, depth: u32): void {
  if (isEmpty(page)) {
    if (rootStood) addRow(depth, pathOf(page), 0, 0);
    return;
  }
  const length = rowBytes(leavesOf(page), childrenOf(page));
  const out = alloc(length);
  writeRow(page, out);
  addRow(depth, pathOf(page), out, length);
}

let rowRoom: u32 = 0;

function addRow(kind: u32, path: usize, value: usize, length: u32): void {
  if (rows == 0 || rowCount == rowRoom) {
    rowRoom = rows == 0 ? 2 * count + 64 : rowRoom << 1;
    const room = alloc(<usize>rowRoom * ROW_BYTES);
    if (rows != 0) memory.copy(room, rows, <usize>rowCount * ROW_BYTES);
    rows = room;
  }
  const row = rows + <usize>rowCount * ROW_BYTES;
  store<u32>(row, kind);
  store<u32>(row, <u32>path, 4);
  store<u32>(row, <u32>value, 8);
  store<u32>(row, length, 12);
  rowCount++;
}

/** End of the run of changes from `from` that share its nibble at `depth`. */
function runEnd(from: u32, end: u32, depth: u32): u32 {
  const at = nibble(changeAt(from), depth);
  let to = from + 1;
  while (to < end && nibble(changeAt(to), depth) == at) to++;
  return to;
}

function rebuildPage(page: usize, depth: u32): void {
  const end = endOfChanges(page);
  let from = firstChange(page);
  while (from < end) {
    const to = runEnd(from, end, depth);
    const slot = nibble(changeAt(from), depth);
    const below = belowOf(page, slot);
    if (below != 0) shrink(page, slot, below, depth + 1);
    else place(page, slot, from, to, depth);
    from = to;
  }
}

/** Rebuilds the page below a slot; with one leaf left, or none, it collapses into the slot. */
function shrink(page: usize, slot: u32, below: usize, depth: u32): void {
  rebuildPage(below, depth);
  const leaf = loneLeaf(below);
  if (leaf == 0 && !isEmpty(below)) {
    finish(below, depth);
    setChild(page, slot, below);
    return;
  }
  addRow(depth, pathOf(below), 0, 0);
  if (leaf == 0) clearSlot(page, slot);
  else setLeaf(page, slot, leaf);
}

function addLeaf(index: u32, leaf: usize): u32 {
  store<u32>(leafList + (<usize>index << 2), <u32>leaf);
  return index + 1;
}

/** A slot with a leaf or nothing in it, after the changes that lead into it. */
function place(page: usize, slot: u32, from: u32, to: u32, depth: u32): void {
  let standing: usize = (leavesOf(page) & (1 << slot)) != 0 ? slotOf(page, slot) : 0;
  let leaves: u32 = 0;
  for (let i = from; i < to; i++) {
    const change = changeAt(i);
    const order = standing == 0 ? 1 : memory.compare(standing, change, 32);
    if (standing != 0 && order < 0) leaves = addLeaf(leaves, standing);
    if (order <= 0) standing = 0;
    const existed = order == 0;
    const present = isPresent(change);
    if (present) leaves = addLeaf(leaves, change);
    // The row that tells a leaf's key is made with the leaf and removed with it.
    if (present && !existed) addRow(NAME, change, change, 0);
    else if (!present && existed) addRow(NAME, change, 0, 0);
  }
  if (standing != 0) leaves = addLeaf(leaves, standing);
  build(page, slot, 0, leaves, depth + 1);
}

/** Puts the leaves `from` to `to` of the list into a slot; two or more get a page at `depth`. */
function build(page: usize, slot: u32, from: u32, to: u32, depth: u32): void {
  if (from == to) {
    clearSlot(page, slot);
    return;
  }
  const first = <usize>load<u32>(leafList + (<usize>from << 2));
  if (to - from == 1) {
    setLeaf(page, slot, first);
    return;
  }
  // Two keys with the same SHA-256.
  if (depth >= MAX_DEPTH) unreachable();
  const below = newPage(first, 0, 0);
  let start = from;
  while (start < to) {
    const at = nibble(<usize>load<u32>(leafList + (<usize>start << 2)), depth);
    let end = start + 1;
    while (end < to && nibble(<usize>load<u32>(leafList + (<usize>end << 2)), depth) == at) end++;
    build(below, at, start, end, depth + 1);
    start = end;
  }
  finish(below, depth);
  setChild(page, slot, below);
}
