// The state tree of one namespace: the memory of an instance is the tree. JavaScript drives it (see
// src/store/tree/tree-memory.ts): writes are taken, the rows that they need are loaded, the changes applied, hashed.
// Other instances over the same memory, in other threads, can help to hash: see {@link joinHash}.
import {
  bits,
  countOf,
  entriesOf,
  hashAt,
  isDropped,
  LEAST_BITS,
  prefixOf,
  STORED,
  tableBytes,
} from './tree-buckets';
import { changeAt, clearChanges, count } from './tree-changes';
import {
  buffer,
  bufferAt,
  copyEntry,
  ENTRY,
  entryBytes,
  EXISTED,
  OUTPUT,
  ROWS,
} from './tree-memory';
import { applyChanges } from './tree-merge';
import { beginHash, endHash } from './tree-parts';

export {
  addLeaves,
  bits,
  create,
  dirtyCount,
  dropRows,
  droppedRows,
  findRow,
  grow,
  isCrowded,
  isCrowdedBy,
  isDropped,
  leaves,
  loadRow,
  rowCount,
  setWritten,
  settleDropped,
  unwriteAll,
} from './tree-buckets';
export {
  addChanges,
  changesAt,
  clearChanges,
  input,
  roomForChanges,
  sortChanges,
  takeWrites,
} from './tree-changes';
export { beginHash, endHash, hashParts, joinHash, touchedRows } from './tree-parts';
export { bucketOfProof, proofAt, prove, siblings } from './tree-proof';

/** Lists the dropped rows that the sorted changes need, in order, at {@link rowsAt}; gives how many. */
export function wantedRows(): u32 {
  const rows = buffer(ROWS, <usize>count << 2);
  let wanted: u32 = 0;
  for (let place: u32 = 0; place < count; place++) {
    const row = prefixOf(changeAt(place), bits) >> LEAST_BITS;
    if (!isDropped(row) || (wanted != 0 && load<u32>(rows + (<usize>(wanted - 1) << 2)) == row)) continue;
    store<u32>(rows + (<usize>(wanted++) << 2), row);
  }
  return wanted;
}

/** The list of {@link wantedRows}, or after hashing that of the rows that had changes. */
export function rowsAt(): usize {
  return bufferAt(ROWS);
}

/** Applies the sorted changes; {@link existedAt} then tells by write, in the order given, whether its key existed. */
export function apply(): void {
  applyChanges();
  clearChanges();
}

export function existedAt(): usize {
  return bufferAt(EXISTED);
}

/** Brings all hashes up to date, in this instance alone. */
export function hashAll(): void {
  beginHash(0);
  endHash();
}

export function rootAt(): usize {
  return hashAt(0, 0);
}

/** Bytes that hold the tree: its entries and its tables, without the buffers of a batch. */
export function treeBytes(): usize {
  return entryBytes + tableBytes;
}

/**
 * Writes the stored row of the first `rowBits` bits `prefix`: path and hash of the value of its entries, in order.
 * Gives its length; it lies at {@link outputAt}.
 */
export function storeRow(rowBits: u32, prefix: u32): u32 {
  const shift = bits - rowBits;
  const first = prefix << shift;
  const last = first + (1 << shift);
  let entries: u32 = 0;
  for (let bucket = first; bucket < last; bucket++) entries += countOf(bucket);
  let out = buffer(OUTPUT, <usize>entries * STORED + 1);
  for (let bucket = first; bucket < last; bucket++) {
    const block = entriesOf(bucket);
    const end = block + <usize>countOf(bucket) * ENTRY;
    // Each copy's last byte is the next one's first.
    for (let entry = block; entry < end; entry += ENTRY, out += STORED) copyEntry(out, entry);
  }
  return entries * STORED;
}

export function outputAt(): usize {
  return bufferAt(OUTPUT);
}
