/** Runs rows of a block, on the workers or here. */
import { addValue, type Distributions, EXECUTION_SECONDS } from '../../lane/distribution.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import type { RowParts } from '../tasks/row-queue.js';
import type { KernelNumbers, RowOverrides, RowReply } from '../tasks/row-records.js';
import type { RowTasks } from '../tasks/row-tasks.js';
import { FEWEST_FOR_WORKERS, type WorkerPool } from '../threads/worker-pool.js';
import type { GiveUp, RowTable } from './row-table.js';

export class RowWork {
  readonly #makeTasks: () => RowTasks;
  /** This thread's. */
  #tasks: RowTasks | undefined;

  /**
   * `makeTasks`: asked for this thread's once, if it runs rows; the pool has begun the same block. `seconds`: gets what
   * some of the rows took.
   */
  constructor(
    makeTasks: () => RowTasks,
    readonly pool: WorkerPool | undefined,
    readonly seconds: Distributions = {},
  ) {
    this.#makeTasks = makeTasks;
  }

  /** No rows follow. */
  release(): void {
    this.#tasks?.release();
  }

  /** How many threads beside this one run rows. */
  get threads(): number {
    return this.pool?.size ?? 0;
  }

  /**
   * Runs `rows` and gives their records to `table`; `overrides` says what rows see, undefined: dry runs. Gives where
   * they ran. Throws `BlockTooLarge` when they have no room in `budget`.
   */
  async run(
    rows: Uint32Array<ArrayBuffer>,
    table: RowTable,
    budget: BlockBudget,
    overrides?: (rows: Uint32Array) => RowOverrides,
  ): Promise<'alone' | 'pool'> {
    const { pool } = this;
    if (pool === undefined || rows.length < FEWEST_FOR_WORKERS) {
      this.#tasks ??= this.#makeTasks();
      const reply = this.#tasks.run({ rows, overrides: overrides?.(rows) }, budget.ofPiece(1));
      this.#count(reply);
      table.take(reply, budget);
      return 'alone';
    }
    const parts = overrides === undefined ? evenParts(rows, pool.size) : partsByThread(rows, table, pool.size);
    await pool.runRows(parts, budget, { overrides: overrides?.(parts.rows) }, (reply) => {
      this.#count(reply);
      table.take(reply, budget);
    });
    return 'pool';
  }

  /**
   * Goes through `rows`, whose calls the kernel has run, on the pool, which has been told what it found. `numbersOf`
   * says of rows which calls and outcomes are theirs; `giveUp` hears of rows of which that does not count. Throws as
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
    const { pool } = this;
    if (pool === undefined) return;
    const parts = partsByThread(rows, table, pool.size);
    const how = { overrides: overrides(parts.rows), kernel: numbersOf(parts.rows) };
    await pool.runRows(parts, budget, how, (reply) => table.take(reply, budget, giveUp));
  }

  #count({ times }: RowReply): void {
    for (const ms of times) addValue(this.seconds, 'workers', EXECUTION_SECONDS, ms / 1_000);
  }
}

/** As many parts as threads, of rows that follow each other. */
function evenParts(rows: Uint32Array, threads: number): RowParts {
  const ends = Array.from({ length: threads }, (_, part) => Math.floor((rows.length * (part + 1)) / threads));
  return { rows, ends };
}

/** To each thread the rows that it ran last, in their order; those of other threads in turn. */
function partsByThread(rows: Uint32Array, table: RowTable, threads: number): RowParts {
  const partOf = (i: number): number => {
    const thread = table.threadOf(rows[i]);
    return thread === 0 || thread > threads ? i % threads : thread - 1;
  };
  const ends = new Array<number>(threads).fill(0);
  for (let i = 0; i < rows.length; i++) ends[partOf(i)]++;
  for (let part = 1; part < threads; part++) ends[part] += ends[part - 1];
  const ordered = new Uint32Array(rows.length);
  const next = ends.map((_, part) => (part === 0 ? 0 : ends[part - 1]));
  for (let i = 0; i < rows.length; i++) ordered[next[partOf(i)]++] = rows[i];
  return { rows: ordered, ends };
}
