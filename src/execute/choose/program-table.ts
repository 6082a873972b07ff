/** Keeps `T` for the programs that take most of the time, and forgets the others when there are too many. */
export class ProgramTable<T> {
  readonly #entries = new Map<string, { readonly value: T; ms: number }>();
  readonly #most: number;
  readonly #make: () => T;

  constructor(most: number, make: () => T) {
    this.#most = most;
    this.#make = make;
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)?.value;
  }

  /**
   * What is kept of `name`, which has just taken `ms`. Where there is no room, the one that has taken the least time
   * goes, and the times of all fade a little: whoever sends a thousand programs that do little drives out these alone,
   * and what nobody calls any more goes in the end.
   */
  of(name: string, ms: number): T {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      if (this.#entries.size >= this.#most) this.#makeRoom();
      entry = { value: this.#make(), ms: 0 };
      this.#entries.set(name, entry);
    }
    entry.ms += ms;
    return entry.value;
  }

  /** Those that have taken most of the time come first. */
  list(): { readonly name: string; readonly value: T; readonly ms: number }[] {
    return [...this.#entries].map(([name, entry]) => ({ name, ...entry })).sort((a, b) => b.ms - a.ms);
  }

  #makeRoom(): void {
    const fading = 1 - 1 / this.#most;
    let least = '';
    let leastMs = Number.POSITIVE_INFINITY;
    for (const [name, entry] of this.#entries) {
      entry.ms *= fading;
      if (entry.ms < leastMs) [least, leastMs] = [name, entry.ms];
    }
    this.#entries.delete(least);
  }
}
