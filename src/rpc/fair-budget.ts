/** Bytes held at a time over all clients. One client may hold at most half, so that it never takes what others need. */
export class FairBudget {
  #total = 0;
  readonly #held = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether `client` may hold `bytes` more; if so, they count until {@link give}. */
  take(client: string, bytes: number): boolean {
    const own = (this.#held.get(client) ?? 0) + bytes;
    if (own > this.#most / 2 || this.#total + bytes > this.#most) return false;
    this.#held.set(client, own);
    this.#total += bytes;
    return true;
  }

  give(client: string, bytes: number): void {
    const own = (this.#held.get(client) ?? 0) - bytes;
    this.#total -= bytes;
    if (own > 0) this.#held.set(client, own);
    else this.#held.delete(client);
  }
}
