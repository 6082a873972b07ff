// The result of a call: count of transfers, transfers, storage map, data. Its parts are kept where they were made and
// put together by `finish`, so that they may come in any order, and between other things.
import { ASSET_BYTES, incoming, incomingCount, selfId } from './context';
import { allocate, allocateBuffer, appendBytes, bufferLength, closeBuffer, extend } from './memory';
import { require } from './stop';

/** Each part begins with the address of the next one of its kind and its length: 8 bytes. */
const PART_BYTES: u32 = 8;

let transfers: u32 = 0;
let firstTransfer: usize = 0;
let lastTransfer: usize = 0;
let entries: u32 = 0;
let firstEntry: usize = 0;
let lastEntry: usize = 0;
let firstData: usize = 0;
let lastData: usize = 0;

/** Room for a part of `length` bytes behind its kind's `last`; gives its head. */
function part(last: usize, length: u32): usize {
  const head = allocate(PART_BYTES + length);
  store<u32>(head, 0);
  store<u32>(head, length, 4);
  if (last != 0) store<u32>(last, <u32>head);
  return head;
}

/** Forgets what was put into the response. Nothing needs it: a message begins with an empty response. */
export function responseBegin(): void {
  require(transfers == 0 && entries == 0 && firstData == 0, 'responseBegin would drop transfers, entries or data');
}

/** Adds a transfer of `amount` (address of a u128) of the asset with the 32-byte `id`. */
export function transfer(id: usize, amount: usize): void {
  lastTransfer = part(lastTransfer, ASSET_BYTES);
  if (firstTransfer == 0) firstTransfer = lastTransfer;
  memory.copy(lastTransfer + PART_BYTES, id, 32);
  memory.copy(lastTransfer + PART_BYTES + 32, amount, 16);
  transfers++;
}

/** Adds a transfer of the contract's own asset: what its balance lacks is minted. */
export function transferOwn(amount: usize): void {
  transfer(selfId(), amount);
}

/** Sends every incoming asset on to the message's pointer. */
export function returnIncoming(): void {
  const count = incomingCount();
  for (let i: u32 = 0; i < count; i++) transfer(incoming(i), incoming(i) + 32);
}

/** Adds an entry whose value of `length` bytes the caller fills in at the address returned. */
export function reserve(key: usize, length: u32): usize {
  const keyBytes = bufferLength(key);
  lastEntry = part(lastEntry, 8 + keyBytes + length);
  if (firstEntry == 0) firstEntry = lastEntry;
  const at = lastEntry + PART_BYTES;
  memory.copy(at, key - 4, 4 + keyBytes);
  store<u32>(at + 4 + keyBytes, length);
  entries++;
  return at + 8 + keyBytes;
}

/** Writes `length` bytes at `value` under a key (a buffer); 0 bytes delete it. Of equal keys the last one counts. */
export function put(key: usize, value: usize, length: u32): void {
  const to = reserve(key, length);
  memory.copy(to, value, length);
}

/** Adds `length` bytes to the data of the response. */
export function addData(source: usize, length: u32): void {
  lastData = part(lastData, length);
  if (firstData == 0) firstData = lastData;
  memory.copy(lastData + PART_BYTES, source, length);
}

/** The same for a 16-byte number. */
export function addNumber(at: usize): void {
  addData(at, 16);
}

/** The same for a number of 64 bits, as 8 bytes. */
export function addU64(value: u64): void {
  lastData = part(lastData, 8);
  if (firstData == 0) firstData = lastData;
  store<u64>(lastData + PART_BYTES, value);
}

/**
 * Begins an event in the data: a byte with the length of its name, the name (ASCII, at most 255 characters). What is
 * added next are its fields; readers know their number and kind from the name.
 */
export function event(name: string): void {
  const source = changetype<usize>(name);
  const length = load<u32>(source - 4) >> 1;
  require(length < 256, 'the name of an event is too long');
  lastData = part(lastData, 1 + length);
  if (firstData == 0) firstData = lastData;
  store<u8>(lastData + PART_BYTES, length);
  for (let i: u32 = 0; i < length; i++) store<u8>(lastData + PART_BYTES + 1 + i, load<u8>(source + (i << 1)));
}

function appendParts(first: usize): void {
  for (let head = first; head != 0; head = load<u32>(head)) appendBytes(head + PART_BYTES, load<u32>(head, 4));
}

/** Ends the response, with `length` bytes at `data` behind what was added; gives what `__execute` returns. */
export function finish(data: usize, length: u32): usize {
  const result = allocateBuffer(0);
  const count = extend(16);
  store<u64>(count, transfers);
  store<u64>(count, 0, 8);
  appendParts(firstTransfer);
  store<u32>(extend(4), entries);
  appendParts(firstEntry);
  appendParts(firstData);
  appendBytes(data, length);
  return closeBuffer(result);
}

/** Ends the response with the data that were added, if any. */
export function finishEmpty(): usize {
  return finish(0, 0);
}
