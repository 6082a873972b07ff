/** Items that are taken before the consumer asks for them. */
const DEPTH = 2;

/** An item of a sequence, and the next ones once they are available. */
export interface Looked<T> {
  readonly item: T;
  /** Milliseconds that the consumer waited for it. */
  readonly waited: number;
  readonly following: Following<T>;
}

/**
 * The item that comes `distance` after the current one (1 if not given); undefined while it is not available yet, if
 * there is none, or if it is too far off.
 */
export type Following<T> = (distance?: number) => T | undefined;

/**
 * Takes a few more items from `source` than the consumer has asked for, while the consumer works on the current one. An
 * error of the source is thrown in its turn. When the consumer stops, the source is asked to end but not awaited: an
 * item may still be under way.
 */
export async function* lookAhead<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<Looked<T>, void, void> {
  const ahead = new Ahead(source);
  try {
    for (;;) {
      const asked = performance.now();
      const taken = await ahead.next();
      const waited = performance.now() - asked;
      if (taken.done) return;
      yield { item: taken.value, waited, following: (distance = 1) => ahead.at(distance - 1) };
    }
  } finally {
    ahead.end();
  }
}

/** Results of a source in their order, at most one of which is under way. */
class Ahead<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  readonly #taken: T[] = [];
  /** The result under way; it stays when it is the last one: the end, or an error. */
  #pending: Promise<IteratorResult<T>> | undefined;

  constructor(source: Iterable<T> | AsyncIterable<T>) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#take();
  }

  at(place: number): T | undefined {
    return this.#taken[place];
  }

  async next(): Promise<IteratorResult<T>> {
    if (this.#taken.length === 0) await this.#pending;
    const [value] = this.#taken;
    if (this.#taken.length === 0) return { done: true, value: undefined };
    this.#taken.shift();
    this.#take();
    return { done: false, value };
  }

  end(): void {
    void (async () => this.#iterator.return?.())().catch(() => undefined);
  }

  #take(): void {
    if (this.#pending !== undefined || this.#taken.length >= DEPTH) return;
    const pending = (async () => this.#iterator.next())();
    this.#pending = pending;
    pending.then(
      (result) => {
        if (result.done) return;
        this.#taken.push(result.value);
        this.#pending = undefined;
        this.#take();
      },
      // Thrown when its turn comes; dropped if the consumer stops before that.
      () => undefined,
    );
  }
}
