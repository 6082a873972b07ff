import { concatBytes, u32Bytes } from '../../util/bytes.js';
import { crc32 } from '../../util/crc32.js';

/** A match of 258 bytes, the longest there is: symbol 285, which has eight bits. */
const LONGEST = 258;
const LONGEST_CODE = 0xc5;
const DISTANCE_BITS = 5;

/** Collects the bits of a deflate stream, lowest first; codes come highest bit first (RFC 1951, section 3.1.1). */
class Bits {
  readonly #bytes: number[] = [];
  #used = 8;

  put(bit: number): void {
    if (this.#used === 8) {
      this.#bytes.push(0);
      this.#used = 0;
    }
    this.#bytes[this.#bytes.length - 1] |= bit << this.#used++;
  }

  code(code: number, length: number): void {
    for (let bit = length - 1; bit >= 0; bit--) this.put((code >>> bit) & 1);
  }

  /** A literal byte under the fixed codes (RFC 1951, section 3.2.6). */
  literal(byte: number): void {
    if (byte < 144) this.code(0x30 + byte, 8);
    else this.code(0x190 + byte - 144, 9);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/**
 * A gzip member in which only long runs of one byte are packed: the same bytes on every platform and version of zlib, and
 * a module with a long run in it inflates to many times its size.
 */
export function gzipRuns(bytes: Uint8Array): Uint8Array {
  const bits = new Bits();
  // One block, the last one, with fixed codes.
  for (const bit of [1, 1, 0]) bits.put(bit);
  for (let at = 0; at < bytes.length; ) {
    let run = 0;
    while (at > 0 && run < LONGEST && bytes[at + run] === bytes[at - 1]) run++;
    if (run === LONGEST) {
      bits.code(LONGEST_CODE, 8);
      bits.code(0, DISTANCE_BITS);
      at += LONGEST;
    } else bits.literal(bytes[at++]);
  }
  // End of the block: symbol 256.
  bits.code(0, 7);
  const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
  return concatBytes(header, bits.bytes(), u32Bytes(crc32(bytes)), u32Bytes(bytes.length));
}
