/** Deterministic numbers from a seed (xorshift32). */
export class Random {
  #state: number;

  /** `stream`: number of the sequence, for several sequences from one seed. */
  constructor(seed: number, stream: number) {
    let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35);
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    this.#state = (state ^ (state >>> 13)) >>> 0 || 1;
  }

  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
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
