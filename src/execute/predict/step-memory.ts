/** What is remembered of predictions from block to block: it steers what is tried, never what results. */

/** Key shapes remembered; those not met for longest are forgotten. */
const MOST_SHAPES = 4_096;
/** A shape that was wrong n times is left alone for 2^n - 1 blocks in which it occurs, at most for 2^this - 1. */
const MOST_FAILURES = 10;
/** A block in which more than one read in this many was wrong counts as wrong. */
const READS_PER_WRONG = 8;

/** How the values of a key are predicted. */
export interface Guess {
  /** Bytes of an integer; 0: not known. */
  readonly width: number;
  /** Whether transactions that were not dry-run are taken to step as others do that make the same call. */
  readonly assumes: boolean;
}

interface Remembered {
  /** The one that was right last, or would have been. */
  readonly guess: Guess;
  readonly failures: number;
  /** Blocks still to be left alone. */
  readonly wait: number;
}

const UNKNOWN: Guess = { width: 0, assumes: true };
const NOTHING: Remembered = { guess: UNKNOWN, failures: 0, wait: 0 };

export class StepMemory {
  readonly #shapes = new Map<string, Remembered>();

  /** Shapes that are remembered. */
  get size(): number {
    return this.#shapes.size;
  }

  /** The guess to try for `shape` in a block; undefined: it is left alone. Once per block. */
  choose(shape: string): Guess | undefined {
    const { guess, failures, wait } = this.#shapes.get(shape) ?? NOTHING;
    if (wait === 0) return guess;
    this.#remember(shape, { guess, failures, wait: wait - 1 });
    return undefined;
  }

  /**
   * A block has ended in which `reads` reads of `shape` were predicted by `guess` and `wrong` of them wrongly;
   * `better`: the guess that would have been right where it went wrong first, if there is one.
   */
  learn(shape: string, guess: Guess, reads: number, wrong: number, better: Guess | undefined): void {
    const { failures } = this.#shapes.get(shape) ?? NOTHING;
    if (wrong * READS_PER_WRONG <= reads) {
      this.#remember(shape, { guess, failures: failures >> 1, wait: 0 });
      return;
    }
    const failed = Math.min(failures + 1, MOST_FAILURES);
    // Another guess is tried at once, but only by those that have not failed before.
    const wait = better !== undefined && failures === 0 ? 0 : 2 ** failed - 1;
    this.#remember(shape, { guess: better ?? UNKNOWN, failures: failed, wait });
  }

  #remember(shape: string, what: Remembered): void {
    this.#shapes.delete(shape);
    this.#shapes.set(shape, what);
    if (this.#shapes.size <= MOST_SHAPES) return;
    for (const oldest of this.#shapes.keys()) {
      this.#shapes.delete(oldest);
      return;
    }
  }
}
