/** LEB128 integers up to u128 (docs/wire.md, "Integers"). */
import { Integers } from './integers.js';

export type VarintError = 'unterminated' | 'overlong' | 'overflow';

export type VarintList =
  | { readonly ok: true; readonly values: bigint[] }
  | { readonly ok: false; readonly error: VarintError };

export type IntegerList =
  | { readonly ok: true; readonly integers: Integers }
  | { readonly ok: false; readonly error: VarintError };

/** Index of the last byte that a number may have; of that byte only the two lowest bits fit in 128. */
const LAST = 18;
const LAST_MASK = 0x7c;

/**
 * Reads all of `bytes` as integers, low groups of seven bits first; longer than shortest forms are accepted.
 * The error is that of the first integer that does not decode: bytes end inside it, a 20th byte, or more than 128 bits.
 */
export function decodeVarints(bytes: Uint8Array): VarintList {
  const decoded = decodeIntegers(bytes);
  return decoded.ok ? { ok: true, values: decoded.integers.toBigInts() } : decoded;
}

/** As {@link decodeVarints}, without making big integers. */
export function decodeIntegers(bytes: Uint8Array): IntegerList {
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) count++;
  const words = new Uint32Array(count * 4);
  let at = 0;
  for (let word = 0; at < bytes.length; word += 4) {
    if (bytes[at] < 0x80) {
      words[word] = bytes[at];
      at += 1;
      continue;
    }
    let bits = 0;
    for (let index = 0; ; index++) {
      if (at + index >= bytes.length) return { ok: false, error: 'unterminated' };
      if (index > LAST) return { ok: false, error: 'overlong' };
      const byte = bytes[at + index];
      if (index === LAST && (byte & LAST_MASK) !== 0) return { ok: false, error: 'overflow' };
      const shift = bits & 31;
      const into = word + (bits >> 5);
      words[into] |= (byte & 0x7f) << shift;
      // A group of seven bits may reach into the next word; of the last one only two bits are there.
      if (shift > 25 && bits < 126) words[into + 1] = (byte & 0x7f) >>> (32 - shift);
      bits += 7;
      if (byte < 0x80) {
        at += index + 1;
        break;
      }
    }
  }
  return { ok: true, integers: new Integers(words, count) };
}
