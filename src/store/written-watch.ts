/** Notices that another process has written to a database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { writtenState } from './shared-files.js';

/** How often the database is looked at. */
const LOOK_MS = 500;
/** Least time between two newer copies: a writer that is syncing writes all the time. */
const REST_MS = 4_000;
/** Share of the time, at most, that making copies takes: one in so many. */
const SHARE = 20;

/** Has a newer copy made soon after a database was written to, but not all the time. */
export class WrittenWatch {
  readonly #dir: string;
  /** What the database looked like when the copy in use was made. */
  #seen: string | undefined;
  readonly #renew: () => Promise<boolean>;
  #behindSince: number | undefined;
  readonly #end = new AbortController();
  #following: Promise<void> = Promise.resolve();

  /**
   * `seen`: what `writtenState` gave before the first copy was made. `renew` makes another one, and gives whether that
   * is in use; it throws nothing.
   */
  constructor(dir: string, seen: string | undefined, renew: () => Promise<boolean>) {
    this.#dir = dir;
    this.#seen = seen;
    this.#renew = renew;
  }

  start(): void {
    this.#following = this.#follow();
  }

  get isClosed(): boolean {
    return this.#end.signal.aborted;
  }

  /** For how long there has been something newer than the copy, in seconds. */
  get lagSeconds(): number {
    const since = this.#behindSince;
    return since === undefined ? 0 : Math.round((performance.now() - since) / 1000);
  }

  /** Looks no more; a copy that is being made is waited for. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#following;
  }

  /** Ends early where the watch is closed. */
  pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#end.signal, ref: false }).catch(() => undefined);
  }

  async #follow(): Promise<void> {
    while (!this.isClosed) {
      const now = writtenState(this.#dir);
      if (now !== undefined && now === this.#seen) {
        this.#behindSince = undefined;
        await this.pause(LOOK_MS);
        continue;
      }
      this.#behindSince ??= performance.now();
      const started = performance.now();
      if (await this.#renew()) {
        this.#seen = now;
        if (writtenState(this.#dir) === now) this.#behindSince = undefined;
      }
      await this.pause(Math.max(REST_MS, SHARE * (performance.now() - started)));
    }
  }
}
