/**
 * What is known to be a multiple of 4: locals (parameters too), globals and function results. It begins with the guess that all
 * are; a translation that stores anything else takes the guess back and the module is translated again, until no guess fails.
 */
export class Alignment {
  readonly #odd = new Set<string>();
  #all = true;

  /** How many guesses were taken back. */
  get refuted(): number {
    return this.#odd.size;
  }

  isAligned(name: string): boolean {
    return this.#all && !this.#odd.has(name);
  }

  refute(name: string): void {
    this.#odd.add(name);
  }

  /** Nothing is known from now on. */
  giveUp(): void {
    this.#all = false;
  }
}

export const localName = (f: number, local: number): string => `f${f} l${local}`;
export const resultName = (f: number, result: number): string => `f${f} r${result}`;
export const globalName = (global: number): string => `g${global}`;
