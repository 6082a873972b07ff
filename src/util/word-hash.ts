import { randomFillSync } from 'node:crypto';

/** Odd numbers, random per process: nobody can choose keys that all fall on one place of everybody's tables. */
const SECRETS = randomFillSync(new Uint32Array(6)).map((word) => word | 1);
const [SEED_A, SEED_B, SEED_C, SEED_D, FIRST, SECOND] = SECRETS;

/**
 * A hash (32 bits, signed) of the bytes from `start` to `end` of `view`, another one in every process. Four words are
 * taken at a time, each on its own way, so that a long key takes a fraction of a nanosecond a byte.
 */
export function hashOfWords(view: DataView, start: number, end: number): number {
  let a = SEED_A ^ (end - start);
  let at = start;
  if (end - start >= 16) {
    let b = SEED_B;
    let c = SEED_C;
    let d = SEED_D;
    for (; at + 16 <= end; at += 16) {
      a = mixed(a ^ view.getInt32(at, true));
      b = mixed(b ^ view.getInt32(at + 4, true));
      c = mixed(c ^ view.getInt32(at + 8, true));
      d = mixed(d ^ view.getInt32(at + 12, true));
    }
    a = mixed(mixed(mixed(a ^ b) ^ c) ^ d);
  }
  for (; at + 4 <= end; at += 4) a = mixed(a ^ view.getInt32(at, true));
  let rest = 0;
  for (let shift = 0; at < end; at++, shift += 8) rest |= view.getUint8(at) << shift;
  a = mixed(a ^ rest);
  return a ^ (a >>> 16);
}

/**
 * One to one. One odd factor would not do: it moves a difference in the top bit nowhere, whatever the factor, so that
 * the next word could take it back. After the second one the difference depends on what nobody knows.
 */
function mixed(word: number): number {
  const once = Math.imul(word, FIRST);
  return Math.imul(once ^ (once >>> 15), SECOND);
}

/** Whether `length` bytes are the same in both views. */
export function wordsEqual(a: DataView, atA: number, b: DataView, atB: number, length: number): boolean {
  let i = 0;
  for (; i + 4 <= length; i += 4) if (a.getInt32(atA + i, true) !== b.getInt32(atB + i, true)) return false;
  for (; i < length; i++) if (a.getUint8(atA + i) !== b.getUint8(atB + i)) return false;
  return true;
}
