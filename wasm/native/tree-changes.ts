// The writes of a batch as changes of the state tree: their paths and the hashes of their values, in the order of the
// paths.
import { hashMessage, hashMessages } from './tree-messages';
import {
  buffer,
  bufferAt,
  CHANGES,
  ENTRY,
  EXISTED,
  INPUT,
  PAD,
  PATH,
  SORT_FROM,
  SORT_SUMS,
  SORT_TO,
} from './tree-memory';

/**
 * A change is an entry whose last byte is a flag: 1 if the key gets the value, 0 if it is removed. What is sorted is a
 * record of 16 bytes: the first 64 bits of the path as a number, u32 index of the change.
 */
const RECORD: usize = 16;
const DIGITS: usize = 1 << 16;
/** Fewer changes than this are sorted by insertion alone: a pass over the digits would cost more than all the rest. */
const FEW: u32 = 64;

/** Lengths in the input that say something else: the path or the hash of the value itself follows; no value. */
const GIVEN: u32 = 0xffffffff;
const REMOVED: u32 = 0xfffffffe;

/** Changes that wait to be applied. */
export let count: u32 = 0;

/** Forgets the changes. */
export function clearChanges(): void {
  count = 0;
}

/** Where the changes lie, in the order in which they were taken. */
export function changesAt(): usize {
  return bufferAt(CHANGES);
}

/** Room for `number` changes behind those that wait, for {@link addChanges}. */
export function roomForChanges(number: u32): usize {
  return buffer(CHANGES, <usize>(count + number) * ENTRY, <usize>count * ENTRY) + <usize>count * ENTRY;
}

/** Takes changes that another instance made of writes. */
export function addChanges(number: u32): void {
  count += number;
}

/** Room for `bytes` bytes of input. */
export function input(bytes: u32): usize {
  return buffer(INPUT, bytes);
}

/**
 * Takes `number` writes from the input: each is u32 length of the key, u32 length of the value, key, value, where
 * {@link GIVEN} as the first stands for a path of 31 bytes, as the second for a hash of 32, and {@link REMOVED} for no
 * value.
 */
export function takeWrites(number: u32): void {
  const table = buffer(CHANGES, <usize>(count + number) * ENTRY, <usize>count * ENTRY);
  let at = bufferAt(INPUT);
  for (let i = count; i < count + number; i++) {
    const change = table + <usize>i * ENTRY;
    const keyLength = load<u32>(at);
    const valueLength = load<u32>(at, 4);
    at += 8;
    if (keyLength == GIVEN) {
      memory.copy(change, at, PATH);
      at += PATH;
    } else {
      hashMessage(at, keyLength, change, PATH);
      at += keyLength;
    }
    store<u8>(change, valueLength == REMOVED ? 0 : 1, PAD);
    if (valueLength == REMOVED) continue;
    if (valueLength == GIVEN) {
      memory.copy(change + PATH, at, 32);
      at += 32;
    } else {
      hashMessage(at, valueLength, change + PATH, 32);
      at += valueLength;
    }
  }
  hashMessages();
  count += number;
}

/** Change `place` in the order of the paths. */
@inline
export function changeAt(place: u32): usize {
  return bufferAt(CHANGES) + <usize>indexAt(place) * ENTRY;
}

/** Its index in the order of the writes. */
@inline
export function indexAt(place: u32): u32 {
  return load<u32>(bufferAt(SORT_FROM) + <usize>place * RECORD, 8);
}

/** The first 64 bits of its path. */
@inline
export function numberAt(place: u32): u64 {
  return load<u64>(bufferAt(SORT_FROM) + <usize>place * RECORD);
}

@inline
export function isPresent(change: usize): bool {
  return load<u8>(change, PAD) != 0;
}

/** Sorts the changes; those of one path stay in the order of the writes. */
export function sortChanges(): void {
  const bytes = <usize>count * RECORD;
  const table = bufferAt(CHANGES);
  let from = buffer(SORT_FROM, bytes);
  let to = buffer(SORT_TO, bytes);
  memory.fill(buffer(EXISTED, count), 0, count);
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(from + <usize>i * RECORD, bswap(load<u64>(table + <usize>i * ENTRY)));
    store<u32>(from + <usize>i * RECORD, i, 8);
  }
  if (count >= FEW) {
    const sums = buffer(SORT_SUMS, DIGITS << 2);
    // An even number of passes: the result lies where it began.
    for (let digit: usize = 0; digit < 4; digit++) {
      pass(from, to, sums, digit << 1);
      const other = from;
      from = to;
      to = other;
    }
  }
  insertRest(table, from);
}

/** Sorts by the 16 bits at `offset` of the numbers; the sort is stable. */
function pass(from: usize, to: usize, sums: usize, offset: usize): void {
  memory.fill(sums, 0, DIGITS << 2);
  const last = from + <usize>count * RECORD;
  for (let record = from; record < last; record += RECORD) {
    const cell = sums + (<usize>load<u16>(record + offset) << 2);
    store<u32>(cell, load<u32>(cell) + 1);
  }
  let sum: u32 = 0;
  for (let cell = sums; cell < sums + (DIGITS << 2); cell += 4) {
    const here = load<u32>(cell);
    store<u32>(cell, sum);
    sum += here;
  }
  for (let record = from; record < last; record += RECORD) {
    const cell = sums + (<usize>load<u16>(record + offset) << 2);
    const place = load<u32>(cell);
    store<u32>(cell, place + 1);
    v128.store(to + <usize>place * RECORD, v128.load(record));
  }
}

/** Insertion sort by whole paths: few share their first 64 bits, to find many that do is infeasible. */
function insertRest(table: usize, records: usize): void {
  for (let i: u32 = 1; i < count; i++) {
    const record = records + <usize>i * RECORD;
    const number = load<u64>(record);
    if (load<u64>(record - RECORD) < number) continue;
    const moved = v128.load(record);
    const change = table + <usize>load<u32>(record, 8) * ENTRY;
    let at = record;
    for (; at > records; at -= RECORD) {
      const before = at - RECORD;
      if (load<u64>(before) < number) break;
      if (load<u64>(before) == number) {
        if (memory.compare(table + <usize>load<u32>(before, 8) * ENTRY, change, PATH) <= 0) break;
      }
      v128.store(at, v128.load(before));
    }
    v128.store(at, moved);
  }
}
