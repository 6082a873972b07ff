// The second half of double SHA-256, four at a time.
import { pad } from './messages';
import { BLOCKS, beginAll, compressAll, finishLane } from './sha256x4';

/** The padded second message of each lane. */
const SECOND: usize = memory.data(256, 16);

/** SHA-256 of each of `count` digests in place. */
export function hashDigests(digests: usize, count: u32): void {
  for (let lane: u32 = 0; lane < 4; lane++) {
    const block = SECOND + (<usize>lane << 6);
    pad(block, 32);
    store<u32>(BLOCKS + (lane << 2), <u32>block);
  }
  for (let i: u32 = 0; i < count; i += 4) {
    const here = min<u32>(4, count - i);
    for (let lane: u32 = 0; lane < here; lane++) {
      memory.copy(SECOND + (<usize>lane << 6), digests + (<usize>(i + lane) << 5), 32);
    }
    beginAll();
    compressAll();
    for (let lane: u32 = 0; lane < here; lane++) finishLane(lane, digests + (<usize>(i + lane) << 5));
  }
}
