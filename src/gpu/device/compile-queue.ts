/** Compilations that run in the driver's threads: a few at a time, a bounded number waiting. */
export class CompileQueue {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `running` compilations at a time; `waiting` beside those are not refused. */
  constructor(readonly limits: { readonly running: number; readonly waiting: number }) {}

  /** Whether another compilation finds a place. */
  get hasRoom(): boolean {
    return this.#running < this.limits.running || this.#waiting.length < this.limits.waiting;
  }

  /**
   * Runs `compile` when its turn comes, even where there is no room: who can do without asks {@link hasRoom} first. A place
   * is free again when the driver is really done, so that compilations that nobody waits for any more cannot pile up.
   */
  async run<T>(compile: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limits.running) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await compile();
    } finally {
      // The place goes to whoever waits longest.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
