// Where an instance keeps what it is hashing: instances over one memory that hash at the same time have each their own.
// All below are offsets in it.

/** Eight vectors: word i of the state of the messages in lanes 0 to 3. */
export const STATE: usize = 0;
/** Sixteen vectors: word i of the blocks in lanes 0 to 3. */
export const WORDS: usize = 128;
/** By lane: bytes of the message up to the end of the block, and all ones if it is the last block. */
export const COUNTS: usize = 384;
export const LASTS: usize = 400;
/** By lane: where the halves of the next block lie, and where the hash of it goes. */
export const FIRST_HALVES: usize = 416;
export const SECOND_HALVES: usize = 432;
export const OUTS: usize = 448;
/** By depth: the first node that waits for its children. */
export const WAITING: usize = 464;
/** What was read ahead goes there: nobody wants it, but what is not used might not be read. */
export const READ_AHEAD: usize = 1456;
/** A multiple of 64. */
export const SCRATCH_BYTES: usize = 1472;

export let scratch: usize = memory.data(1472, 16);

export function setScratch(at: usize): void {
  scratch = at;
}
