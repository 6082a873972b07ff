// Reads through a cache and writes into it; all writes of a block are flushed at once, in the order of their first
// write.
import { buffer, lengthOf, reserve } from './arena';
import { copy, same } from './bytes';
import { getInto, getLength, hostFlush } from './host';

// An entry: hash, value buffer, next written entry, written flag, then the key as a host buffer (length word and
// bytes).
const VALUE: usize = 4;
const NEXT: usize = 8;
const WRITTEN: usize = 12;
const LENGTH: usize = 16;
const KEY: usize = 20;
/** Slots of the table at first: enough for a full block's keys to need few doublings. */
const FIRST_SLOTS: u32 = 1 << 15;

const NO_BYTES: usize = memory.data<u32>([0, 0], 4);

let table: usize = 0;
let mask: u32 = 0;
let used: u32 = 0;
let firstWritten: usize = 0;
let lastWritten: usize = 0;

/** 64 bits at a time; the last ones may overlap those before. */
function hashKey(key: usize, length: u32): u32 {
  let hash: u64 = length;
  if (length >= 8) {
    const last = key + length - 8;
    for (; key < last; key += 8) hash = rotl(hash ^ load<u64>(key), 29) * 0x9e3779b97f4a7c15;
    hash = rotl(hash ^ load<u64>(last), 29) * 0x9e3779b97f4a7c15;
  } else {
    for (let i: u32 = 0; i < length; i++) hash = rotl(hash ^ load<u8>(key + i), 29) * 0x9e3779b97f4a7c15;
  }
  return <u32>(hash >> 32);
}

function makeTable(slots: u32): void {
  table = reserve(slots << 2);
  memory.fill(table, 0, slots << 2);
  mask = slots - 1;
}

/** Doubles the table; the old one is left behind. */
function growTable(): void {
  const old = table;
  const slots = mask + 1;
  makeTable(slots << 1);
  for (let i: u32 = 0; i < slots; i++) {
    const entry = load<u32>(old + (i << 2));
    if (entry == 0) continue;
    let slot = load<u32>(entry) & mask;
    while (load<u32>(table + (slot << 2)) != 0) slot = (slot + 1) & mask;
    store<u32>(table + (slot << 2), entry);
  }
}

/** The entry of a key; a new one has no value buffer yet. */
function entryOf(key: usize, length: u32): usize {
  if (table == 0) makeTable(FIRST_SLOTS);
  if (used << 1 > mask) growTable();
  const hash = hashKey(key, length);
  let slot = hash & mask;
  for (;;) {
    const entry = <usize>load<u32>(table + (slot << 2));
    if (entry == 0) break;
    if (load<u32>(entry) == hash && lengthOf(entry + KEY) == length && same(entry + KEY, key, length))
      return entry;
    slot = (slot + 1) & mask;
  }
  const entry = reserve(<u32>KEY + length);
  store<u32>(entry, hash);
  store<u32>(entry, 0, VALUE);
  store<u32>(entry, 0, NEXT);
  store<u32>(entry, 0, WRITTEN);
  store<u32>(entry, length, LENGTH);
  copy(entry + KEY, key, length);
  store<u32>(table + (slot << 2), <u32>entry);
  used++;
  return entry;
}

/** The value of a key, a buffer of the cache (do not write to it); length 0 if it is absent. */
export function get(key: usize, length: u32): usize {
  const entry = entryOf(key, length);
  let value = <usize>load<u32>(entry, VALUE);
  if (value == 0) {
    const size = getLength(entry + KEY);
    value = size == 0 ? NO_BYTES + 4 : buffer(size);
    if (size != 0) getInto(entry + KEY, value);
    store<u32>(entry, <u32>value, VALUE);
  }
  return value;
}

/** Sets a key to a copy of `size` bytes; no bytes delete it. */
export function set(key: usize, length: u32, bytes: usize, size: u32): void {
  const entry = entryOf(key, length);
  const value = size == 0 ? NO_BYTES + 4 : buffer(size);
  copy(value, bytes, size);
  store<u32>(entry, <u32>value, VALUE);
  if (load<u32>(entry, WRITTEN) != 0) return;
  store<u32>(entry, 1, WRITTEN);
  if (lastWritten == 0) firstWritten = entry;
  else store<u32>(lastWritten, <u32>entry, NEXT);
  lastWritten = entry;
}

function varintSize(value: u32): u32 {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Appends one element of the list: tag, length, bytes. Returns the address after it. */
function writeElement(at: usize, bytes: usize): usize {
  let length = lengthOf(bytes);
  store<u8>(at++, 0x0a);
  let rest = length;
  while (rest >= 0x80) {
    store<u8>(at++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(at++, <u8>rest);
  copy(at, bytes, length);
  return at + length;
}

/** Flushes all writes to the host, as a protobuf list key, value, key, value, … */
export function flush(): void {
  let size: u32 = 0;
  for (let entry = firstWritten; entry != 0; entry = <usize>load<u32>(entry, NEXT)) {
    const key = lengthOf(entry + KEY);
    const value = lengthOf(load<u32>(entry, VALUE));
    size += 2 + varintSize(key) + key + varintSize(value) + value;
  }
  const list = buffer(size);
  let at = list;
  for (let entry = firstWritten; entry != 0; entry = <usize>load<u32>(entry, NEXT)) {
    at = writeElement(at, entry + KEY);
    at = writeElement(at, <usize>load<u32>(entry, VALUE));
  }
  hostFlush(list);
}
