/** Phase 2 for rows: what no dry run can stand for runs in batches, each over what the ones before have left. */
import type { GpuOutcomes } from '../../gpu/pack/types.js';
import { addValue, COUNTS } from '../../lane/distribution.js';
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import type { Plan } from '../../plan/plan.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import { AT, HEAD, type RowOverrides } from '../tasks/row-records.js';
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';
import type { BlockKernel } from './block-kernel.js';
import { overridesOf } from './overrides.js';
import type { Predictions } from './predictions.js';
import { type Segment, withoutKernel } from './route.js';
import type { RowGroups } from './row-groups.js';
import type { RowTable } from './row-table.js';
import { NO_VERSION, type RowVersions } from './row-versions.js';
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
  /** By its dry run; the kernel has run its call, and it is gone through with the outcome at its turn. */
  kernel: 4,
} as const;

export interface BatchInputs {
  /** Rows by node of the plan. */
  readonly rows: Uint32Array;
  readonly plan: Plan;
  /** Of reads; the plan does not order rows by these keys. */
  readonly predictions: Predictions | undefined;
  readonly table: RowTable;
  readonly versions: RowVersions;
  readonly work: RowWork;
  readonly groups: RowGroups;
  readonly budget: BlockBudget;
  readonly statistics: LaneStatistics;
  /** undefined: the block does not use it. */
  readonly kernel: BlockKernel | undefined;
}

/**
 * Runs the rows of the plan in batches as far as the kernel runs some of them, or a batch has work for several threads:
 * the rest runs as well in block order. Returns, by row, one of {@link FOUND}. Throws `BlockTooLarge` if the records
 * exceed the budget.
 */
export async function runBatches(inputs: BatchInputs): Promise<Uint8Array> {
  const run = new BatchRun(inputs);
  await run.run();
  return run.found;
}

