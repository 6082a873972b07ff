/** Wakes those who wait for the chain to change. */
export class ChangeBell {
  readonly #waiting = new Set<() => void>();

  /** Blocks came or went. */
  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when it rings, when `ended` is aborted, or after `ms`. */
  wait(ms: number, ended: AbortSignal): Promise<void> {
    if (ended.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        ended.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
      ended.addEventListener('abort', wake);
    });
  }
}
