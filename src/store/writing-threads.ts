import { StoreError, WarpshrewError } from '../errors/errors.js';
import { SideThread } from '../util/side-thread.js';

/** What became of rows that threads had begun to write when their block was given up. */
export interface GivenUp {
  /** Rows of the block may be there. */
  readonly isBegun: boolean;
  /** Of a thread: what it has written, or still writes, is unknown. */
  readonly failure: Error | undefined;
}

/**
 * What ends the writing of a store: rows that a thread still writes, or that only the log has, would come behind their
 * taking back. They stay announced, and go when the store is opened again.
 */
export function failureOf(given: readonly GivenUp[]): StoreError | undefined {
  const cause = given.find(({ failure }) => failure !== undefined)?.failure;
  if (cause === undefined || cause instanceof StoreError) return cause;
  const message = 'a thread that wrote rows of a block failed';
  return new StoreError('STORE_WRITE_FAILED', message, {
    hint: 'Open the store again: it stands at the last whole block.',
    cause,
  });
}

export interface WritingThreadsOptions {
  readonly count: number;
  /** What each is started with, relative to dist/. */
  readonly file: string;
  /** Of the database. */
  readonly handle: bigint;
  /** Called for each thread that is there no more. */
  readonly onLost: (cause: unknown) => void;
}

/** Threads that write rows of a block, each of which does the same. */
export class WritingThreads<J> {
  #failure: Error | undefined;
  readonly #threads: readonly SideThread<J>[];

  constructor({ count, file, handle, onLost }: WritingThreadsOptions) {
    const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };
    this.#threads = Array.from(
      { length: count },
      () => new SideThread<J>({ file, data: () => ({ handle }), limits, onLost }),
    );
  }

  /** Has as many of them as `most` begin; `job` is asked if there is one that does. */
  begin(most: number, job: () => J): void {
    for (const thread of this.#threads.slice(0, Math.max(0, most))) thread.begin(job);
  }

  /**
   * Waits for all of them; returns the sum of what they gave. Throws what one threw: a write that failed there as if it
   * had failed in this thread.
   */
  end(): number {
    let sum = 0;
    for (const thread of this.#threads) {
      try {
        sum += thread.end() ?? 0;
      } catch (cause) {
        this.#failure ??= asError(cause);
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
    return sum;
  }

  /** Waits for what was begun, and forgets it; returns why one failed, now or at the last {@link end}. */
  abandon(): Error | undefined {
    for (const thread of this.#threads) {
      const failure = thread.abandon();
      if (failure !== undefined) this.#failure ??= asError(failure);
    }
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  async close(): Promise<void> {
    for (const thread of this.#threads) await thread.close();
  }
}

/** A write that failed in another thread is thrown as if it had failed in this one. */
function asError(cause: unknown): Error {
  if (cause instanceof WarpshrewError && cause.code === 'STORE_WRITE_FAILED') {
    const { message, facts, hint } = cause;
    return new StoreError('STORE_WRITE_FAILED', message, { facts, hint, cause });
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}
