/** An item of a sequence, and the next one once it is available. */
export interface Looked<T> {
  readonly item: T;
  /** Milliseconds that the consumer waited for it. */
  readonly waited: number;
  /** The next item; undefined while it is not available yet, or if there is none. */
  following(): T | undefined;
}

/**
 * Takes one more item from `source` than the consumer has asked for, while the consumer works on the current one. An
 * error of the source is thrown in its turn. When the consumer stops, the source is asked to end but not awaited: an
 * item may still be under way.
 */
export async function* lookAhead<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<Looked<T>, void, void> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const take = async (): Promise<IteratorResult<T>> => iterator.next();
  let pending = take();
  try {
    for (;;) {
      const asked = performance.now();
      const taken = await pending;
      const waited = performance.now() - asked;
      if (taken.done) return;
      let next: T | undefined;
      pending = take();
      pending.then(
        (result) => {
          if (!result.done) next = result.value;
        },
        // Thrown when its turn comes; dropped if the consumer stops before that.
        () => undefined,
      );
      yield { item: taken.value, waited, following: () => next };
    }
  } finally {
    void (async () => iterator.return?.())().catch(() => undefined);
  }
}
