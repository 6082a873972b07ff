import { KeyTable } from '../../lane/columns/key-table.js';
import { isCommon, type LaneColumns, transactionAt } from '../../lane/columns/lane-columns.js';
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { viewOf } from '../../util/words.js';
import { targetOf } from '../tasks/grouped.js';

/**
 * Which rows call the same contract: in the order in which they run those follow each other, so that a thread compiles
 * each program of a block about once, however many more there are than it can keep.
 */
export class RowGroups {
  readonly #groupOf: Uint32Array;
  #groups = 0;

  constructor(columns: LaneColumns) {
    const { count, contexts, contextStart } = columns;
    this.#groupOf = new Uint32Array(count);
    const ids = new KeyTable();
    const others = new Map<string | undefined, number>();
    const view = viewOf(contexts);
    let id = -1;
    for (let row = 0; row < count; row++) {
      if (isCommon(columns, row)) {
        const at = contextStart[row];
        // Calls of one contract often follow each other.
        if (id < 0 || !ids.isAt(id, view, at, at + ID_LENGTH, view)) {
          id = ids.findIn(view, at, at + ID_LENGTH, view);
          if (id < 0) id = ids.add(contexts, at, at + ID_LENGTH);
        }
        // Even numbers for these, odd ones for the others.
        this.#groupOf[row] = 2 * id;
      } else {
        const target = targetOf(transactionAt(columns, row));
        const other = others.get(target) ?? others.size;
        others.set(target, other);
        this.#groupOf[row] = 2 * other + 1;
      }
      this.#groups = Math.max(this.#groups, this.#groupOf[row] + 1);
    }
  }

  /** How many rows there are. */
  get count(): number {
    return this.#groupOf.length;
  }

  /** What group `row` is in: rows of the common kind in one group call the same contract. */
  of(row: number): number {
    return this.#groupOf[row];
  }

  /** `rows`, those of one group together, otherwise in their order. */
  inOrder(rows: Uint32Array): Uint32Array<ArrayBuffer> {
    const starts = new Uint32Array(this.#groups + 1);
    for (let i = 0; i < rows.length; i++) starts[this.#groupOf[rows[i]] + 1]++;
    for (let group = 0; group < this.#groups; group++) starts[group + 1] += starts[group];
    const out = new Uint32Array(rows.length);
    for (let i = 0; i < rows.length; i++) out[starts[this.#groupOf[rows[i]]]++] = rows[i];
    return out;
  }
}
