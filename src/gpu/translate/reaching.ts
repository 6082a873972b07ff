import type { Alignment } from './alignment.js';

/** Functions with more locals times branching instructions than this are not tracked. */
const MAX_WORK = 2_000_000;

/** A place where control flow joins, and the value of each local there; undefined while no path has reached it. */
export interface Join {
  state: number[] | undefined;
  /** Locals that hold one of several values there, with the number of that choice. */
  readonly choices: Map<number, number>;
}

/** Names the guess about one value of a local. Parameters and initial zeros have the numbers of their locals. */
export function localName(f: number, value: number): string {
  return `f${f} v${value}`;
}

/**
 * Tracks which assignments a local's value may come from, so that a local may hold an aligned address in one place and
 * any number in another. Values are numbered: the initial ones, one per assignment, and choices between others where
 * control flow joins.
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

  /** Whether local `local` is taken to hold a multiple of 4 here. */
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

  /** Records that control flow goes from here to `join`. */
  goTo(join: Join): void {
    if (!this.#follows) return;
    const { state } = join;
    if (state === undefined) {
      join.state = [...this.#state];
      return;
    }
    for (let local = 0; local < state.length; local++) this.#merge(join, state, local, this.#state[local] ?? 0);
  }

  /** Continues after `join`. If no path leads there, the code is dead and its state does not matter. */
  continueAt({ state }: Join): void {
    if (state !== undefined) this.#state = state;
  }

  /** Enters a loop: a local that its body assigns holds a value from before the loop or from an earlier iteration. */
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

  /** Call after the last instruction: a choice is aligned only if all of its values are. */
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
