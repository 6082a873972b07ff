import type { Alignment } from './alignment.js';

/** Assignments of a function beyond which nothing is followed, counted as locals times places where control flow parts. */
const MAX_WORK = 2_000_000;

/** Where control flow joins: what each local holds there, if anything has come so far. */
export interface Join {
  state: number[] | undefined;
  /** Locals that hold one of several values there, by the number of that choice. */
  readonly choices: Map<number, number>;
}

/** The guess about one value of a local: parameters and initial zeros are numbered like the locals. */
export function localName(f: number, value: number): string {
  return `f${f} v${value}`;
}

/**
 * Which assignments a local's value may come from, so that one local may hold addresses here and anything there. Values are numbered: the
 * initial ones, one per assignment, and choices between others where control flow joins.
 */
export class Reaching {
  #state: number[];
  #values: number;
  readonly #choices = new Map<number, Set<number>>();
  readonly #follows: boolean;

  constructor(
    readonly index: number,
    locals: number,
    readonly alignment: Alignment,
    places: number,
  ) {
    this.#state = Array.from({ length: locals }, (_, i) => i);
    this.#values = locals;
    this.#follows = locals * places <= MAX_WORK;
  }

  /** Whether local `local` holds a multiple of 4 here, as far as is known. */
  isAligned(local: number): boolean {
    return this.#follows && this.alignment.isAligned(localName(this.index, this.#state[local] ?? 0));
  }

  assign(local: number, aligned: boolean): void {
    if (!this.#follows) return;
    const value = this.#values++;
    this.#state[local] = value;
    if (!aligned) this.alignment.refute(localName(this.index, value));
  }

  join(): Join {
    return { state: undefined, choices: new Map() };
  }

  /** Control flow goes from here to `join`. */
  goTo(join: Join): void {
    if (!this.#follows) return;
    const { state } = join;
    if (state === undefined) {
      join.state = [...this.#state];
      return;
    }
    for (let local = 0; local < state.length; local++) this.#merge(join, state, local, this.#state[local] ?? 0);
  }

  /** Goes on behind `join`; where nothing leads there, the code is dead and what is known does not matter. */
  continueAt({ state }: Join): void {
    if (state !== undefined) this.#state = state;
  }

  /** The head of a loop: whatever its body assigns comes from before or from round the loop. */
  loopHead(assigned: ReadonlySet<number>): Join {
    const join = this.join();
    if (!this.#follows) return join;
    for (const local of assigned) {
      const choice = this.#choice(this.#state[local] ?? 0);
      join.choices.set(local, choice);
      this.#state[local] = choice;
    }
    join.state = [...this.#state];
    return join;
  }

  /** After the last instruction: a choice is aligned only if all of its values are. */
  finish(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const [choice, values] of this.#choices) {
        const name = localName(this.index, choice);
        if (!this.alignment.isAligned(name)) continue;
        if ([...values].every((v) => this.alignment.isAligned(localName(this.index, v)))) continue;
        this.alignment.refute(name);
        changed = true;
      }
    }
  }

  #choice(first: number): number {
    const choice = this.#values++;
    this.#choices.set(choice, new Set([first]));
    return choice;
  }

  #merge(join: Join, state: number[], local: number, value: number): void {
    const there = state[local] ?? 0;
    if (there === value) return;
    let choice = join.choices.get(local);
    if (choice === undefined) {
      choice = this.#choice(there);
      join.choices.set(local, choice);
      state[local] = choice;
    }
    this.#choices.get(choice)?.add(value);
  }
}