class BatchRun {
  readonly found: Uint8Array;
  /** What rows see in place of the state before the block. */
  readonly #overrides = (piece: Uint32Array): RowOverrides => {
    const { table, versions, predictions } = this.inputs;
    return overridesOf(piece, table, versions, predictions);
  };

  /** What threads have begun with. */
  #early: { readonly nodes: ReadonlySet<number>; readonly done: Promise<void> } | undefined;

  constructor(readonly inputs: BatchInputs) {
    this.found = new Uint8Array(inputs.groups.count);
  }

  async run(): Promise<void> {
    const { rows, plan, kernel, work } = this.inputs;
    for (let node = 0; node < rows.length; node++) {
      const isFree = plan.colouring.colours[node] === 1 && !this.#runsAgain(rows[node]);
      this.found[rows[node]] = isFree ? FOUND.dryRun : FOUND.inTurn;
    }
    const colours = nodesByColour(plan);
    const isReusable = (node: number): boolean => !this.#runsAgain(rows[node]);
    let segments: readonly Segment[] | undefined;
    try {
      segments = await kernel?.begin(plan, colours, isReusable, this.#begin);
    } catch (error) {
      await this.#early?.done.catch(() => undefined);
      throw error;
    }
    segments ??= withoutKernel(colours);
    const onThreads = work.threads === 0 ? 0 : this.#lastWide(colours);
    const last = Math.max(onThreads, lastOnKernel(segments), this.#early === undefined ? 0 : 1);
    let first = 0;
    for (const segment of segments) {
      await this.#segment(segment, first, last);
      first += segment.colours.length;
    }
  }

  /** Threads begin with `nodes` of the first colour, while this thread writes calls for the kernel. */
  readonly #begin = (nodes: readonly number[]): void => {
    const done = this.#runStale(nodes);
    // Heard of when the first colour's turn comes.
    done.catch(() => undefined);
    this.#early = { nodes: new Set(nodes), done };
  };

  /** Runs a segment whose first colour is number `first`, as far as its colours are below `last`. */
  async #segment(segment: Segment, first: number, last: number): Promise<void> {
    const { kernel } = this.inputs;
    // Runs while threads do its other colours; a failure is handled when those are done.
    const running = kernel?.run(segment);
    for (const [i, { cpu, gpu }] of segment.colours.entries()) {
      if (first + i >= last) break;
      const nodes = running === undefined && gpu.length > 0 ? [...cpu, ...gpu].sort((a, b) => a - b) : cpu;
      // Nobody asks what the last ones have written before it is their turn.
      await this.#onThreads(nodes, first + i + 1 < last || kernel !== undefined);
    }
    if (kernel === undefined) return;
    const outcomes = running && (await kernel.outcomes(running));
    const isLast = first + segment.colours.length >= last;
    const isTold = outcomes !== undefined && this.#tellThreads(segment, outcomes);
    if (outcomes !== undefined && isLast && !isTold && kernel.keepsForTurns(segment, outcomes))
      this.#leaveToTurns(segment);
    else if (outcomes !== undefined) await this.#takeSegment(kernel, segment, outcomes, isTold, isLast);
    else if (running !== undefined) for (const { gpu } of segment.colours) await this.#onThreads(gpu, true);
    kernel.publish(segment);
  }

  /** No batch follows, so nobody wants to know what its rows have written before it is their turn. */
  #leaveToTurns(segment: Segment): void {
    const { rows } = this.inputs;
    for (const { gpu } of segment.colours) {
      for (const node of gpu) this.found[rows[node]] = FOUND.kernel;
      if (gpu.length > 0) this.#count('kernel', gpu.length);
    }
  }

  /** Tells the threads what the kernel has found, if there are any and they can go through its rows. */
  #tellThreads({ colours }: Segment, outcomes: GpuOutcomes): boolean {
    const { pool } = this.inputs.work;
    if (pool === undefined || !colours.some(({ gpu }) => gpu.length >= FEWEST_FOR_WORKERS)) return false;
    const shared = outcomes.shared?.();
    if (shared !== undefined) pool.tellOutcomes(shared);
    return shared !== undefined;
  }

  async #takeSegment(
    kernel: BlockKernel,
    segment: Segment,
    outcomes: GpuOutcomes,
    isTold: boolean,
    isLast: boolean,
  ): Promise<void> {
    const { rows, work } = this.inputs;
    const behind = isLast ? segment.colours.findLast(({ gpu }) => gpu.length > 0) : undefined;
    let number = 0;
    for (const colour of segment.colours) {
      const { gpu } = colour;
      if (gpu.length === 0) continue;
      const onThreads = isTold && gpu.length >= FEWEST_FOR_WORKERS;
      const left = new Set(
        onThreads
          ? await kernel.takeOnThreads(gpu, number, outcomes, work, this.#overrides)
          : kernel.take(gpu, number, outcomes),
      );
      number += gpu.length;
      this.#count('kernel', gpu.length);
      for (const node of gpu) if (!left.has(node)) this.found[rows[node]] = FOUND.batch;
      await this.#runStale([...left]);
      // Nobody asks what the last ones have written before it is their turn.
      if (colour === behind) break;
      for (const node of gpu) this.#keep(rows[node]);
    }
  }

  /** `isAsked`: others may want to know what they have written. */
  async #onThreads(nodes: readonly number[], isAsked: boolean): Promise<void> {
    if (nodes.length === 0) return;
    const early = this.#early;
    this.#early = undefined;
    await early?.done;
    await this.#runStale(early === undefined ? nodes : nodes.filter((node) => !early.nodes.has(node)));
    if (!isAsked) return;
    // Rows of one colour do not see each other.
    for (const node of nodes) this.#keep(this.inputs.rows[node]);
  }

  /** Runs those of `nodes` whose dry runs do not count. */
  async #runStale(nodes: readonly number[]): Promise<void> {
    const { rows, work, table, groups, budget, statistics, kernel } = this.inputs;
    const again: number[] = [];
    for (const node of nodes) {
      const row = rows[node];
      if (this.#runsAgain(row) || !this.#isCurrent(row)) again.push(row);
      else this.found[row] = FOUND.dryRun;
    }
    if (again.length === 0) return;
    const started = performance.now();
    const ordered = groups.inOrder(Uint32Array.from(again));
    const where = await work.run(ordered, table, budget, this.#overrides);
    for (const row of again) this.found[row] = FOUND.batch;
    kernel?.ranOnThreads(ordered, performance.now() - started, where);
    addMs(statistics, 'cpu', started);
    this.#count('workers', ordered.length);
  }

  #count(executor: 'workers' | 'kernel', width: number): void {
    const { statistics } = this.inputs;
    statistics.batches++;
    addValue(statistics.widths, executor, COUNTS, width);
  }

  #runsAgain(row: number): boolean {
    const { table, predictions } = this.inputs;
    return table.hasAsked(row) || (predictions?.changes(row) ?? false);
  }

  /** Whether all that the record of `row` read is what it reads among the versions. */
  #isCurrent(row: number): boolean {
    const { table, versions } = this.inputs;
    const { list } = table.words;
    const at = table.recordOf(row);
    const seen = table.seenOf(row);
    for (let i = 0; i < list[at + AT.reads]; i++) {
      const key = list[at + HEAD + i];
      const version = versions.find(key, row);
      if (version === NO_VERSION) continue;
      const [start, end] = [versions.start(version), versions.end(version)];
      if (!table.isSeen(key, seen === 0 ? 0 : seen + 2 * i, start, end)) return false;
    }
    return true;
  }

  #keep(row: number): void {
    const { table, versions } = this.inputs;
    const { list } = table.words;
    const keys = table.writesOf(row);
    const values = table.valuesOf(row);
    const count = list[table.recordOf(row) + AT.writes];
    for (let i = 0; i < count; i++) versions.put(row, list[keys + i], list[values + 2 * i], list[values + 2 * i + 1]);
  }

  /** Number of the first colours behind which none has work for several threads. */
  #lastWide(colours: readonly (readonly number[])[]): number {
    for (let colour = colours.length - 1; colour > 0; colour--) {
      if (colours[colour].length >= FEWEST_FOR_WORKERS) return colour + 1;
    }
    let again = 0;
    for (const node of colours[0] ?? []) {
      if (this.#runsAgain(this.inputs.rows[node]) && ++again === FEWEST_FOR_WORKERS) return 1;
    }
    return 0;
  }
}

function nodesByColour({ colouring }: Plan): number[][] {
  const colours: number[][] = colouring.widths.map(() => []);
  for (let node = 0; node < colouring.colours.length; node++) colours[colouring.colours[node] - 1].push(node);
  return colours;
}

/** Number of the first colours behind which the kernel runs none. */
function lastOnKernel(segments: readonly Segment[]): number {
  const colours = segments.flatMap((segment) => segment.colours);
  return colours.findLastIndex(({ gpu }) => gpu.length > 0) + 1;
}
