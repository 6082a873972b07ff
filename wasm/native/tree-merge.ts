// Applies sorted changes to the buckets.
import { addLeaves, bits, countOf, entriesOf, isDropped, LEAST_BITS, replace, touch } from './tree-buckets';
import { changeAt, count, indexAt, isPresent, numberAt } from './tree-changes';
import { buffer, bufferAt, copyEntry, copyHash, ENTRY, EXISTED, MERGED, PAD, PATH } from './tree-memory';
import { READ_AHEAD, scratch } from './tree-scratch';

/** As memory.compare: of two paths. */
@inline
export function comparePaths(a: usize, b: usize): i32 {
  const x = bswap(load<u64>(a));
  const y = bswap(load<u64>(b));
  if (x != y) return x < y ? -1 : 1;
  return memory.compare(a, b, PATH);
}

/** First of the `entries` entries whose path is not below `path`. */
export function lowerBound(block: usize, entries: u32, path: usize): u32 {
  let low: u32 = 0;
  let high = entries;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePaths(block + <usize>middle * ENTRY, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bucket of change `place`. */
@inline
function bucketAt(place: u32): u32 {
  return <u32>(numberAt(place) >> <u64>(64 - bits));
}

/** The place after the changes from `from` on that go into `bucket`. */
function runEnd(from: u32, bucket: u32): u32 {
  let to = from + 1;
  while (to < count && bucketAt(to) == bucket) to++;
  return to;
}

/** Changes whose buckets are read at a time before they are applied: memory answers many reads at once. */
const AHEAD: u32 = 32;
/** Entries of a bucket that are read ahead. */
const MOST_AHEAD: u32 = 16;

/** Brings what the changes from `from` on need into the processor's caches. */
function readAhead(from: u32): void {
  const to = min(from + AHEAD, count);
  let read: u32 = 0;
  for (let place = from; place < to; place++) read ^= countOf(bucketAt(place));
  for (let place = from; place < to; place++) {
    const bucket = bucketAt(place);
    let entry = entriesOf(bucket);
    const end = entry + <usize>min(countOf(bucket), MOST_AHEAD) * ENTRY;
    read ^= <u32>load<u8>(changeAt(place));
    for (; entry < end; entry += ENTRY) read ^= load<u32>(entry);
  }
  store<u32>(scratch, read, READ_AHEAD);
}

/** Applies all changes; the rows of all their buckets must be in memory. */
export function applyChanges(): void {
  let from: u32 = 0;
  let ahead: u32 = 0;
  while (from < count) {
    if (from >= ahead) {
      readAhead(from);
      ahead = from + AHEAD;
    }
    const bucket = bucketAt(from);
    const to = runEnd(from, bucket);
    if (isDropped(bucket >> LEAST_BITS)) unreachable();
    if (to - from > 1 || !overwrite(bucket, from)) merge(bucket, from, to);
    from = to;
  }
}

@inline
function noteExisted(place: u32, existed: bool): void {
  store<u8>(bufferAt(EXISTED) + <usize>indexAt(place), existed ? 1 : 0);
}

@inline
function sameValue(entry: usize, change: usize): bool {
  return (
    load<u64>(entry, 31) == load<u64>(change, 31) &&
    load<u64>(entry, 39) == load<u64>(change, 39) &&
    load<u64>(entry, 47) == load<u64>(change, 47) &&
    load<u64>(entry, 55) << 8 == load<u64>(change, 55) << 8 &&
    load<u8>(entry, 62) == load<u8>(change, 62)
  );
}

/** The most frequent case, a lone change of a value, or none at all; false if it is another. */
function overwrite(bucket: u32, place: u32): bool {
  const change = changeAt(place);
  const entries = countOf(bucket);
  const at = lowerBound(entriesOf(bucket), entries, change);
  const entry = entriesOf(bucket) + <usize>at * ENTRY;
  const existed = at < entries && comparePaths(entry, change) == 0;
  if (existed != isPresent(change)) return false;
  noteExisted(place, existed);
  if (!existed || sameValue(entry, change)) return true;
  copyHash(entry + PATH, change + PATH);
  touch(bucket);
  return true;
}

/** Merges the changes `from` to `to` into a bucket. */
function merge(bucket: u32, from: u32, to: u32): void {
  const before = countOf(bucket);
  let entry = entriesOf(bucket);
  const end = entry + <usize>before * ENTRY;
  const merged = buffer(MERGED, <usize>(before + (to - from)) * ENTRY);
  let out = merged;
  let changed = false;
  for (let place = from; place < to; place++) {
    const change = changeAt(place);
    while (entry < end && comparePaths(entry, change) < 0) {
      copyEntry(out, entry);
      out += ENTRY;
      entry += ENTRY;
    }
    // A path that is changed twice: the later change counts, and finds what the earlier one left.
    const again = place > from && comparePaths(changeAt(place - 1), change) == 0;
    const existed = again ? isPresent(changeAt(place - 1)) : entry < end && comparePaths(entry, change) == 0;
    noteExisted(place, existed);
    if (again && existed) out -= ENTRY;
    const present = isPresent(change);
    if (existed != present || (present && (again || !sameValue(entry, change)))) changed = true;
    if (existed && !again) entry += ENTRY;
    if (!present) continue;
    copyEntry(out, change);
    store<u8>(out, 0, PAD);
    out += ENTRY;
  }
  if (!changed) return;
  for (; entry < end; entry += ENTRY, out += ENTRY) copyEntry(out, entry);
  const after = <u32>((out - merged) / ENTRY);
  replace(bucket, merged, after);
  addLeaves(<i32>after - <i32>before);
  touch(bucket);
}
