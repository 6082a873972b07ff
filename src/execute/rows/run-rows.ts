/**
 * A block of rows from their dry runs to receipts and writes: what the engine does with columns. Blocks as they are on
 * the chain run as a whole. A larger one runs in parts, each over what those before it have written, so that what is
 * known of rows at one time has room in the budget.
 */
import type { LaneColumns } from '../../lane/columns/lane-columns.js';
import { transactionAt } from '../../lane/columns/lane-columns.js';
import type { LaneContext } from '../../lane/message.js';
import { noNotes } from '../../lane/notes.js';
import type { ReceiptList } from '../../lane/receipt-list.js';
import type { RunReason } from '../../lane/run-reason.js';
import { addMs, addStatistics, emptyStatistics, type LaneStatistics } from '../../lane/statistics.js';
import type { LaneBlockResult, LaneOutcome } from '../../lane/types.js';
import { type Plan, summariseParts } from '../../plan/plan.js';
import type { ProgramRunner } from '../../program/runner.js';
import type { PackedMap } from '../../util/packed-map.js';
import type { StepMemory } from '../predict/step-memory.js';
import { type OnOutcome, resultOf } from '../run/block-result.js';
import { dropVoidDeletions } from '../run/merge-writes.js';
import { BlockBudget, BlockTooLarge, KeptBudget } from '../tasks/block-weight.js';
import { CachingReader } from '../tasks/caching-reader.js';
import { type SharedWrites, shareWrites, WrittenState } from '../tasks/written-state.js';
import type { WorkerPool } from '../threads/worker-pool.js';
import type { KernelUse } from './block-kernel.js';
import type { BlockMemory } from './block-memory.js';
import { PartSizes, type RowRange } from './part-sizes.js';
import { RowGroups } from './row-groups.js';
import { type PartResult, runPart } from './run-part.js';

export interface RowsInputs {
  readonly columns: LaneColumns;
  readonly context: LaneContext;
  readonly before: CachingReader;
  readonly runner: ProgramRunner;
  /** It has begun the block. */
  readonly pool: WorkerPool | undefined;
  /** Bytes that what is known of the rows may take; of each part, where they are run in parts. */
  readonly mostBytes: number;
  readonly statistics: LaneStatistics;
  /** Whether only rows whose dry run was clean run in batches. */
  readonly cleanOnly: boolean;
  readonly onOutcome: OnOutcome | undefined;
  /** Of the blocks before; undefined: no read is predicted. */
  readonly steps: StepMemory | undefined;
  /** Of the blocks before. */
  readonly memory: BlockMemory;
  /** undefined: the block does not use the kernel. */
  readonly kernel: KernelUse | undefined;
  /** Why threads run what they run in batches, where the kernel says nothing else. */
  readonly inBatches: RunReason;
}

/** Runs the block. Throws `BlockTooLarge` when what is known of its rows takes more than the budget. */
export async function runRows(inputs: RowsInputs): Promise<LaneBlockResult> {
  const run = new PartsRun(inputs);
  const { columns, onOutcome, before, statistics, context } = inputs;
  await run.run();
  const started = performance.now();
  const { receipts, writes } = run.joined();
  dropVoidDeletions(writes, (key) => before.get(key) !== undefined);
  // Not before it is certain that the block ends this way.
  for (const [row, outcome] of run.outcomes.entries()) onOutcome?.(transactionAt(columns, row), outcome);
  const summary = summariseParts(context.height, columns.count, statistics.demoted, run.plans, statistics);
  addMs(statistics, 'writes', started);
  return resultOf(writes, receipts, summary, statistics);
}

class PartsRun {
  readonly plans: Plan[] = [];
  readonly outcomes: LaneOutcome[] = [];
  readonly #groups: RowGroups;
  readonly #sizes: PartSizes;
  readonly #kept: KeptBudget;
  readonly #parts: PartResult[] = [];
  /** What the parts so far have written, in front of the state before the block. */
  readonly #written: WrittenState;
  #before: CachingReader;

  constructor(readonly inputs: RowsInputs) {
    this.#groups = new RowGroups(inputs.columns);
    this.#sizes = new PartSizes(inputs.mostBytes);
    this.#kept = new KeptBudget(inputs.mostBytes);
    this.#written = new WrittenState(inputs.before);
    this.#before = inputs.before;
  }

  async run(): Promise<void> {
    const { count } = this.inputs.columns;
    let from = 0;
    do {
      const range = this.#sizes.partAt(from, count);
      if (!(await this.#tryPart(range))) continue;
      from = range.to;
      const part = this.#parts.at(-1);
      if (part !== undefined && from < count) this.#kept.keep(part.writes.bytes + part.receipts.bytes, from, count);
    } while (from < count);
  }

  /** False: what is known of the part had no room, and a smaller one is to be tried. */
  async #tryPart(range: RowRange): Promise<boolean> {
    const { statistics, columns, mostBytes, onOutcome } = this.inputs;
    const own = { ...emptyStatistics(), notes: statistics.notes && noNotes() };
    const budget = new BlockBudget(mostBytes);
    const given = { ...this.inputs, range, groups: this.#groups, before: this.#before, budget, statistics: own };
    try {
      const colours = statistics.colours;
      const part = await runPart({ ...given, colours, keepsOutcomes: onOutcome !== undefined });
      addStatistics(statistics, own);
      this.#keep(part);
      this.#sizes.took(range, budget.taken);
      if (range.to < columns.count) this.#next(shareWrites(part.writes));
      return true;
    } catch (error) {
      if (!(error instanceof BlockTooLarge)) throw error;
      const { ms, gpuFailures } = own;
      addStatistics(statistics, { ...emptyStatistics(), ms, gpuFailures });
      if (!this.#sizes.shrink(range)) throw error;
      this.#next(undefined);
      return false;
    }
  }

  #keep(part: PartResult): void {
    this.#parts.push(part);
    this.plans.push(part.plan);
    this.outcomes.push(...part.outcomes);
  }

  /** Another part begins, here and on the workers; `writes`: those of the part that has ended. */
  #next(writes: SharedWrites | undefined): void {
    if (writes !== undefined) this.#written.add(writes);
    if (writes !== undefined) this.#before = new CachingReader(this.#written);
    this.inputs.pool?.next(writes);
  }

  /** Receipts and writes of all parts, each once. */
  joined(): { readonly receipts: ReceiptList; readonly writes: PackedMap } {
    const [{ receipts, writes }, ...others] = this.#parts;
    for (const part of others) {
      receipts.append(part.receipts);
      for (const address of part.writes.addresses()) writes.setEntry(part.writes.read(address));
    }
    return { receipts, writes };
  }
}
