import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Numbers thrown away first. */
const WARM_UP = 20;

/** Deterministic numbers from a seed. */
export class Random {
  readonly #generator: RandomGenerator;

  /** `stream`: number of the sequence, for several sequences from one seed. */
  constructor(seed: number, stream: number) {
    // Constants keep the state from being all zeros; the first numbers of states that are much alike are, too.
    this.#generator = xoroshiro128plusFromState([0x9e3779b9, seed | 0, 0x85ebca6b, stream | 0]);
    for (let i = 0; i < WARM_UP; i++) this.#generator.next();
  }

  u32(): number {
    return this.#generator.next() >>> 0;
  }

  /** 0 … max - 1. */
  pick(max: number): number {
    return Math.floor((this.u32() / 2 ** 32) * max);
  }

  /** True once in `times` on average. */
  once(times: number): boolean {
    return this.pick(times) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.pick(list.length)] as T;
  }
}
