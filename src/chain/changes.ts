import type { Clock } from './clock.js';

/** Notifications of new blocks that a {@link ChainSource} waits for. */
export interface Notifier {
  /** Whether notifications can be expected now. */
  readonly connected: boolean;
  /** Grows by one with each notification of a change of the best chain. */
  readonly notifications: number;
  /** Resolves with the next notification, or as soon as the signal is aborted. */
  next(signal: AbortSignal): Promise<void>;
}

export interface ChangeOptions {
  readonly clock: Clock;
  /** Milliseconds between two polls while no notifications come. */
  readonly pollMs: number;
  /** As `pollMs`, while a notifier is connected: a safety net. */
  readonly safetyMs: number;
  readonly notifier: Notifier | undefined;
  /** Whether the best chain's tip differs from the one last reported; a failure counts as no change. */
  look(signal: AbortSignal): Promise<boolean>;
}

/** Waits for changes: woken by notifications where there are any, and polling in any case. */
export class Changes {
  #seen = 0;
  readonly #options: ChangeOptions;

  constructor(options: ChangeOptions) {
    this.#options = options;
  }

  /** Marks notifications up to now as covered by the request that follows: later ones end the next wait at once. */
  mark(): void {
    this.#seen = this.#options.notifier?.notifications ?? 0;
  }

  /** As {@link ChainSource.changed}. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, notifier, look } = this.#options;
    const own = new AbortController();
    const stop = (): void => own.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const deadline = clock.sleep(ms, own.signal).then(stop);
    const woken = notifier?.next(own.signal).then(stop);
    try {
      let left = ms;
      while (!own.signal.aborted) {
        if (notifier && notifier.notifications !== this.#seen) return;
        const pause = Math.min(left, notifier?.connected ? this.#options.safetyMs : this.#options.pollMs);
        left -= pause;
        await clock.sleep(pause, own.signal);
        if (own.signal.aborted || left <= 0) return;
        if (await look(own.signal).catch(() => false)) return;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
      await deadline;
      await woken;
    }
  }
}
