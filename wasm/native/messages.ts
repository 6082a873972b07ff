// SHA-256 of many short messages of different lengths, four at a time.
import { BLOCKS, beginLane, compressAll, finishLane } from './sha256x4';

/** Bytes before each message for {@link compressMessages}. */
export const MESSAGE_HEAD: usize = 16;

/** By lane: blocks left, and where the digest goes. */
const LEFT: usize = memory.data(16, 4);
const OUT: usize = memory.data(16, 4);
/** What idle lanes compress. */
const IDLE: usize = memory.data(64, 16);

/** Pads a message of `length` bytes at `start` according to FIPS 180-4; returns the address after the last block. */
export function pad(start: usize, length: u32): usize {
  const end = start + length;
  const last = start + ((length + 9 + 63) & ~63);
  store<u8>(end, 0x80);
  memory.fill(end + 1, 0, last - end - 9);
  store<u64>(last - 8, bswap(<u64>length << 3));
  return last;
}

/**
 * Hashes the messages laid out from `from` to `to`: each is its number of blocks (u32), the address for its digest
 * (u32), 8 unused bytes and its padded bytes. A lane that is done takes the next one.
 */
export function compressMessages(from: usize, to: usize): void {
  for (let lane: u32 = 0; lane < 4; lane++) {
    store<u32>(LEFT + (lane << 2), 0);
    store<u32>(OUT + (lane << 2), 0);
  }
  let busy: u32 = 0;
  for (;;) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      const cell = lane << 2;
      const left = load<u32>(LEFT + cell);
      if (left > 1) {
        store<u32>(LEFT + cell, left - 1);
        store<u32>(BLOCKS + cell, load<u32>(BLOCKS + cell) + 64);
        continue;
      }
      const out = load<u32>(OUT + cell);
      if (out != 0) {
        finishLane(lane, out);
        busy--;
      }
      store<u32>(LEFT + cell, 0);
      store<u32>(OUT + cell, 0);
      store<u32>(BLOCKS + cell, <u32>IDLE);
      if (from < to) {
        const blocks = load<u32>(from);
        store<u32>(LEFT + cell, blocks);
        store<u32>(OUT + cell, load<u32>(from, 4));
        store<u32>(BLOCKS + cell, <u32>(from + MESSAGE_HEAD));
        beginLane(lane);
        from += MESSAGE_HEAD + (<usize>blocks << 6);
        busy++;
      }
    }
    if (busy == 0) return;
    compressAll();
  }
}
