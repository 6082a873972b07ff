/** LEB128 integers up to u128 (docs/wire.md, "Integers"). */

export type VarintError = 'unterminated' | 'overlong' | 'overflow';

export type VarintList =
  | { readonly ok: true; readonly values: bigint[] }
  | { readonly ok: false; readonly error: VarintError };

/** Index of the last byte that a number may have; only the two lowest bits of that byte fit into 128 bits. */
const LAST = 18;
const LAST_MASK = 0x7c;

/** The 128 bits of the integer being read, as words and as the two halves that make the bigint. */
const WORDS = new Uint32Array(4);
const LONGS = new BigUint64Array(WORDS.buffer);

/** Most integers are one byte long, and many are padding: shared values save an allocation each. */
const SMALL: readonly bigint[] = Array.from({ length: 128 }, (_, value) => BigInt(value));

/**
 * Reads all of `bytes` as integers, low groups of seven bits first; longer than shortest forms are accepted.
 * The error is that of the first integer that does not decode: bytes end inside it, a 20th byte, or more than 128 bits.
 */
export function decodeVarints(bytes: Uint8Array): VarintList {
  const values: bigint[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] < 0x80) {
      values.push(SMALL[bytes[at]]);
      at += 1;
      continue;
    }
    WORDS.fill(0);
    let bits = 0;
    for (let index = 0; ; index++) {
      if (at + index >= bytes.length) return { ok: false, error: 'unterminated' };
      if (index > LAST) return { ok: false, error: 'overlong' };
      const byte = bytes[at + index];
      if (index === LAST && (byte & LAST_MASK) !== 0) return { ok: false, error: 'overflow' };
      const shift = bits & 31;
      WORDS[bits >> 5] |= (byte & 0x7f) << shift;
      // A group of seven bits may reach into the next word; the last group has only two bits.
      if (shift > 25 && bits < 126) WORDS[(bits >> 5) + 1] = (byte & 0x7f) >>> (32 - shift);
      bits += 7;
      if (byte < 0x80) {
        at += index + 1;
        break;
      }
    }
    const high = WORDS[2] | WORDS[3];
    const value = high === 0 ? LONGS[0] : LONGS[0] | (LONGS[1] << 64n);
    values.push(value);
  }
  return { ok: true, values };
}
