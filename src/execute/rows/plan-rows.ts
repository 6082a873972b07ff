/** Phase 1 of a block alone, in this thread: what its rows touch, which reads are predicted, and what orders them. */
import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import type { LaneColumns } from '../../lane/columns/lane-columns.js';
import { scanColumns } from '../../lane/columns/scan-columns.js';
import type { LaneContext } from '../../lane/message.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import type { Rows } from '../../plan/access-sets.js';
import { type Plan, planOf } from '../../plan/plan.js';
import { ProgramRunner } from '../../program/runner.js';
import type { Program } from '../../program/types.js';
import { StepMemory } from '../predict/step-memory.js';
import { BlockBudget } from '../tasks/block-weight.js';
import { CachingReader } from '../tasks/caching-reader.js';
import { AT, HEAD } from '../tasks/row-records.js';
import { RowTasks } from '../tasks/row-tasks.js';
import { BlockMemory } from './block-memory.js';
import { KernelCalls } from './kernel-calls.js';
import { Predictions } from './predictions.js';
import { callsOf } from './row-calls.js';
import { RowGroups } from './row-groups.js';
import { RowTable } from './row-table.js';
import { RowWork } from './row-work.js';
import { independentRows } from './run-part.js';

/** A block that nothing but its dry runs has happened to. */
export interface PlannedRows {
  readonly columns: LaneColumns;
  /** By node of `plan`: the rows that could be dry-run. */
  readonly rows: Uint32Array;
  /** Of these, without the keys that are predicted: as worker threads would run them, knowing of no block before. */
  readonly plan: Plan;
  /** By row: 1 where it would run again with a value that is predicted. */
  readonly isPredicted: Uint8Array;
  /** The program that `row` calls, as its only message of the common kind; undefined: it is of another kind. */
  programOf(row: number): Program | undefined;
  /** Whether the dry run of `row` could stand if no earlier row changes what it read. */
  isReusable(row: number): boolean;
  /** Keys that `row`, one of `rows`, touched or declared: each once, ascending. */
  keysOf(row: number): { readonly reads: LaneKey[]; readonly writes: LaneKey[] };
  /** The keys for which node `node` of `plan` follows node `before`, ascending: one of both writes each. */
  sharedKeys(before: number, node: number): LaneKey[];
}

/** Plans the lane of `block` over the state `before` it. */
export async function planRows(block: BlockOffsets, context: LaneContext, before: StateReader): Promise<PlannedRows> {
  const reader = new CachingReader(before);
  const columns = scanColumns(block, reader);
  const table = new RowTable(columns.count, reader.unkept);
  const budget = new BlockBudget(Number.POSITIVE_INFINITY);
  const all = { from: 0, to: columns.count };
  const rows = independentRows(columns, all);
  const work = new RowWork(() => new RowTasks(0, columns, context, reader, new ProgramRunner()), undefined);
  const groups = new RowGroups(columns);
  await work.run(groups.inOrder(rows), table, budget);
  const sets = table.accessSets(rows);
  const calls = callsOf(columns, all, rows, context.dependent);
  const predictions = new Predictions(rows, sets, table, new StepMemory(), budget, calls);
  const isPredicted = new Uint8Array(columns.count);
  for (const row of rows) if (predictions.changes(row)) isPredicted[row] = 1;
  const keysOf = (row: number) => keysOfRecord(table, row);
  const ordering = predictions.without(sets);
  const sharedKeys = (before: number, node: number): LaneKey[] => {
    const [earlier, later] = [before, node].map((of) => ({
      reads: rowOf(ordering.reads, of),
      writes: rowOf(ordering.writes, of),
    }));
    const shared = [...later.reads, ...later.writes].filter((key) => earlier.writes.has(key));
    for (const key of later.writes) if (earlier.reads.has(key)) shared.push(key);
    return [...new Set(shared)].map((key) => table.state.keyText(key)).sort();
  };
  const memory = new BlockMemory();
  const called = new KernelCalls({ seed: 0, columns, context, table, groups, predictions, memory });
  const programOf = (row: number) => called.programOf(row);
  const isReusable = (row: number) => !table.hasAsked(row) && !predictions.changes(row);
  return { columns, rows, plan: planOf(ordering), isPredicted, programOf, isReusable, keysOf, sharedKeys };
}

function rowOf({ offsets, values }: Rows, node: number): ReadonlySet<number> {
  return new Set(values.subarray(offsets[node], offsets[node + 1]));
}

function keysOfRecord(table: RowTable, row: number): { reads: LaneKey[]; writes: LaneKey[] } {
  const { list } = table.words;
  const at = table.recordOf(row);
  const readEnd = at + HEAD + list[at + AT.reads] + list[at + AT.declaredReads];
  const writeEnd = readEnd + list[at + AT.writes] + list[at + AT.declaredWrites];
  const named = (from: number, to: number): LaneKey[] =>
    [...new Set(Array.from(list.subarray(from, to), (key) => table.state.keyText(key)))].sort();
  return { reads: named(at + HEAD, readEnd), writes: named(readEnd, writeEnd) };
}
