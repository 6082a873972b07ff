/** Runs rows of a block, on the workers or here. */
import type { BlockBudget } from '../tasks/block-weight.js';
import type { KernelNumbers, RowOverrides } from '../tasks/row-records.js';
import type { RowTasks } from '../tasks/row-tasks.js';
import { FEWEST_FOR_WORKERS, type WorkerPool } from '../threads/worker-pool.js';
import type { GiveUp, RowTable } from './row-table.js';

export class RowWork {
  /** `tasks`: this thread's; the pool has begun the same block. */
  constructor(
    readonly tasks: RowTasks,
    readonly pool: WorkerPool | undefined,
  ) {}

  /** How many threads beside this one run rows. */
  get threads(): number {
    return this.pool?.size ?? 0;
  }

  /**
   * Runs `rows` and gives their records to `table`; `overrides` says what the rows of a piece see, undefined: dry runs.
   * Gives where they ran. Throws `BlockTooLarge` when they have no room in `budget`.
   */
  async run(
    rows: Uint32Array,
    table: RowTable,
    budget: BlockBudget,
    overrides?: (rows: Uint32Array) => RowOverrides,
  ): Promise<'alone' | 'pool'> {
    const taskOf = (piece: Uint32Array) => ({ rows: piece, overrides: overrides?.(piece) });
    if (this.pool === undefined || rows.length < FEWEST_FOR_WORKERS) {
      table.take(rows, this.tasks.run(taskOf(rows), budget.ofPiece(1)), budget);
      return 'alone';
    }
    await this.pool.runRows(rows, budget, taskOf, (piece, reply) => table.take(piece, reply, budget));
    return 'pool';
  }

  /**
   * Goes through `rows`, whose calls the kernel has run, on the pool, which has been told what it found. `numbersOf`
   * says of a piece which calls and outcomes are its; `giveUp` hears of rows of which that does not count. Throws as
   * {@link run}.
   */
  async goThrough(
    rows: Uint32Array,
    table: RowTable,
    budget: BlockBudget,
    overrides: (rows: Uint32Array) => RowOverrides,
    numbersOf: (rows: Uint32Array) => KernelNumbers,
    giveUp: GiveUp,
  ): Promise<void> {
    const taskOf = (piece: Uint32Array) => ({ rows: piece, overrides: overrides(piece), kernel: numbersOf(piece) });
    await this.pool?.runRows(rows, budget, taskOf, (piece, reply) => table.take(piece, reply, budget, giveUp));
  }
}
