import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { seededBytes } from '../../selftest/inputs/prng.js';
import { readU32 } from '../../util/bytes.js';

/** Fast chance from a seed: thousands of draws a seed, of which nothing depends but what the simulator does. */
export class SimRandom {
  readonly #generator: RandomGenerator;

  constructor(seed: string) {
    const bytes = seededBytes(seed, 'simulator');
    this.#generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => readU32(bytes, at) | 0));
  }

  /** A 32-bit number. */
  next(): number {
    return this.#generator.next() >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** An integer from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True `perMille` times in a thousand. */
  chance(perMille: number): boolean {
    return this.below(1_000) < perMille;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
