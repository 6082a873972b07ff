// The result of `__execute`, written in its final order: begin, transfers, puts (keys ascending), then data with
// finish. Nothing else may be allocated in between: the result is one run of bytes.
import { ASSET_BYTES, incoming, incomingCount, selfId } from './context';
import { allocate, allocateBuffer, appendBytes, bufferLength, closeBuffer } from './memory';

let result: usize = 0;
let entries: usize = 0;

export function responseBegin(): void {
  result = allocateBuffer(16);
  entries = 0;
  store<u64>(result, 0);
  store<u64>(result, 0, 8);
}

/** Adds a transfer of `amount` (address of a u128) of the asset with the 32-byte `id`. */
export function transfer(id: usize, amount: usize): void {
  appendBytes(id, 32);
  appendBytes(amount, 16);
  store<u64>(result, load<u64>(result) + 1);
}

@inline
export function transferOwn(amount: usize): void {
  transfer(selfId(), amount);
}

/** Sends every incoming asset on to the message's pointer. */
export function returnIncoming(): void {
  const count = incomingCount();
  appendBytes(incoming(0), count * ASSET_BYTES);
  store<u64>(result, load<u64>(result) + <u64>count);
}

function openMap(): void {
  entries = allocate(4);
  store<u32>(entries, 0);
}

/** Adds an entry whose value of `length` bytes the caller fills in at the address returned. */
export function reserve(key: usize, length: u32): usize {
  if (entries == 0) openMap();
  appendBytes(key - 4, bufferLength(key) + 4);
  store<u32>(entries, load<u32>(entries) + 1);
  store<u32>(allocate(4), length);
  return allocate(length);
}

/** Writes `length` bytes at `value` under a key; 0 bytes delete it. */
export function put(key: usize, value: usize, length: u32): void {
  const to = reserve(key, length);
  memory.copy(to, value, length);
}

/** Appends the data, which may be empty, and gives what `__execute` returns. */
export function finish(data: usize, length: u32): usize {
  if (entries == 0) openMap();
  appendBytes(data, length);
  return closeBuffer(result);
}

@inline
export function finishEmpty(): usize {
  return finish(0, 0);
}
