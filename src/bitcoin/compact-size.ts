import { concatBytes, u32Bytes } from '../util/bytes.js';

/** Bitcoin's length prefix of `n`, a number below 2^32 (BIP 144 calls it var_int). */
export function compactSize(n: number): Uint8Array {
  if (n < 0xfd) return Uint8Array.of(n);
  if (n <= 0xffff) return Uint8Array.of(0xfd, n & 0xff, n >>> 8);
  return concatBytes(Uint8Array.of(0xfe), u32Bytes(n));
}

/** Bytes of the length prefix of `n`; layouts know no longer one. */
export function compactSizeLength(n: number): number {
  return n < 0xfd ? 1 : n <= 0xffff ? 3 : 5;
}
