/** u128 integers as 32-bit words: most of what a message holds is only copied, and big integers are dear. */

/** Most integers are one byte long, many are padding: shared values spare an allocation each. */
const SMALL: readonly bigint[] = Array.from({ length: 128 }, (_, value) => BigInt(value));
const SCRATCH = new Uint32Array(4);
const LONGS = new BigUint64Array(SCRATCH.buffer);

/** A list of u128 integers, four words each, the lowest first. */
export class Integers {
  constructor(
    readonly words: Uint32Array,
    readonly length: number,
  ) {}

  /** The integer at `index`; it must be there. */
  at(index: number): bigint {
    const { words } = this;
    const word = index * 4;
    const low = words[word];
    if ((words[word + 1] | words[word + 2] | words[word + 3]) === 0) return low < 128 ? SMALL[low] : BigInt(low);
    for (let i = 0; i < 4; i++) SCRATCH[i] = words[word + i];
    return words[word + 2] === 0 && words[word + 3] === 0 ? LONGS[0] : LONGS[0] | (LONGS[1] << 64n);
  }

  /** The integer at `index` if it is below 2^32, else undefined. */
  small(index: number): number | undefined {
    const { words } = this;
    const word = index * 4;
    return (words[word + 1] | words[word + 2] | words[word + 3]) === 0 ? words[word] : undefined;
  }

  /** The lowest 32 bits of the integer at `index`. */
  low32(index: number): number {
    return this.words[index * 4];
  }

  /** Writes the lowest 15 bytes of the integer at `index`, little-endian. */
  writeChunk(index: number, out: Uint8Array, at: number): void {
    for (let i = 0; i < 15; i++) out[at + i] = this.words[index * 4 + (i >> 2)] >>> ((i & 3) * 8);
  }

  toBigInts(): bigint[] {
    const values: bigint[] = [];
    for (let i = 0; i < this.length; i++) values.push(this.at(i));
    return values;
  }
}
