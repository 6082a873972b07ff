/** An item of a sequence, and the one after it once that is there. */
export interface Looked<T> {
  readonly item: T;
  /** Milliseconds that the consumer waited for it. */
  readonly waited: number;
  /** The item after this one; undefined while it is not there yet, or if there is none. */
  following(): T | undefined;
}

/**
 * Takes one item more from `source` than was asked for, while the consumer works on the one before. What the source throws comes in its
 * turn. When the consumer stops, the source is told to end and not waited for: an item may still be on its way.
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
        // Thrown when its turn comes; nobody hears of it if the consumer stops before.
        () => undefined,
      );
      yield { item: taken.value, waited, following: () => next };
    }
  } finally {
    void (async () => iterator.return?.())().catch(() => undefined);
  }
}
