/** Takes the time of some transactions: reading the clock twice for each would take a hundredth of a short call. */

/** One in so many is timed. */
const TIMED_EVERY = 16;

export class TimeSampler {
  readonly #take: (ms: number) => void;
  #left = 0;
  /** When the one that is timed began. */
  #began: number | undefined;

  /** `take` hears what each of them took. The first one is timed. */
  constructor(take: (ms: number) => void) {
    this.#take = take;
  }

  /** A transaction is about to run. */
  begin(): void {
    if (this.#left-- > 0) return;
    this.#left = TIMED_EVERY - 1;
    this.#began = performance.now();
  }

  /** It has run; `counts`: whether anybody wants to know what it took. */
  end(counts = true): void {
    if (this.#began === undefined) return;
    if (counts) this.#take(performance.now() - this.#began);
    this.#began = undefined;
  }
}
