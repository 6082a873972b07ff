// The entries of the state tree, in buckets by the first bits of their paths, each sorted. Eight neighbouring buckets
// are a row: what is written, dropped and read again as one.
import {
  buffer,
  bufferAt,
  copyEntry,
  copyHash,
  DIRTY,
  donate,
  ENTRY,
  EXACT,
  freeBlock,
  PAD,
  PATH,
  take,
  takeBlock,
} from './tree-memory';

/** Bits of a bucket's number: at least those of one row, and as many as three arrays of them fit into memory. */
export const LEAST_BITS: u32 = 3;
export const MOST_BITS: u32 = 25;
/** Leaves to a bucket, on average, beyond which there are twice as many buckets. */
const CROWDED: u64 = 8;

/** What a part of the tree holds. */
export const EMPTY: u8 = 0;
export const LONE: u8 = 1;
export const MORE: u8 = 2;

/** Flags of a row: not written since it changed; its entries are on the disk only. */
export const UNWRITTEN: u8 = 1;
export const DROPPED: u8 = 2;

/** By level of the upper tree: addresses of the hashes and of the kinds of its parts. */
const HASHES: usize = memory.data(104, 4);
const KINDS: usize = memory.data(104, 4);

export let bits: u32 = 0;
/** By bucket: u32 address of its entries, u32 number of them. */
let table: usize = 0;
/** By bucket: 1 if it is in the list of those whose hash is not known. */
let listed: usize = 0;
/** By row: its flags. */
let rowFlags: usize = 0;
/** Leaves of the whole tree, those of dropped rows too. */
export let leaves: u64 = 0;
/** Buckets whose hash is not known, and whether their list is in their order. */
export let dirtyCount: u32 = 0;
let inOrder: bool = true;
/** Rows that are dropped. */
export let droppedRows: u32 = 0;
/** Bytes of the tables of buckets and of the upper tree. */
export let tableBytes: usize = 0;

/** Writes where the buckets lie to `at`, 12 bytes, for other instances that hash them. */
export function keepBuckets(at: usize): void {
  store<u32>(at, bits);
  store<u32>(at, <u32>table, 4);
  store<u32>(at, <u32>listed, 8);
}

export function resumeBuckets(at: usize): void {
  bits = load<u32>(at);
  table = <usize>load<u32>(at, 4);
  listed = <usize>load<u32>(at, 8);
}

@inline
export function entriesOf(bucket: u32): usize {
  return <usize>load<u32>(table + (<usize>bucket << 3));
}

@inline
export function countOf(bucket: u32): u32 {
  return load<u32>(table + (<usize>bucket << 3), 4);
}

@inline
function setBucket(bucket: u32, entries: usize, count: u32): void {
  store<u32>(table + (<usize>bucket << 3), <u32>entries);
  store<u32>(table + (<usize>bucket << 3), count, 4);
}

@inline
export function hashAt(level: u32, part: u32): usize {
  return <usize>load<u32>(HASHES + (<usize>level << 2)) + (<usize>part << 5);
}

@inline
export function kindAt(level: u32, part: u32): usize {
  return <usize>load<u32>(KINDS + (<usize>level << 2)) + <usize>part;
}

@inline
export function flagsOf(row: u32): u8 {
  return load<u8>(rowFlags + <usize>row);
}

@inline
export function isDropped(row: u32): bool {
  return (flagsOf(row) & DROPPED) != 0;
}

export function rowCount(): u32 {
  return 1 << (bits - LEAST_BITS);
}

/** The number that the first `length` (at most 32) bits of a path are. */
@inline
export function prefixOf(path: usize, length: u32): u32 {
  return length == 0 ? 0 : bswap(load<u32>(path)) >> (32 - length);
}

function addLevel(level: u32): void {
  const parts: usize = 1 << level;
  const bytes = parts * 33;
  const hashes = take(bytes);
  memory.fill(hashes, 0, bytes);
  store<u32>(HASHES + (<usize>level << 2), <u32>hashes);
  store<u32>(KINDS + (<usize>level << 2), <u32>(hashes + (parts << 5)));
  tableBytes += bytes;
}

/** Begins an empty tree of 2^`startBits` buckets, all of them dropped rows if `dropped`. */
export function create(startBits: u32, dropped: bool): void {
  bits = startBits;
  for (let level: u32 = 0; level <= bits; level++) addLevel(level);
  const buckets: usize = 1 << bits;
  table = take(buckets << 3);
  listed = take(buckets);
  rowFlags = take(buckets >> LEAST_BITS);
  memory.fill(table, 0, buckets << 3);
  memory.fill(listed, 0, buckets);
  memory.fill(rowFlags, dropped ? DROPPED : 0, buckets >> LEAST_BITS);
  droppedRows = dropped ? rowCount() : 0;
  tableBytes += (buckets << 3) + buckets + (buckets >> LEAST_BITS);
}

