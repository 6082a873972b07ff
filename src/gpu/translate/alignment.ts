/**
 * What is known to be a multiple of 4: values of locals (see reaching.ts), globals and function results. It begins with the guess that all
 * are; a translation that stores anything else takes the guess back, and the functions that relied on it are translated again,
 * until no guess fails.
 */
export class Alignment {
  readonly #odd = new Set<string>();
  readonly #readers = new Map<string, Set<number>>();
  readonly #stale = new Set<number>();
  #reader = 0;
  #all = true;

  /** Function `index` is translated from here on: it relies on what it asks for. */
  begin(index: number): void {
    this.#reader = index;
    this.#stale.delete(index);
  }

  /** Whether a guess that the last translation of `index` relied on has failed since it began. */
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

  /** Nothing is known from now on. */
  giveUp(): void {
    this.#all = false;
  }
}

export const resultName = (f: number, result: number): string => `f${f} r${result}`;
export const globalName = (global: number): string => `g${global}`;
