/** A block of rows from their dry runs to receipts and writes, on the CPU: what the engine does with columns. */
import type { LaneColumns } from '../../lane/columns/lane-columns.js';
import type { LaneContext } from '../../lane/message.js';
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import type { LaneBlockResult } from '../../lane/types.js';
import { planOf, summarise } from '../../plan/plan.js';
import type { ProgramRunner } from '../../program/runner.js';
import type { StepMemory } from '../predict/step-memory.js';
import { type OnOutcome, resultOf } from '../run/block-result.js';
import { dropVoidDeletions } from '../run/merge-writes.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import type { CachingReader } from '../tasks/caching-reader.js';
import { RowTasks, sheetKeysOf } from '../tasks/row-tasks.js';
import type { WorkerPool } from '../threads/worker-pool.js';
import { Predictions } from './predictions.js';
import { runBatches } from './row-batches.js';
import { callsOf } from './row-calls.js';
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
  /** Of the blocks before; undefined: no read is predicted. */
  readonly memory: StepMemory | undefined;
}

/** Rows that spend no output of another one: only these can be dry-run. */
export function independentRows({ count, firstParent }: LaneColumns): Uint32Array {
  const rows = new Uint32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) if (firstParent[row + 1] === firstParent[row]) rows[found++] = row;
  return rows.subarray(0, found);
}

/** Runs the block. Throws `BlockTooLarge` when what is known of its rows takes more than the budget. */
export async function runRows(inputs: RowsInputs): Promise<LaneBlockResult> {
  const { columns, context, before, runner, pool, budget, statistics, memory } = inputs;
  let started = performance.now();
  const table = new RowTable(columns.count, before.unkept);
  const groups = new RowGroups(columns);
  const work = new RowWork(new RowTasks(0, columns, context, before, runner), pool);
  const rows = independentRows(columns);
  await work.run(groups.inOrder(rows), table, budget);
  started = lap(statistics, 'dryRun', started);
  const sets = table.accessSets(rows);
  // In this thread alone they would take their turns in any case.
  const predicts = memory !== undefined && work.threads > 0;
  const calls = callsOf(columns, rows, context.dependent);
  const predictions = predicts ? new Predictions(rows, sets, table, memory, budget, calls) : undefined;
  const plan = planOf(predictions?.without(sets) ?? sets);
  const colourOf = new Uint32Array(columns.count);
  for (let node = 0; node < rows.length; node++) colourOf[rows[node]] = plan.colouring.colours[node];
  started = lap(statistics, 'plan', started);
  const found = await runBatches({ rows, plan, predictions }, table, work, groups, budget, statistics);
  started = performance.now();
  before.prefetch(sheetKeysOf(columns, dependentRows(columns)));
  const receipts = settleRows({ ...inputs, table, found, colourOf, predictions });
  if (memory !== undefined) predictions?.teach(memory);
  started = lap(statistics, 'validate', started);
  statistics.lane.txs = columns.count;
  statistics.colours = plan.colouring.count;
  statistics.demoted = columns.count - rows.length;
  const summary = summarise(context.height, columns.count, statistics.demoted, plan, statistics);
  const writes = table.state.writes();
  dropVoidDeletions(writes, (key) => before.get(key) !== undefined);
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
