/** A block of rows from their dry runs to receipts and writes, on the CPU: what the engine does with columns. */
import type { LaneColumns } from '../../lane/columns/lane-columns.js';
import type { LaneContext } from '../../lane/message.js';
import { Changes } from '../../lane/overlay.js';
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import type { LaneBlockResult, LaneWrites } from '../../lane/types.js';
import { planOf, summarise } from '../../plan/plan.js';
import type { ProgramRunner } from '../../program/runner.js';
import { type OnOutcome, resultOf } from '../run/block-result.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import type { CachingReader } from '../tasks/caching-reader.js';
import { RowTasks, sheetKeysOf } from '../tasks/row-tasks.js';
import type { WorkerPool } from '../threads/worker-pool.js';
import { runBatches } from './row-batches.js';
import { RowGroups } from './row-groups.js';
import { RowTable } from './row-table.js';
import { RowWork } from './row-work.js';
import { settleRows } from './settle.js';

export interface RowsInputs {
  readonly columns: LaneColumns;
  readonly context: LaneContext;
  readonly before: CachingReader;
  readonly runner: ProgramRunner;
  /** It has begun the block. */
  readonly pool: WorkerPool | undefined;
  readonly budget: BlockBudget;
  readonly statistics: LaneStatistics;
  readonly onOutcome: OnOutcome | undefined;
}

/** Rows that spend no output of another one: only these can be dry-run. */
function independentRows({ count, firstParent }: LaneColumns): Uint32Array {
  const rows = new Uint32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) if (firstParent[row + 1] === firstParent[row]) rows[found++] = row;
  return rows.subarray(0, found);
}

/** Runs the block. Throws `BlockTooLarge` when what is known of its rows takes more than the budget. */
export async function runRows(inputs: RowsInputs): Promise<LaneBlockResult> {
  const { columns, context, before, runner, pool, budget, statistics } = inputs;
  let started = performance.now();
  const table = new RowTable(columns.count, before.unkept);
  const groups = new RowGroups(columns);
  const work = new RowWork(new RowTasks(0, columns, context, before, runner), pool);
  const rows = independentRows(columns);
  await work.run(groups.inOrder(rows), table, budget);
  started = lap(statistics, 'dryRun', started);
  const plan = planOf(table.accessSets(rows));
  const colourOf = new Uint32Array(columns.count);
  for (let node = 0; node < rows.length; node++) colourOf[rows[node]] = plan.colouring.colours[node];
  started = lap(statistics, 'plan', started);
  const found = await runBatches({ rows, plan }, table, work, groups, budget, statistics);
  started = performance.now();
  before.prefetch(sheetKeysOf(columns, dependentRows(columns)));
  const receipts = settleRows({ ...inputs, table, found, colourOf });
  started = lap(statistics, 'validate', started);
  statistics.lane.txs = columns.count;
  statistics.colours = plan.colouring.count;
  statistics.demoted = columns.count - rows.length;
  const summary = summarise(context.height, columns.count, statistics.demoted, plan);
  const writes = writesOf(table);
  lap(statistics, 'writes', started);
  return resultOf(writes, receipts, summary, statistics);
}

/** Adds the time since `started` to phase `name`; gives the time now. */
function lap(statistics: LaneStatistics, name: string, started: number): number {
  addMs(statistics, name, started);
  return performance.now();
}

function* dependentRows({ count, firstParent }: LaneColumns): Generator<number, void, void> {
  for (let row = 0; row < count; row++) if (firstParent[row + 1] > firstParent[row]) yield row;
}

/** All that the rows have written, but for deletions of keys that do not exist before the block. */
function writesOf(table: RowTable): LaneWrites {
  const { state } = table;
  const writes = new Changes();
  for (let key = 0, { keys } = state; key < keys; key++) {
    if (!state.isWritten(key)) continue;
    const [start, end] = [state.starts[key], state.ends[key]];
    if (start === end && table.loadBefore(key) === 0) continue;
    writes.set(state.keyText(key), start === end ? undefined : state.bytes.slice(start, end));
  }
  return writes.map;
}
