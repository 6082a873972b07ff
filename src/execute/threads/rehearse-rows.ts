/** What a thread does in a rehearsal. */
import type { RowTasks } from '../tasks/row-tasks.js';
import type { RehearsalLength } from './rehearsal.js';

/** Rows at a time: as many as take about that long, so that a thread is soon free when it is needed. */
const PIECE_MS = 2;
const MOST_PIECE = 32;
/** Dry, and again. */
const RUNS = 2;
/** Rows whose time says how fast the thread is now. */
const TOLD_ROWS = 32;
/** What the records of a piece may take. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Runs rows of a block of `count` in turn, dry, and then as rows run again that see other values; applies nothing. */
export class RowRehearsal {
  #piece = 1;
  #done = 0;
  #ms = 0;
  #untold = { rows: 0, ms: 0 };

  /** `first`: the row with which it begins; `tell` hears how many microseconds it takes to run a row once. */
  constructor(
    readonly tasks: RowTasks,
    readonly count: number,
    readonly first: number,
    readonly length: RehearsalLength,
    readonly tell: (us: number) => void,
  ) {}

  /** Runs some rows; gives whether more follow. Throws what they throw. */
  step(): boolean {
    const { tasks, count, first, length } = this;
    const began = performance.now();
    const rows = Uint32Array.from({ length: Math.min(this.#piece, count) }, (_, i) => (first + this.#done + i) % count);
    tasks.run({ rows, overrides: undefined }, PIECE_BYTES);
    // Every one sees the state before the block.
    const overrides = { ends: new Uint32Array(rows.length), words: new Uint32Array(0), bytes: new Uint8Array(0) };
    tasks.run({ rows, overrides }, PIECE_BYTES);
    const ms = performance.now() - began;
    this.#piece = ms < PIECE_MS ? Math.min(MOST_PIECE, 2 * this.#piece) : Math.max(1, this.#piece >> 1);
    this.#done += rows.length;
    this.#ms += ms;
    this.#untold = { rows: this.#untold.rows + rows.length, ms: this.#untold.ms + ms };
    if (this.#untold.rows >= TOLD_ROWS) {
      this.tell((this.#untold.ms * 1_000) / (RUNS * this.#untold.rows));
      this.#untold = { rows: 0, ms: 0 };
    }
    return this.#done < length.rows && this.#ms < length.ms;
  }
}
