/** Phase 2 for rows: what no dry run can stand for runs in batches, each over what the ones before have left. */
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import type { Plan } from '../../plan/plan.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import { AT, HEAD, type RowOverrides, Words } from '../tasks/row-records.js';
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';
import type { RowGroups } from './row-groups.js';
import type { RowTable } from './row-table.js';
import { NO_VERSION, RowVersions } from './row-versions.js';
import type { RowWork } from './row-work.js';

/** How the record of a row came about. */
export const FOUND = {
  /** There is none: it runs at its turn, after all before it. */
  notRun: 0,
  /** By its dry run, which counts if all it read holds. */
  dryRun: 1,
  /** By a run in a batch. */
  batch: 2,
  /** By its dry run; if that does not count, nothing is lost by running it at its turn. */
  inTurn: 3,
} as const;

export interface RowPlan {
  /** Rows by node of the plan. */
  readonly rows: Uint32Array;
  readonly plan: Plan;
}

/**
 * Runs the rows of `plan` in batches as far as a batch has work for several threads: the rest runs as well in block
 * order. Returns, by row, one of {@link FOUND}. Throws `BlockTooLarge` if the records exceed the budget.
 */
export async function runBatches(
  rowPlan: RowPlan,
  table: RowTable,
  work: RowWork,
  groups: RowGroups,
  budget: BlockBudget,
  statistics: LaneStatistics,
): Promise<Uint8Array> {
  const { rows, plan } = rowPlan;
  const found = new Uint8Array(groups.count);
  for (let node = 0; node < rows.length; node++) {
    const isFree = plan.colouring.colours[node] === 1 && !table.hasAsked(rows[node]);
    found[rows[node]] = isFree ? FOUND.dryRun : FOUND.inTurn;
  }
  const colours = nodesByColour(plan);
  const wide = work.threads === 0 ? 0 : lastWide(colours, rows, table);
  const versions = new RowVersions();
  for (let colour = 0; colour < wide; colour++) {
    const again: number[] = [];
    for (const node of colours[colour]) {
      const row = rows[node];
      if (table.hasAsked(row) || (colour > 0 && !isCurrent(row, table, versions))) again.push(row);
      else found[row] = FOUND.dryRun;
    }
    if (again.length > 0) {
      const started = performance.now();
      const ordered = groups.inOrder(Uint32Array.from(again));
      const overrides = (piece: Uint32Array): RowOverrides => overridesOf(piece, table, versions);
      await work.run(ordered, table, budget, overrides);
      for (const row of again) found[row] = FOUND.batch;
      addMs(statistics, 'cpu', started);
      statistics.batches++;
    }
    // Rows of one colour do not see each other.
    for (const node of colours[colour]) keep(rows[node], table, versions);
  }
  return found;
}

function nodesByColour({ colouring }: Plan): number[][] {
  const colours: number[][] = colouring.widths.map(() => []);
  for (let node = 0; node < colouring.colours.length; node++) colours[colouring.colours[node] - 1].push(node);
  return colours;
}

/** Number of the first colours behind which none has work for several threads. */
function lastWide(colours: readonly (readonly number[])[], rows: Uint32Array, table: RowTable): number {
  for (let colour = colours.length - 1; colour > 0; colour--) {
    if (colours[colour].length >= FEWEST_FOR_WORKERS) return colour + 1;
  }
  const asked = colours[0]?.filter((node) => table.hasAsked(rows[node])).length ?? 0;
  return asked >= FEWEST_FOR_WORKERS ? 1 : 0;
}

/** Whether all that the record of `row` read is what it reads among the versions. */
function isCurrent(row: number, table: RowTable, versions: RowVersions): boolean {
  const { list } = table.words;
  const at = table.recordOf(row);
  const seen = table.seenOf(row);
  for (let i = 0; i < list[at + AT.reads]; i++) {
    const key = list[at + HEAD + i];
    const version = versions.find(key, row);
    if (version === NO_VERSION) continue;
    if (!table.isSeen(key, seen === 0 ? 0 : seen + 2 * i, versions.start(version), versions.end(version))) return false;
  }
  return true;
}

function keep(row: number, table: RowTable, versions: RowVersions): void {
  const { list } = table.words;
  const keys = table.writesOf(row);
  const values = table.valuesOf(row);
  const count = list[table.recordOf(row) + AT.writes];
  for (let i = 0; i < count; i++) versions.put(row, list[keys + i], list[values + 2 * i], list[values + 2 * i + 1]);
}

/**
 * What `rows` must see of the versions: keys of their access sets that the block has written before them. Any other key
 * is read as it was before the block; if that is stale, it is found at the row's turn.
 */
function overridesOf(rows: Uint32Array, table: RowTable, versions: RowVersions): RowOverrides {
  const { list } = table.words;
  const { state } = table;
  const ends = new Uint32Array(rows.length);
  const places = new Words();
  const parts = new Words();
  let length = 0;
  const put = (start: number, end: number): void => {
    parts.push(start);
    parts.push(end);
    places.push(length);
    length += end - start;
    places.push(length);
  };
  for (let i = 0; i < rows.length; i++) {
    const at = table.recordOf(rows[i]);
    const reads = list[at + AT.reads] + list[at + AT.declaredReads];
    const keys = reads + list[at + AT.writes] + list[at + AT.declaredWrites];
    for (let k = at + HEAD; k < at + HEAD + keys; k++) {
      const version = versions.find(list[k], rows[i]);
      if (version === NO_VERSION) continue;
      put(state.keyStart(list[k]), state.keyEnd(list[k]));
      put(versions.start(version), versions.end(version));
    }
    ends[i] = places.length;
  }
  const bytes = new Uint8Array(length);
  for (let i = 0, at = 0; i < parts.length; i += 2) {
    bytes.set(state.bytes.subarray(parts.list[i], parts.list[i + 1]), at);
    at += parts.list[i + 1] - parts.list[i];
  }
  return { ends, words: places.taken(), bytes };
}
