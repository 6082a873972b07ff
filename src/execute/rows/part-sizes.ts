/** Rows of a part at first: more than a block of the chain has lane transactions, so that such a block is one part. */
const FIRST_ROWS = 16_384;
/** Of later parts, as far as what those before took lets one expect that they have room. */
const MOST_ROWS = 65_536;
/** A part is not made smaller than this. */
const LEAST_ROWS = 256;
/** A part that was too large is tried again with so many times fewer rows; so many times in a block. */
const SMALLER = 4;
const MOST_TRIES = 4;
/** How much of the budget the next part is to take, by what the last one took. */
const AIM = 0.5;

/** Rows of a block that are dry-run, planned, run and settled before those behind them. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** How large the parts of a block are: what is known of one has room in the budget. */
export class PartSizes {
  #rows = FIRST_ROWS;
  #tries = 0;

  /** `mostBytes`: the budget of a part. */
  constructor(readonly mostBytes: number) {}

  /** The part that begins at `from`, in a block of `count` rows. */
  partAt(from: number, count: number): RowRange {
    // The last two are about alike.
    const left = count - from;
    const rows = left < 2 * this.#rows && left > this.#rows ? Math.ceil(left / 2) : this.#rows;
    return { from, to: Math.min(count, from + rows) };
  }

  /** What is known of `part` took `bytes`. */
  took({ from, to }: RowRange, bytes: number): void {
    const fitting = Math.floor((AIM * this.mostBytes * (to - from)) / Math.max(1, bytes));
    this.#rows = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, fitting));
  }

  /** `part` had no room. True: it is to be tried with fewer rows. */
  shrink({ from, to }: RowRange): boolean {
    if (to - from <= LEAST_ROWS || ++this.#tries > MOST_TRIES) return false;
    this.#rows = Math.max(LEAST_ROWS, Math.floor((to - from) / SMALLER));
    return true;
  }
}