export function addLeaves(number: i32): void {
  leaves += number;
}

export function isCrowded(): bool {
  return isCrowdedBy(leaves);
}

/** Whether `number` leaves would be too many for the buckets. */
export function isCrowdedBy(number: u64): bool {
  return number > CROWDED << <u64>bits;
}

/** Twice as many buckets. A sorted block becomes two where it lies. The hashes of all buckets are unknown then. */
export function grow(): void {
  const old: usize = 1 << bits;
  const oldTable = table;
  const oldListed = listed;
  const oldFlags = rowFlags;
  bits++;
  addLevel(bits);
  table = take(old << 4);
  listed = take(old << 1);
  rowFlags = take(old >> (LEAST_BITS - 1));
  for (let bucket: u32 = 0; bucket < <u32>old; bucket++) {
    split(load<u32>(oldTable + (<usize>bucket << 3)), load<u32>(oldTable + (<usize>bucket << 3), 4), bucket << 1);
  }
  for (let row: u32 = 0; row < <u32>(old >> LEAST_BITS); row++) {
    const flags = <u16>load<u8>(oldFlags + <usize>row);
    store<u16>(rowFlags + (<usize>row << 1), flags | (flags << 8));
  }
  droppedRows <<= 1;
  donate(oldTable, old << 3);
  donate(oldListed, old);
  donate(oldFlags, old >> LEAST_BITS);
  tableBytes += (old << 3) + old + (old >> LEAST_BITS);
  dirtyCount = 0;
  inOrder = true;
  const list = buffer(DIRTY, old << 3);
  memory.fill(listed, 0, old << 1);
  for (let bucket: u32 = 0; bucket < <u32>(old << 1); bucket++) {
    if (isDropped(bucket >> LEAST_BITS)) continue;
    store<u8>(listed + <usize>bucket, 1);
    store<u32>(list + (<usize>(dirtyCount++) << 2), bucket);
  }
}

function split(block: usize, count: u32, left: u32): void {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((prefixOf(block + <usize>middle * ENTRY, bits) & 1) == 0) low = middle + 1;
    else high = middle;
  }
  const right = block + <usize>low * ENTRY;
  if (count <= EXACT || low == 0 || low == count) {
    setBucket(left, low == 0 ? 0 : block, low);
    setBucket(left + 1, low == count ? 0 : right, count - low);
    return;
  }
  setBucket(left, copied(block, low), low);
  setBucket(left + 1, copied(right, count - low), count - low);
  freeBlock(block, count);
}

/** A block of its own with `count` entries from `from` on. */
function copied(from: usize, count: u32): usize {
  const block = takeBlock(count);
  memory.copy(block, from, <usize>count * ENTRY);
  return block;
}

/** Puts `count` entries that lie elsewhere in the place of a bucket's. */
export function replace(bucket: u32, entries: usize, count: u32): void {
  const before = countOf(bucket);
  let block = entriesOf(bucket);
  if (before != count) {
    if (before != 0) freeBlock(block, before);
    block = count == 0 ? 0 : takeBlock(count);
    setBucket(bucket, block, count);
  }
  const end = block + <usize>count * ENTRY;
  for (; block < end; block += ENTRY, entries += ENTRY) copyEntry(block, entries);
}

/** Notes that a bucket's hash is not known, and that its row is not written. */
export function touch(bucket: u32): void {
  const row = rowFlags + <usize>(bucket >> LEAST_BITS);
  store<u8>(row, load<u8>(row) | UNWRITTEN);
  list(bucket);
}

function list(bucket: u32): void {
  if (load<u8>(listed + <usize>bucket) != 0) return;
  store<u8>(listed + <usize>bucket, 1);
  const at = buffer(DIRTY, <usize>(dirtyCount + 1) << 2, <usize>dirtyCount << 2);
  if (dirtyCount != 0 && load<u32>(at + (<usize>(dirtyCount - 1) << 2)) > bucket) inOrder = false;
  store<u32>(at + (<usize>dirtyCount << 2), bucket);
  dirtyCount++;
}

