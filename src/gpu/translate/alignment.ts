/**
 * Which values are multiples of 4: values of locals (see reaching.ts), globals and function results. At first all are
 * guessed to be. Where a translation stores anything else, that guess is withdrawn, and the functions that relied on it
 * are translated again, until no guess fails.
 */
export class Alignment {
  readonly #odd = new Set<string>();
  readonly #readers = new Map<string, Set<number>>();
  readonly #stale = new Set<number>();
  #reader = 0;
  #all = true;

  /** Begins the translation of function `index`, which relies on all guesses that it asks for. */
  begin(index: number): void {
    this.#reader = index;
    this.#stale.delete(index);
  }

  /** Whether a guess that the last translation of `index` relied on has failed since. */
  isStale(index: number): boolean {
    return this.#stale.has(index);
  }

  isAligned(name: string): boolean {
    if (!this.#all || this.#odd.has(name)) return false;
    const readers = this.#readers.get(name);
    if (readers === undefined) this.#readers.set(name, new Set([this.#reader]));
    else readers.add(this.#reader);
    return true;
  }

  refute(name: string): void {
    if (this.#odd.has(name)) return;
    this.#odd.add(name);
    for (const reader of this.#readers.get(name) ?? []) this.#stale.add(reader);
  }

  /** Guesses nothing from now on. */
  giveUp(): void {
    this.#all = false;
  }
}

export const resultName = (f: number, result: number): string => `f${f} r${result}`;
export const globalName = (global: number): string => `g${global}`;
