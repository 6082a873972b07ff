import { viewOf } from '../../util/words.js';
import type { BlockState } from './block-state.js';
import type { LaneColumns } from './lane-columns.js';
import type { StateKeys } from './state-keys.js';

/** Keys that are read at once. */
const PIECE = 1_024;

/** Reads the sheets that the rows of a block spend before these run: many at once take less than one by one. */
export class SheetsAhead {
  readonly #columns: LaneColumns;
  readonly #state: BlockState;
  readonly #keys: StateKeys;
  readonly #raw: DataView;
  /** Numbers of keys: those of a row stand from `#places` of it on. */
  readonly #found = new Uint32Array(PIECE);
  readonly #places = new Uint32Array(PIECE + 1);
  /** The rows from the first to the next one are done. */
  #first = 0;
  #next = 0;

  constructor(columns: LaneColumns, state: BlockState, keys: StateKeys) {
    this.#columns = columns;
    this.#state = state;
    this.#keys = keys;
    this.#raw = viewOf(columns.block.raw);
  }

  /**
   * Those of `row` are read now, if they were not, and of as many rows behind it as fill a piece. Of a row that spends
   * more than a piece holds the others are read when they are asked for.
   */
  loadFor(row: number): void {
    if (row < this.#next) return;
    const { block, index, count } = this.#columns;
    let found = 0;
    this.#first = row;
    for (this.#next = row; this.#next < count && this.#next < row + PIECE; this.#next++) {
      const at = index[this.#next];
      const from = block.firstInput[at];
      const to = block.firstInput[at + 1];
      if (found + to - from > PIECE && found > 0) break;
      this.#places[this.#next - row] = found;
      for (let input = from; input < to && found < PIECE; input++) {
        this.#found[found++] = this.#keys.sheetAt(this.#raw, block.inputs[input]);
      }
    }
    this.#places[this.#next - row] = found;
    this.#state.loadMany(this.#found, found);
  }

  /** Those of the rows from place `from` to `to` of `rows` are read now, as many at once as fill a piece. */
  loadRows(rows: Uint32Array, from: number, to: number): void {
    const { block, index } = this.#columns;
    // The places of keys are those of these rows now.
    this.#next = 0;
    let found = 0;
    for (let place = from; place < to; place++) {
      const at = index[rows[place]];
      for (let input = block.firstInput[at]; input < block.firstInput[at + 1]; input++) {
        if (found === PIECE) {
          this.#state.loadMany(this.#found, found);
          found = 0;
        }
        this.#found[found++] = this.#keys.sheetAt(this.#raw, block.inputs[input]);
      }
    }
    this.#state.loadMany(this.#found, found);
  }

  /** Number of the key of the sheet on the outpoint of input number `at` of `row`. */
  numberOf(row: number, at: number): number {
    if (row >= this.#first && row < this.#next) {
      const place = this.#places[row - this.#first] + at;
      if (place < this.#places[row - this.#first + 1]) return this.#found[place];
    }
    const { block, index } = this.#columns;
    return this.#keys.sheetAt(this.#raw, block.inputs[block.firstInput[index[row]] + at]);
  }

  /** Keys have other numbers now. */
  forget(): void {
    this.#next = 0;
  }
}
