/**
 * What running messages costs here, learned from what was run: exponential averages of microseconds. Decides for `auto`
 * whether a colour's calls of one program go to the kernel; never what they mean.
 */

/** First guesses, until something has been measured. */
const GUESS = { cpuCall: 30, gpuCall: 1, dispatch: 25, launch: 1_000 } as const;
/** Weight of the newest measurement. */
const WEIGHT = 0.2;
/** The kernel must promise to be this much cheaper before a batch goes there. */
const MARGIN = 0.8;

export class CostModel {
  readonly #cpuCall = new Map<string, number>();
  #gpuCall: number = GUESS.gpuCall;
  #launch: number = GUESS.launch;

  /** `count` messages of program `hash` took `ms` of one thread. */
  ranOnCpu(hash: string, count: number, ms: number): void {
    if (count > 0) this.#cpuCall.set(hash, average(this.#cpuCall.get(hash), (ms * 1000) / count));
  }

  /** A segment of `count` messages in `dispatches` dispatches took `ms` from the first command to the results. */
  ranOnGpu(count: number, dispatches: number, ms: number): void {
    const us = ms * 1000 - dispatches * GUESS.dispatch;
    // Few messages tell what a launch costs, many what each costs.
    if (count * this.#gpuCall > this.#launch)
      this.#gpuCall = average(this.#gpuCall, Math.max(0.05, (us - this.#launch) / count));
    else this.#launch = average(this.#launch, Math.max(50, us - count * this.#gpuCall));
  }

  /** Microseconds saved by running `count` independent messages of program `hash` in the kernel, launch not counted. */
  saving(hash: string, count: number, threads: number): number {
    const cpu = (count * (this.#cpuCall.get(hash) ?? GUESS.cpuCall)) / Math.max(1, Math.min(threads, count));
    const gpu = GUESS.dispatch + count * this.#gpuCall;
    return cpu * MARGIN - gpu;
  }

  /** Microseconds that a segment costs before it does anything. */
  get launch(): number {
    return this.#launch;
  }
}

function average(before: number | undefined, now: number): number {
  return before === undefined ? now : before + WEIGHT * (now - before);
}
