import { randomBytes } from 'node:crypto';
import { writeU32 } from '../util/bytes.js';
import { hashOfWords } from '../util/word-hash.js';
import { viewOf } from '../util/words.js';

/**
 * The units of a batch whose answers are recomputed: each with the probability of `percent`, at least one, in order.
 * Which ones follows from hashes with secrets of the process and of this batch, so that neither whoever made the batch
 * nor a driver can know it. Costs nothing for units that are not chosen: the distance to the next one is drawn.
 */
export function sampleOf(units: number, percent: number): number[] {
  if (units === 0 || percent <= 0) return [];
  const room = new Uint8Array(randomBytes(16));
  const view = viewOf(room);
  let draws = 0;
  /** Above 0, up to 1. */
  const draw = (): number => {
    writeU32(room, 0, draws++);
    return ((hashOfWords(view, 0, room.length) >>> 0) + 1) / 2 ** 32;
  };
  const chosen: number[] = [];
  const scale = Math.log1p(-Math.min(percent, 100) / 100);
  const next = (unit: number): number => unit + 1 + Math.floor(Math.log(draw()) / scale);
  for (let unit = next(-1); unit < units; unit = next(unit)) chosen.push(unit);
  return chosen.length > 0 ? chosen : [Math.min(units - 1, Math.floor(draw() * units))];
}
