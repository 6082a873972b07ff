// SHA-256 of very many messages, laid out in portions that stay in the processor's cache.
import { compressMessages, MESSAGE_HEAD, pad } from '../native/messages';
import { reserve } from './arena';

const PORTION: u32 = 1 << 16;

let work: usize = 0;
let size: u32 = 0;
let at: usize = 0;

/** Begins without messages. */
export function beginMessages(): void {
  if (work == 0) makeRoom(PORTION);
  at = work;
}

function makeRoom(bytes: u32): void {
  work = reserve(bytes);
  size = bytes;
}

/** The address for the `length` bytes of one more message, whose digest goes to `out` by {@link hashMessages}. */
export function addMessage(length: u32, out: usize): usize {
  const need = <u32>MESSAGE_HEAD + ((length + 9 + 63) & ~63);
  if (need > size - <u32>(at - work)) {
    hashMessages();
    if (need > size) makeRoom(need << 1);
    at = work;
  }
  const message = at + MESSAGE_HEAD;
  store<u32>(at, (need - <u32>MESSAGE_HEAD) >> 6);
  store<u32>(at, <u32>out, 4);
  at = pad(message, length);
  return message;
}

/** Hashes the messages that wait. */
export function hashMessages(): void {
  compressMessages(work, at);
  at = work;
}