/** Buckets whose hash is unknown, in their order: their address; {@link dirtyCount} tells how many. */
export function dirtyBuckets(): usize {
  const at = bufferAt(DIRTY);
  if (inOrder) return at;
  inOrder = true;
  let found: u32 = 0;
  for (let bucket: u32 = 0; found < dirtyCount; bucket++) {
    if (load<u8>(listed + <usize>bucket) != 0) store<u32>(at + (<usize>(found++) << 2), bucket);
  }
  return at;
}

/** Says of `number` buckets of the list that their hashes are known. */
export function unlist(buckets: usize, number: u32): void {
  for (let i: u32 = 0; i < number; i++) store<u8>(listed + <usize>load<u32>(buckets + (<usize>i << 2)), 0);
}

/** Empties the list, of which all were {@link unlist}ed. */
export function clearDirty(): void {
  dirtyCount = 0;
}

/** First row from `row` to `end` with one of these flags; `end` if there is none. */
export function findRow(row: u32, end: u32, flags: u8): u32 {
  while (row < end && (flagsOf(row) & flags) == 0) row++;
  return row;
}

/** Notes that the rows from `row` to `end` are written. */
export function setWritten(row: u32, end: u32): void {
  for (; row < end; row++) store<u8>(rowFlags + <usize>row, flagsOf(row) & ~UNWRITTEN);
}

/** Frees the entries of the rows from `row` to `end`, except those that are not written; the hashes stay. */
export function dropRows(row: u32, end: u32): void {
  for (; row < end; row++) {
    if (flagsOf(row) != 0) continue;
    for (let bucket = row << LEAST_BITS; bucket < (row + 1) << LEAST_BITS; bucket++) {
      if (countOf(bucket) != 0) freeBlock(entriesOf(bucket), countOf(bucket));
      setBucket(bucket, 0, 0);
    }
    store<u8>(rowFlags + <usize>row, DROPPED);
    droppedRows++;
  }
}

/** Bytes that the entries of a stored row have each: path and hash of the value. */
export const STORED: u32 = 63;

/** Whether `length` bytes are a row of the path's first `rowBits` bits: sorted entries that begin with them. */
function isValidRow(rowBits: u32, prefix: u32, row: usize, length: u32): bool {
  if (length == 0 || length % STORED != 0) return false;
  for (let at = row; at < row + length; at += STORED) {
    if (prefixOf(at, rowBits) != prefix) return false;
    if (at > row && memory.compare(at - STORED, at, PATH) >= 0) return false;
  }
  return true;
}

/**
 * Takes a stored row into those of its rows that are dropped. Gives the number of entries taken; -1 if it is not valid.
 * The hashes of the buckets count as unknown if `unhashed`.
 */
export function loadRow(rowBits: u32, prefix: u32, row: usize, length: u32, unhashed: bool): i32 {
  if (length != 0 && !isValidRow(rowBits, prefix, row, length)) return -1;
  const shift = bits - rowBits;
  const first = prefix << shift;
  const end = row + length;
  let taken: i32 = 0;
  let at = row;
  for (let bucket = first; bucket < first + (1 << shift); bucket++) {
    let to = at;
    while (to < end && prefixOf(to, bits) == bucket) to += STORED;
    const count = <u32>(to - at) / STORED;
    if (isDropped(bucket >> LEAST_BITS)) {
      if (count != 0) fill(bucket, at, count);
      if (unhashed) list(bucket);
      taken += count;
    }
    at = to;
  }
  for (let r = first >> LEAST_BITS; r < (first + (1 << shift)) >> LEAST_BITS; r++) {
    if (!isDropped(r)) continue;
    store<u8>(rowFlags + <usize>r, flagsOf(r) & ~DROPPED);
    droppedRows--;
  }
  return taken;
}

function fill(bucket: u32, stored: usize, count: u32): void {
  const block = takeBlock(count);
  for (let i: u32 = 0; i < count; i++) {
    const entry = block + <usize>i * ENTRY;
    const from = stored + <usize>i * STORED;
    copyHash(entry, from);
    v128.store(entry, v128.load(from, 32), 32);
    v128.store(entry, v128.load(from, 47), 47);
    store<u8>(entry, 0, PAD);
  }
  setBucket(bucket, block, count);
}

/** Says of rows that are dropped, and of which nothing is stored, that they are empty. */
export function settleDropped(): void {
  for (let row: u32 = 0; row < rowCount(); row++) {
    store<u8>(rowFlags + <usize>row, flagsOf(row) & ~DROPPED);
  }
  droppedRows = 0;
}

/** Marks every row as not written. */
export function unwriteAll(): void {
  for (let row: u32 = 0; row < rowCount(); row++) store<u8>(rowFlags + <usize>row, flagsOf(row) | UNWRITTEN);
}
