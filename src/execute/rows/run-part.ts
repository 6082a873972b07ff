/** Some rows that follow each other, from their dry runs to receipts and writes. */
import { type LaneColumns, txidAt } from '../../lane/columns/lane-columns.js';
import { sheetKeyAt } from '../../lane/keys.js';
import type { LaneContext } from '../../lane/message.js';
import { note } from '../../lane/notes.js';
import type { RunReason } from '../../lane/run-reason.js';
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import type { LaneKey } from '../../lane/types.js';
import { type Plan, planOf } from '../../plan/plan.js';
import type { ProgramRunner } from '../../program/runner.js';
import type { PackedMap } from '../../util/packed-map.js';
import type { StepMemory } from '../predict/step-memory.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import type { CachingReader } from '../tasks/caching-reader.js';
import { RowTasks } from '../tasks/row-tasks.js';
import type { WorkerPool } from '../threads/worker-pool.js';
import { BlockKernel, type KernelUse } from './block-kernel.js';
import type { BlockMemory } from './block-memory.js';
import type { RowRange } from './part-sizes.js';
import { Predictions } from './predictions.js';
import { runBatches } from './row-batches.js';
import { callsOf } from './row-calls.js';
import type { RowGroups } from './row-groups.js';
import { RowTable } from './row-table.js';
import { RowVersions } from './row-versions.js';
import { RowWork } from './row-work.js';
import { type SettledRows, settleRows } from './settle.js';

export interface PartInputs {
  readonly columns: LaneColumns;
  readonly range: RowRange;
  /** Colours of the parts before it. */
  readonly colours: number;
  readonly groups: RowGroups;
  readonly context: LaneContext;
  /** The state before the part. */
  readonly before: CachingReader;
  readonly runner: ProgramRunner;
  /** It has begun the part. */
  readonly pool: WorkerPool | undefined;
  readonly budget: BlockBudget;
  readonly statistics: LaneStatistics;
  readonly keepsOutcomes: boolean;
  /** Whether only rows whose dry run was clean run in batches. */
  readonly cleanOnly: boolean;
  /** Of the blocks before; undefined: no read is predicted. */
  readonly steps: StepMemory | undefined;
  readonly memory: BlockMemory;
  /** undefined: the block does not use the kernel. */
  readonly kernel: KernelUse | undefined;
  /** Why threads run what they run in batches, where the kernel says nothing else. */
  readonly inBatches: RunReason;
}

/** What a part leaves. */
export interface PartResult extends SettledRows {
  /** All that it has written: deletions of what was not there, too. */
  readonly writes: PackedMap;
  readonly plan: Plan;
}

/** Runs the rows. Throws `BlockTooLarge` when what is known of them takes more than the budget. */
export async function runPart(inputs: PartInputs): Promise<PartResult> {
  const { columns, range, groups, context, before, runner, pool, budget, statistics, steps } = inputs;
  let started = performance.now();
  const table = new RowTable(range.to, before.unkept, inputs.memory);
  const leftToKernel = inputs.kernel?.left;
  const makeTasks = (): RowTasks => new RowTasks(0, columns, context, before, runner, leftToKernel);
  const work = new RowWork(makeTasks, pool, statistics.seconds);
  const dryRun = independentRows(columns, range);
  noteDemoted(columns, range, statistics);
  await work.run(groups.inOrder(dryRun), table, budget);
  const rows = inputs.cleanOnly ? dryRun.filter((row) => table.isClean(row)) : dryRun;
  started = lap(statistics, 'dryRun', started);
  const sets = table.accessSets(rows);
  // In this thread alone they would take their turns in any case.
  const predicts = steps !== undefined && (work.threads > 0 || inputs.kernel !== undefined);
  const calls = callsOf(columns, range, dryRun, context.dependent);
  const predictions = predicts ? new Predictions(rows, sets, table, steps, budget, calls) : undefined;
  const plan = planOf(predictions?.without(sets) ?? sets);
  const colourOf = new Uint32Array(range.to);
  for (let node = 0; node < rows.length; node++) {
    colourOf[rows[node]] = inputs.colours + plan.colouring.colours[node];
  }
  started = lap(statistics, 'plan', started);
  const versions = new RowVersions();
  const all = { ...inputs, rows, plan, predictions, table, versions, work };
  const use = inputs.kernel;
  const kernel = use && new BlockKernel({ ...all, use, threads: work.threads });
  const settled = async (): Promise<SettledRows> => {
    const found = await runBatches({ ...all, kernel });
    started = performance.now();
    before.prefetch(sheetKeysOf(columns, dependentRows(columns, range)));
    return settleRows({ ...all, found, colourOf, kernel, isDemoted: (row) => isDependent(columns, range, row) });
  };
  const { receipts, outcomes } = await settled().finally(() => {
    kernel?.close();
    work.release();
  });
  if (steps !== undefined) predictions?.teach(steps);
  started = lap(statistics, 'validate', started);
  statistics.lane.txs = range.to - range.from;
  statistics.colours = plan.colouring.count;
  statistics.predictedReads = predictions?.reads ?? 0;
  statistics.mispredictedReads = predictions?.wrong ?? 0;
  statistics.demoted = range.to - range.from - dryRun.length;
  statistics.unclean = dryRun.length - rows.length;
  const writes = table.state.writes();
  // Outcomes may refer to what they were read from.
  if (!inputs.keepsOutcomes) {
    table.release(inputs.memory);
    kernel?.release();
  }
  lap(statistics, 'writes', started);
  return { receipts, outcomes, writes, plan };
}

/** Adds the time since `started` to phase `name`; gives the time now. */
function lap(statistics: LaneStatistics, name: string, started: number): number {
  addMs(statistics, name, started);
  return performance.now();
}

/** Rows that spend no output of another one of the range: only these can be dry-run. */
export function independentRows(columns: LaneColumns, range: RowRange): Uint32Array {
  const rows = new Uint32Array(range.to - range.from);
  let found = 0;
  for (let row = range.from; row < range.to; row++) if (!isDependent(columns, range, row)) rows[found++] = row;
  return rows.subarray(0, found);
}

function noteDemoted(columns: LaneColumns, range: RowRange, { notes }: LaneStatistics): void {
  if (notes === undefined) return;
  for (const row of dependentRows(columns, range)) {
    note(notes, 'demoted', columns.index[row], () => txidAt(columns, row));
  }
}

function* dependentRows(columns: LaneColumns, range: RowRange): Generator<number, void, void> {
  for (let row = range.from; row < range.to; row++) if (isDependent(columns, range, row)) yield row;
}

/** Parents are in ascending order: the last one tells. */
function isDependent({ firstParent, parents }: LaneColumns, { from }: RowRange, row: number): boolean {
  const end = firstParent[row + 1];
  return end > firstParent[row] && parents[end - 1] >= from;
}

/** Keys of the sheets that `rows` spend. */
function sheetKeysOf({ block, index }: LaneColumns, rows: Iterable<number>): LaneKey[] {
  const keys: LaneKey[] = [];
  for (const row of rows) {
    const at = index[row];
    for (let input = block.firstInput[at]; input < block.firstInput[at + 1]; input++) {
      keys.push(sheetKeyAt(block.raw, block.inputs[input]));
    }
  }
  return keys;
}
