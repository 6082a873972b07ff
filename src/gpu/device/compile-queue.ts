/** Queue of compilations, which run in the driver's threads: a few at a time, and a bounded number waiting. */
export class CompileQueue {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `running`: compilations at a time; `waiting`: how many more have room in the queue. */
  constructor(readonly limits: { readonly running: number; readonly waiting: number }) {}

  /** Whether there is room for another compilation. */
  get hasRoom(): boolean {
    return this.#running < this.limits.running || this.#waiting.length < this.limits.waiting;
  }

  /**
   * Runs `compile` when its turn comes, even without room: callers that can do without ask {@link hasRoom} first. A
   * slot is free again only when the driver has finished, so that abandoned compilations cannot pile up.
   */
  async run<T>(compile: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limits.running) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await compile();
    } finally {
      // The slot goes to the compilation that has waited longest.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
