import { randomFillSync } from 'node:crypto';
import { hashOfWords } from './word-hash.js';

/** Bytes that have random words of their own. More than these are hashed by the word, which takes a view. */
const POSITIONS = 128;
/** A random word for each byte at each position: nobody can choose bytes that meet in one slot. */
const WORDS = randomFillSync(new Uint32Array(POSITIONS * 256));

/** A hash (32 bits, signed) of the bytes from `start` to `end`, another one in every process: tabulation. */
export function hashOfBytes(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > POSITIONS) return hashOfWords(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), start, end);
  let sum = length;
  for (let at = start, row = 0; at < end; at++, row += 256) sum ^= WORDS[row + bytes[at]];
  return sum;
}
