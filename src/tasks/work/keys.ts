/** Public keys and signatures of ECDSA as Bitcoin's consensus reads them, in columns of equal rows. */

const HALF = 32;
const UNCOMPRESSED = 4;
/** Prefixes of keys that carry y and also say its parity. */
const HYBRID_EVEN = 6;
const HYBRID_ODD = 7;

/**
 * Writes key `bytes` as row `row` of a column of 64 bytes (x, y; y is 0 if only its parity is known) and returns its
 * kind: 2 or 3 for a compressed key, 4 for one with y, 0 for what is no key. Whether the point is on the curve is not
 * looked at. A hybrid key (6, 7) is one with y if the parity is right: consensus takes them.
 */
export function writeKey(column: Uint8Array, row: number, bytes: Uint8Array): number {
  const [prefix] = bytes;
  if (bytes.length === HALF + 1 && (prefix === 2 || prefix === 3)) {
    column.set(bytes.subarray(1), row * 2 * HALF);
    return prefix;
  }
  if (bytes.length !== 2 * HALF + 1) return 0;
  const odd = bytes[2 * HALF] & 1;
  if (prefix !== UNCOMPRESSED && prefix !== (odd === 1 ? HYBRID_ODD : HYBRID_EVEN)) return 0;
  column.set(bytes.subarray(1), row * 2 * HALF);
  return UNCOMPRESSED;
}

/**
 * Writes a signature in strict DER (BIP66; without the byte of the hash type) as row `row` of a column of 64 bytes: r
 * and s, big-endian. False, and the row stays zero, if it is no such thing or a number has more than 32 bytes.
 */
export function writeDerSignature(column: Uint8Array, row: number, der: Uint8Array): boolean {
  // 30 length 02 length r 02 length s
  if (der.length < 8 || der.length > 72 || der[0] !== 0x30 || der[1] !== der.length - 2) return false;
  const rLength = der[3];
  const sAt = 4 + rLength;
  if (der[2] !== 0x02 || sAt + 2 >= der.length || der[sAt] !== 0x02) return false;
  const sLength = der[sAt + 1];
  if (sAt + 2 + sLength !== der.length) return false;
  const r = integer(der, 4, rLength);
  const s = integer(der, sAt + 2, sLength);
  if (r === undefined || s === undefined) return false;
  column.set(r, row * 2 * HALF + HALF - r.length);
  column.set(s, (row + 1) * 2 * HALF - s.length);
  return true;
}

/** The bytes of a number that is not negative and has no zero too many; undefined if it is not so. */
function integer(der: Uint8Array, at: number, length: number): Uint8Array | undefined {
  if (length === 0 || (der[at] & 0x80) !== 0) return undefined;
  if (length > 1 && der[at] === 0 && (der[at + 1] & 0x80) === 0) return undefined;
  const bytes = der.subarray(der[at] === 0 ? at + 1 : at, at + length);
  return bytes.length > HALF ? undefined : bytes;
}
