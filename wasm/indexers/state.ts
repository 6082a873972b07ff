// Reads through a cache and writes into it; all writes of a block are flushed at once, in the order of their first
// write.
import { buffer, lengthOf, reserve } from './arena';
import { copy, same } from './bytes';
import { getInto, getLength, hostFlush } from './host';

// An entry: hash, value buffer, next written entry, flags, next wanted entry, then the key as a host buffer (length
// word and bytes).
const VALUE: usize = 4;
const NEXT: usize = 8;
const FLAGS: usize = 12;
const NEXT_WANTED: usize = 16;
const LENGTH: usize = 20;
const KEY: usize = 24;
const WRITTEN: u32 = 1;
const WANTED: u32 = 2;
/** Slots of the table at first: enough for a full block's keys to need few doublings. */
const FIRST_SLOTS: u32 = 1 << 15;

const NO_BYTES: usize = memory.data<u32>([0, 0], 4);

let table: usize = 0;
let mask: u32 = 0;
let used: u32 = 0;
let firstWritten: usize = 0;
let lastWritten: usize = 0;
let firstWanted: usize = 0;
let lastWanted: usize = 0;
let wantedBytes: u32 = 0;
let firstListed: usize = 0;

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

/** The slot of a key, empty if it has no entry. */
function slotOf(key: usize, length: u32, hash: u32): u32 {
  let slot = hash & mask;
  let entry = <usize>load<u32>(table + (slot << 2));
  while (entry != 0) {
    if (load<u32>(entry) == hash && lengthOf(entry + KEY) == length && same(entry + KEY, key, length)) break;
    slot = (slot + 1) & mask;
    entry = <usize>load<u32>(table + (slot << 2));
  }
  return slot;
}

/** The entry of a key; a new one has no value buffer yet. */
function entryOf(key: usize, length: u32): usize {
  if (table == 0) makeTable(FIRST_SLOTS);
  if (used << 1 > mask) growTable();
  const hash = hashKey(key, length);
  const slot = slotOf(key, length, hash);
  const known = <usize>load<u32>(table + (slot << 2));
  if (known != 0) return known;
  const entry = reserve(<u32>KEY + length);
  store<u32>(entry, hash);
  store<u32>(entry, 0, VALUE);
  store<u32>(entry, 0, NEXT);
  store<u32>(entry, 0, FLAGS);
  store<u32>(entry, 0, NEXT_WANTED);
  store<u32>(entry, length, LENGTH);
  copy(entry + KEY, key, length);
  store<u32>(table + (slot << 2), <u32>entry);
  used++;
  return entry;
}

/** The value of a key, a buffer of the cache (do not write to it); length 0 if it is absent. */
export function get(key: usize, length: u32): usize {
  return valueOf(entryOf(key, length));
}

function valueOf(entry: usize): usize {
  let value = <usize>load<u32>(entry, VALUE);
  if (value == 0) {
    const size = getLength(entry + KEY);
    value = size == 0 ? NO_BYTES + 4 : buffer(size);
    if (size != 0) getInto(entry + KEY, value);
    store<u32>(entry, <u32>value, VALUE);
  }
  return value;
}

/** Notes that the value of a key is going to be read. */
export function want(key: usize, length: u32): void {
  const entry = entryOf(key, length);
  const flags = load<u32>(entry, FLAGS);
  if (load<u32>(entry, VALUE) != 0 || (flags & WANTED) != 0) return;
  store<u32>(entry, flags | WANTED, FLAGS);
  if (lastWanted == 0) firstWanted = entry;
  else store<u32>(lastWanted, <u32>entry, NEXT_WANTED);
  lastWanted = entry;
  wantedBytes += 1 + varintSize(length) + length;
}

/** The keys that were wanted since the list before, as a protobuf list. */
export function listWanted(): usize {
  const list = buffer(wantedBytes);
  let at = list;
  for (let entry = firstWanted; entry != 0; entry = <usize>load<u32>(entry, NEXT_WANTED)) {
    at = writeElement(at, entry + KEY);
  }
  firstListed = firstWanted;
  firstWanted = 0;
  lastWanted = 0;
  wantedBytes = 0;
  return list;
}

/** Reads the values of the keys listed last, in their order. */
export function readListed(): void {
  for (let entry = firstListed; entry != 0; entry = <usize>load<u32>(entry, NEXT_WANTED)) valueOf(entry);
  firstListed = 0;
}

/** Makes a key known. */
export function note(key: usize, length: u32): void {
  entryOf(key, length);
}

/** Whether a key was noted, wanted, read or written. */
export function isKnown(key: usize, length: u32): bool {
  if (table == 0) return false;
  return load<u32>(table + (slotOf(key, length, hashKey(key, length)) << 2)) != 0;
}

/** Sets a key to a copy of `size` bytes; no bytes delete it. */
export function set(key: usize, length: u32, bytes: usize, size: u32): void {
  const entry = entryOf(key, length);
  const value = size == 0 ? NO_BYTES + 4 : buffer(size);
  copy(value, bytes, size);
  store<u32>(entry, <u32>value, VALUE);
  const flags = load<u32>(entry, FLAGS);
  if ((flags & WRITTEN) != 0) return;
  store<u32>(entry, flags | WRITTEN, FLAGS);
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
