import type { BlockState } from './block-state.js';
import type { LaneColumns } from './lane-columns.js';
import { StateKeys } from './state-keys.js';

/** Keys that are read at once. */
const PIECE = 1_024;

/** Reads the sheets that the rows of a block spend before these run: many at once take less than one by one. */
export class SheetsAhead {
  readonly #columns: LaneColumns;
  readonly #state: BlockState;
  readonly #keys: StateKeys;
  readonly #found = new Uint32Array(PIECE);
  /** Rows below it are done. */
  #next = 0;

  constructor(columns: LaneColumns, state: BlockState) {
    this.#columns = columns;
    this.#state = state;
    this.#keys = new StateKeys(state);
  }

  /**
   * Those of `row` are read now, if they were not, and of as many rows behind it as fill a piece. Of a row that spends
   * more than a piece holds the others are read when they are asked for.
   */
  loadFor(row: number): void {
    if (row < this.#next) return;
    const { block, index, count } = this.#columns;
    let found = 0;
    for (this.#next = row; this.#next < count; this.#next++) {
      const at = index[this.#next];
      const [from, to] = [block.firstInput[at], block.firstInput[at + 1]];
      if (found + to - from > PIECE && found > 0) break;
      for (let input = from; input < to && found < PIECE; input++) {
        this.#found[found++] = this.#keys.sheetAt(block.raw, block.inputs[input]);
      }
    }
    this.#state.loadMany(this.#found, found);
  }
}
