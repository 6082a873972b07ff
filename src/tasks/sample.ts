import { randomBytes } from 'node:crypto';
import { writeU32 } from '../util/bytes.js';
import { hashOfWords } from '../util/word-hash.js';
import { viewOf } from '../util/words.js';

/**
 * The units of a batch whose answers are recomputed: `percent` of them, at least one, in order. Which ones depends on
 * secrets of the process and of this batch, so that neither whoever made the batch nor a driver can know it.
 */
export function sampleOf(units: number, percent: number): number[] {
  if (units === 0 || percent <= 0) return [];
  const below = (percent / 100) * 2 ** 32;
  const room = new Uint8Array(randomBytes(16));
  const view = viewOf(room);
  const chosen: number[] = [];
  for (let unit = 0; unit < units; unit++) {
    writeU32(room, 0, unit);
    if (hashOfWords(view, 0, room.length) >>> 0 < below) chosen.push(unit);
  }
  return chosen.length > 0 ? chosen : [(hashOfWords(view, 0, room.length) >>> 0) % units];
}
