import { createHash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const WORD_BITS = 32n;

/** Numbers of a fuzz test: the same from the same seed. */
export class FuzzRandom {
  readonly #generator: RandomGenerator;

  constructor(seed: string) {
    const hash = createHash('sha256').update(seed).digest();
    this.#generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => hash.readInt32LE(at)));
  }

  /** An integer from 0 to `limit` - 1; `limit` is at most 2^32. */
  below(limit: number): number {
    return Math.floor(((this.#generator.next() >>> 0) / 2 ** 32) * limit);
  }

  /** A number from 0 to 2^`bits` - 1, of 128 bits if not given: each length is as likely as any other. */
  bigint(bits = 128): bigint {
    const length = BigInt(this.below(bits + 1));
    let value = 0n;
    for (let at = 0n; at < length; at += WORD_BITS) {
      value = (value << WORD_BITS) | BigInt(this.#generator.next() >>> 0);
    }
    return value & ((1n << length) - 1n);
  }

  /** One of `list`, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** True in `percent` of a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}
