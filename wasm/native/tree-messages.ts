// BLAKE2s-256 of many messages of different lengths, four at a time: a lane that is done takes the next message.
import { beginLane, compressAll, finishLane } from './blake2s';
import { COUNTS, FIRST_HALVES, LASTS, scratch, SECOND_HALVES } from './tree-scratch';

const LANES: u32 = 4;
/** By lane: address of what is left of the message, bytes left, where the digest goes and how much of it (16 to 32). */
const AT: usize = memory.data(16, 4);
const LEFT: usize = memory.data(16, 4);
const OUT: usize = memory.data(16, 4);
const LENGTH: usize = memory.data(16, 4);
/** By lane: the last block of its message, filled up with zeros. */
const TAIL: usize = memory.data(256, 16);
const DIGEST: usize = memory.data(32, 16);
/** Lanes that have a message. */
let busy: u32 = 0;

/** Hashes `length` bytes at `message`, by {@link hashMessages} at the latest; `digestBytes` of it go to `out`. */
export function hashMessage(message: usize, length: u32, out: usize, digestBytes: usize): void {
  while (busy == LANES) compress();
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const cell = <usize>lane << 2;
    if (load<u32>(OUT + cell) != 0) continue;
    store<u32>(AT + cell, <u32>message);
    store<u32>(LEFT + cell, length);
    store<u32>(OUT + cell, <u32>out);
    store<u32>(LENGTH + cell, <u32>digestBytes);
    store<u32>(scratch + COUNTS + cell, 0);
    beginLane(lane);
    busy++;
    return;
  }
}

/** Completes all digests. */
export function hashMessages(): void {
  while (busy > 0) compress();
}

/** Copies at most 64 bytes: a call for so few takes longer. */
@inline
function copyShort(to: usize, from: usize, length: u32): void {
  let at: usize = 0;
  for (; at + 16 <= <usize>length; at += 16) v128.store(to + at, v128.load(from + at));
  for (; at < <usize>length; at++) store<u8>(to + at, load<u8>(from + at));
}

/** One block of each lane. */
function compress(): void {
  for (let lane: u32 = 0; lane < LANES; lane++) prepare(lane);
  compressAll();
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const cell = <usize>lane << 2;
    const out = <usize>load<u32>(OUT + cell);
    if (out == 0 || load<u32>(scratch + LASTS + cell) == 0) continue;
    finishLane(lane, DIGEST);
    v128.store(out, v128.load(DIGEST));
    const rest = <usize>load<u32>(LENGTH + cell) - 16;
    v128.store(out + rest, v128.load(DIGEST + rest));
    store<u32>(OUT + cell, 0);
    busy--;
  }
}

@inline
function prepare(lane: u32): void {
  const cell = <usize>lane << 2;
  const tail = TAIL + (<usize>lane << 6);
  let block = tail;
  let last: u32 = 0;
  if (load<u32>(OUT + cell) != 0) {
    const at = <usize>load<u32>(AT + cell);
    const left = load<u32>(LEFT + cell);
    if (left > 64) {
      block = at;
      store<u32>(AT + cell, <u32>(at + 64));
      store<u32>(LEFT + cell, left - 64);
      store<u32>(scratch + COUNTS + cell, load<u32>(scratch + COUNTS + cell) + 64);
    } else {
      last = 0xffffffff;
      store<u32>(scratch + COUNTS + cell, load<u32>(scratch + COUNTS + cell) + left);
      v128.store(tail, i64x2.splat(0));
      v128.store(tail, i64x2.splat(0), 16);
      v128.store(tail, i64x2.splat(0), 32);
      v128.store(tail, i64x2.splat(0), 48);
      copyShort(tail, at, left);
    }
  }
  store<u32>(scratch + LASTS + cell, last);
  store<u32>(scratch + FIRST_HALVES + cell, <u32>block);
  store<u32>(scratch + SECOND_HALVES + cell, <u32>(block + 32));
}
