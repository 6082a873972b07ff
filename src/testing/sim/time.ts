/** Time that passes only when nothing else is left to do. */
interface Event {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

export class VirtualTime {
  /** Milliseconds since the start. */
  now = 0;
  #order = 0;
  /** A binary heap: the earliest first, of equal ones the first made. */
  readonly #heap: Event[] = [];

  after(ms: number, fire: () => void): void {
    const heap = this.#heap;
    heap.push({ at: this.now + ms, order: this.#order++, fire });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (earlier(heap[parent], heap[i])) break;
      [heap[parent], heap[i]] = [heap[i], heap[parent]];
      i = parent;
    }
  }

  /** Resolves after `ms`, or as soon as the signal is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.after(ms, done);
      signal?.addEventListener('abort', done);
    });
  }

  /** Lets the next event happen; false if there is none. */
  async step(): Promise<boolean> {
    const event = this.#take();
    if (event === undefined) return false;
    this.now = event.at;
    event.fire();
    // Everything runs in microtasks, which are done when the loop comes round.
    await new Promise<void>((resolve) => setImmediate(resolve));
    return true;
  }

  #take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && earlier(heap[child], heap[least])) least = child;
      }
      if (least === i) return first;
      [heap[least], heap[i]] = [heap[i], heap[least]];
      i = least;
    }
  }
}

function earlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
