/**
 * Turns of this thread: one request runs at a time, and between two requests the thread serves its connections. Clients
 * take turns, however many requests each has waiting.
 */
export class FairTurns {
  /** Waiting requests by client, in the order of the clients' turns. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = false;

  /** Resolves when the client's next request may run; no other runs until it yields the thread. */
  take(client: string): Promise<void> {
    return new Promise((resolve) => {
      const own = this.#waiting.get(client);
      if (own === undefined) this.#waiting.set(client, [resolve]);
      else own.push(resolve);
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => this.#next());
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#running = false;
      return;
    }
    const [client, own] = first;
    const turn = own.shift();
    // The client moves to the end of the queue.
    this.#waiting.delete(client);
    if (own.length > 0) this.#waiting.set(client, own);
    turn?.();
    setImmediate(() => this.#next());
  }
}
