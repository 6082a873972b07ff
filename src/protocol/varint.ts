/** LEB128 integers up to u128 (docs/wire.md, "Integers"). */

export type VarintError = 'unterminated' | 'overlong' | 'overflow';

export type VarintList =
  | { readonly ok: true; readonly values: bigint[] }
  | { readonly ok: false; readonly error: VarintError };

/** Index of the last byte that a number may have; of that byte only the two lowest bits fit in 128. */
const LAST = 18;
const LAST_MASK = 0x7c;

/** Most integers are one byte long, many are padding: shared values spare an allocation each. */
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
    let value = 0n;
    // Groups are gathered in plain numbers of 28 bits: arithmetic on big integers once per four bytes.
    let group = 0;
    let groupBits = 0;
    let valueBits = 0n;
    for (let index = 0; ; index++) {
      if (at + index >= bytes.length) return { ok: false, error: 'unterminated' };
      if (index > LAST) return { ok: false, error: 'overlong' };
      const byte = bytes[at + index];
      if (index === LAST && (byte & LAST_MASK) !== 0) return { ok: false, error: 'overflow' };
      group |= (byte & 0x7f) << groupBits;
      groupBits += 7;
      const last = byte < 0x80;
      if (last || groupBits === 28) {
        value |= BigInt(group) << valueBits;
        valueBits += 28n;
        group = 0;
        groupBits = 0;
      }
      if (last) {
        at += index + 1;
        break;
      }
    }
    values.push(value);
  }
  return { ok: true, values };
}
