import { randomFillSync } from 'node:crypto';

/** Bytes that have random words of their own; longer ones use them again. */
const POSITIONS = 64;
/** A random word for each byte at each position: nobody can choose bytes that meet in one slot. */
const WORDS = randomFillSync(new Uint32Array(POSITIONS * 256));

/** A hash (32 bits, signed) of the bytes from `start` to `end`, another one in every process: tabulation. */
export function hashOfBytes(bytes: Uint8Array, start: number, end: number): number {
  let sum = end - start;
  for (let at = start, row = 0; at < end; at++, row += 256) {
    if (row === POSITIONS * 256) {
      row = 0;
      sum = Math.imul(sum, 0x9e3779b1) ^ (sum >>> 15);
    }
    sum ^= WORDS[row + bytes[at]];
  }
  return sum;
}
