/** The parallel lane of one block, from the raw transactions to the writes and receipts. */

import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { Block } from '../bitcoin/types.js';
import { type ErrorCode, WarpshrewError } from '../errors/errors.js';
import type { KernelFailure } from '../gpu/device/kernel-failures.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { type LaneColumns, sharedColumns } from '../lane/columns/lane-columns.js';
import type { ScanAhead } from '../lane/columns/scan-ahead.js';
import type { KnownSheets } from '../lane/columns/scan-columns.js';
import type { LaneContext } from '../lane/message.js';
import type { DependentRule, Policy } from '../lane/policy.js';
import { type ExecutionDetails, IN_TURN, makeReceipt } from '../lane/receipt.js';
import type { LaneTransaction } from '../lane/scan.js';
import { addMs, emptyStatistics, type LaneStatistics } from '../lane/statistics.js';
import type { LaneBlockResult, LaneKey, LaneOutcome, StateReader } from '../lane/types.js';
import { makePlan, summarise } from '../plan/plan.js';
import { findDemoted } from '../plan/utxo-dependencies.js';
import { ProgramRunner } from '../program/runner.js';
import { freeMemoryOf } from '../util/free-memory.js';
import { accessSetOf, dryRunAll } from './analyse/dry-run.js';
import type { PlannedBlock } from './analyse/planned-block.js';
import type { ModeChooser } from './choose/block-mode.js';
import { Choice } from './choose/choice.js';
import type { CostPlace } from './choose/cost-keeper.js';
import { CostModel } from './choose/cost-model.js';
import type { SequentialWatch } from './choose/sequential-watch.js';
import { runOneByOne } from './one-by-one.js';
import { StepMemory } from './predict/step-memory.js';
import { runRows } from './rows/run-rows.js';
import { finish } from './run/block-result.js';
import { mergeWrites } from './run/merge-writes.js';
import { runPlan } from './run/schedule.js';
import { validateAndRepair } from './run/validate.js';
import { Versions } from './run/versions.js';
import { Scanned } from './scanned.js';
import { BlockTasks, type DryRun, type Recording } from './tasks/block-tasks.js';
import { BlockBudget, BlockTooLarge, MOST_BLOCK_BYTES } from './tasks/block-weight.js';
import { CachingReader } from './tasks/caching-reader.js';
import type { WorkWatch } from './tasks/work-watch.js';
import { FEWEST_FOR_WORKERS, WorkerPool } from './threads/worker-pool.js';
import { beginning } from './threads/worker-protocol.js';

export interface LaneEngineOptions {
  readonly policy: Policy;
  /** Worker threads; 0: everything in this thread. Cores - 1 (at least 1) if not given. */
  readonly workers?: number;
  readonly gpu?: GpuExecutor;
  readonly laneStartHeight: number;
  readonly dependent: DependentRule;
  /** What things cost, for `auto`; measured from a first guess on if not given. */
  readonly costs?: CostModel;
  /** How `auto` runs a block; learned from what blocks took if not given. */
  readonly modes?: ModeChooser;
  /** Where what `auto` has learned survives a restart; nowhere if not given. */
  readonly costPlace?: CostPlace;
  /** Hears why a record of costs was dropped, or could not be kept; each reason once. */
  readonly onCostsLost?: (why: string) => void;
  /** Whether reads of hot keys are predicted, so that those who change them run together; true if not given. */
  readonly predictReads?: boolean;
  /** Told which transactions are run; looked at from other threads. */
  readonly watch?: WorkWatch;
  /** Bytes that the outcomes of a block may take in batches, by an estimate; 64 MiB if not given. */
  readonly mostBlockBytes?: number;
  /** Under `gpu`, waits until kernels are compiled, however long it takes: for tests and measurements. */
  readonly waitForKernels?: boolean;
  /** Hears once of every program that lost its kernel to a failure; the CPU runs it. */
  readonly onKernelFailure?: (failure: KernelFailure) => void;
  /** Hears of every failure of the kernel as a whole; the block goes on on the CPU. */
  readonly onGpuFailure?: (error: unknown) => void;
  /** Hears what became of each lane transaction, in block order, before the result of the block is handed out. */
  readonly onOutcome?: (transaction: LaneTransaction, outcome: LaneOutcome) => void;
}

/**
 * The state before a block. Workers read it through `storeHandle`, or from `snapshot`; with neither, nothing runs on
 * them.
 */
export interface StateSource {
  readonly reader: StateReader;
  readonly storeHandle?: bigint;
  readonly snapshot?: ReadonlyMap<LaneKey, Uint8Array>;
  /** What was found of a block given as offsets before its turn came, as far as it was. */
  readonly scan?: ScanAhead;
  readonly sheets?: KnownSheets;
}

export interface EngineHealth {
  /** `lost`: the device went away or hung, and every batch runs on the CPU from then on. */
  readonly gpu: 'none' | 'in use' | 'lost';
  /** Times the kernel failed as a whole; those blocks were finished on the CPU. */
  readonly gpuFailures: number;
  /** Code of the last of these failures. */
  readonly lastGpuFailure: ErrorCode | undefined;
  /** Programs that lost their kernels to a failure of translation, driver or packing, and the last of them. */
  readonly kernelFailures: number;
  readonly lastKernelFailure: KernelFailure | undefined;
  /** Records of what `auto` had learned that were dropped or could not be kept, and why the last one was. */
  readonly costLosses: number;
  readonly lastCostLoss: string | undefined;
}

/**
 * Runs blocks, one after the other, under one policy. Whatever the policy, the writes and receipts (but for how they
 * were run: `ExecutionDetails`) are those of the sequential executor.
 */
export class LaneEngine {
  readonly #options: LaneEngineOptions;
  readonly #runner = new ProgramRunner();
  #pool: WorkerPool | undefined;
  readonly #costs: CostModel;
  readonly #steps: StepMemory | undefined;
  readonly #choice: Choice;
  /** Whether the block under way may use the kernel, if there is one. */
  #usesKernel = true;
  #gpuLost = false;
  #gpuFailures = 0;
  #lastGpuFailure: ErrorCode | undefined;

  constructor(options: LaneEngineOptions) {
    this.#options = options;
    this.#costs = options.costs ?? new CostModel();
    this.#steps = options.predictReads === false ? undefined : new StepMemory();
    const { gpu, onKernelFailure } = options;
    if (onKernelFailure !== undefined) gpu?.onKernelFailure(onKernelFailure);
    this.#choice = new Choice(options, this.#costs, this.#threads, () => this.#gpu());
  }

  /** Runs the lane of `block`; changes nothing outside. `state` must not change meanwhile. */
  async processBlock(block: Block | BlockOffsets, height: number, state: StateSource): Promise<LaneBlockResult> {
    const statistics = emptyStatistics();
    const before = new CachingReader(state.reader);
    const context = this.#contextOf(block, height);
    const started = performance.now();
    const lane = new Scanned(block, before, state.scan, state.sheets);
    addMs(statistics, 'scan', started);
    const { policy } = this.#options;
    if (policy === 'sequential') return this.#sequential(lane, context, before, statistics);
    return this.#choose(lane, context, before, state, statistics);
  }

  /** The way that seems the faster one. */
  async #choose(
    lane: Scanned,
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
  ): Promise<LaneBlockResult> {
    const choice = this.#choice;
    const run = choice.begin(lane, before);
    const pool = choice.wantsWorkers ? this.#poolFor(lane.count, state) : undefined;
    // Threads that are being started would only be waited for.
    if (run.mode !== 'sequential' && (choice.isForced || pool?.isReady !== false)) {
      this.#usesKernel = run.mode === 'kernel';
      const result = await this.#batchesIfTheyFit(lane, context, before, state, statistics);
      run.ended(run.mode);
      return result;
    }
    const result = this.#sequential(lane, context, before, statistics, run.watch());
    run.ended('sequential');
    if (choice.wantsWorkers) this.#poolFor(lane.count, state);
    return result;
  }

  /** In batches, or one at a time where the outcomes of the batches would take too much memory. */
  async #batchesIfTheyFit(
    lane: Scanned,
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
  ): Promise<LaneBlockResult> {
    try {
      const { columns } = lane;
      const run =
        columns !== undefined && this.#blockGpu === undefined
          ? this.#rows(columns, context, before, state, statistics)
          : this.#parallel(lane.transactions, context, before, state, statistics);
      return await run.finally(() => this.#pool?.end());
    } catch (error) {
      if (!(error instanceof BlockTooLarge)) throw error;
      const { ms, gpuFailures } = statistics;
      const again: LaneStatistics = { ...emptyStatistics(), ms, gpuFailures, tooLarge: 1 };
      // What told so, a message of a worker with all that it found, is let go with the turn of the event loop it has.
      await turn();
      freeMemoryOf(this.#options.mostBlockBytes ?? MOST_BLOCK_BYTES);
      return this.#sequential(lane, context, before, again);
    }
  }

  /** In batches on the CPU, from columns. */
  #rows(
    columns: LaneColumns,
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
  ): Promise<LaneBlockResult> {
    const pool = this.#poolFor(columns.count, state);
    pool?.begin(beginning(context, state, undefined, sharedColumns(columns)));
    const budget = new BlockBudget(this.#options.mostBlockBytes);
    const { onOutcome } = this.#options;
    const given = { columns, context, before, pool, budget, statistics, onOutcome };
    return runRows({ ...given, runner: this.#runner, memory: this.#steps });
  }

  #sequential(
    lane: Scanned,
    context: LaneContext,
    before: CachingReader,
    statistics: LaneStatistics,
    watch?: SequentialWatch,
  ): LaneBlockResult {
    const started = performance.now();
    const result = runOneByOne(lane, context, before, this.#runner, statistics, this.#options.onOutcome, watch);
    addMs(statistics, 'sequential', started);
    return result;
  }

  /** Phase 1 only: what `warpshrew plan` shows. */
  async planBlock(block: Block | BlockOffsets, height: number, state: StateSource): Promise<PlannedBlock> {
    const before = new CachingReader(state.reader);
    const context = this.#contextOf(block, height);
    const budget = new BlockBudget(Number.POSITIVE_INFINITY);
    this.#usesKernel = true;
    const { transactions } = new Scanned(block, before);
    return this.#analyse(transactions, context, before, state, emptyStatistics(), budget);
  }

  /** What operators should know: whether the kernel is used, and how often it has failed. */
  get health(): EngineHealth {
    const { gpu } = this.#options;
    const state = gpu === undefined ? 'none' : this.#gpuLost ? 'lost' : 'in use';
    const kernels = gpu?.kernelFailures;
    return {
      gpu: state,
      gpuFailures: this.#gpuFailures,
      lastGpuFailure: this.#lastGpuFailure,
      kernelFailures: kernels?.count ?? 0,
      lastKernelFailure: kernels?.last,
      ...this.#choice.losses,
    };
  }

  async close(): Promise<void> {
    this.#choice.keep();
    await this.#pool?.close();
    this.#pool = undefined;
  }

  #contextOf(block: { readonly raw: Uint8Array }, height: number): LaneContext {
    const { laneStartHeight, dependent, watch } = this.#options;
    return { height, block: block.raw, laneStartHeight, dependent, watch: watch?.thread(0) };
  }

  async #analyse(
    transactions: readonly LaneTransaction[],
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
    budget: BlockBudget,
  ): Promise<PlannedBlock> {
    let started = performance.now();
    const isDemoted = findDemoted(transactions);
    const planned = transactions.flatMap((_, position) => (isDemoted[position] ? [] : [position]));
    const pool = this.#poolFor(planned.length, state);
    const recording = this.#recording(planned.length, pool?.size ?? 0);
    const tasks = new BlockTasks(context, before, this.#runner, recording);
    pool?.begin(beginning(context, state, recording, undefined));
    const {
      runs: found,
      records,
      recordsOf,
    } = await dryRunAll(
      planned.map((position) => transactions[position]),
      tasks,
      pool,
      budget,
    );
    const dryRuns = new Array<DryRun | undefined>(transactions.length).fill(undefined);
    planned.forEach((position, i) => {
      dryRuns[position] = found[i];
      // They read the same state: what they saw need not be read here again.
      if (pool !== undefined) before.learn(found[i].outcome.reads);
    });
    addMs(statistics, 'dryRun', started);
    started = performance.now();
    const plan = makePlan(found.map(accessSetOf));
    addMs(statistics, 'plan', started);
    return { transactions, dryRuns, planned, plan, records, recordsOf, recordSeed: recording?.seed };
  }

  async #parallel(
    transactions: readonly LaneTransaction[],
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
  ): Promise<LaneBlockResult> {
    const budget = new BlockBudget(this.#options.mostBlockBytes);
    const block = await this.#analyse(transactions, context, before, state, statistics, budget);
    const { planned, plan } = block;
    const colourOf = new Uint32Array(transactions.length);
    planned.forEach((position, i) => {
      colourOf[position] = plan.colouring.colours[i];
    });
    const versions = new Versions(before);
    const scheduled = await runPlan(block, {
      policy: this.#options.policy,
      context,
      versions,
      runner: this.#runner,
      pool: this.#poolFor(planned.length, state),
      gpu: this.#blockGpu,
      costs: this.#costs,
      statistics,
      budget,
      waitsForKernels: this.#options.waitForKernels ?? false,
      onGpuFailure: (error) => this.#gpuFailed(error),
    });
    const started = performance.now();
    const executions = scheduled.map(
      (entry, position): ExecutionDetails => ({
        ...IN_TURN,
        colour: colourOf[position],
        executor: entry?.executor ?? 'sequential',
      }),
    );
    const outcomes = validateAndRepair(
      transactions,
      scheduled.map((entry) => entry?.outcome),
      context,
      versions,
      this.#runner,
      (position, outcome) => {
        budget.take(outcome);
        const repaired = scheduled[position] !== undefined;
        if (repaired) statistics.repaired++;
        executions[position] = { ...IN_TURN, colour: colourOf[position], repaired };
      },
    );
    addMs(statistics, 'validate', started);
    const { onOutcome } = this.#options;
    for (const [position, outcome] of outcomes.entries()) onOutcome?.(transactions[position], outcome);
    statistics.colours = plan.colouring.count;
    statistics.demoted = transactions.length - planned.length;
    const summary = summarise(context.height, transactions.length, statistics.demoted, plan);
    const receipts = outcomes.map((outcome, position) => makeReceipt(context.height, outcome, executions[position]));
    return finish(before, mergeWrites(outcomes), receipts, statistics, summary);
  }

  /** Which calls of a block of `count` planned transactions the kernel may be given. */
  #recording(count: number, threads: number): Recording | undefined {
    if (this.#blockGpu === undefined) return undefined;
    const programs = this.#options.policy === 'auto' ? this.#costs.worthRecording(count, threads) : undefined;
    return programs?.length === 0 ? undefined : { seed: randomBytes(4).readUInt32LE(), programs };
  }

  /** The kernel, if the policy may use it and the device still works; `auto` never takes a software driver for one. */
  #gpu(): GpuExecutor | undefined {
    const { policy, gpu } = this.#options;
    if (this.#gpuLost || policy === 'cpu' || policy === 'sequential') return undefined;
    return policy === 'auto' && gpu?.adapter.software === true ? undefined : gpu;
  }

  /** The kernel, if the block under way may use it. */
  get #blockGpu(): GpuExecutor | undefined {
    return this.#usesKernel ? this.#gpu() : undefined;
  }

  /** A lost device, or one that hangs, is not asked again; anything else ends the kernel for one block. */
  #gpuFailed(error: unknown): void {
    const code = error instanceof WarpshrewError ? error.code : 'INTERNAL';
    this.#gpuLost ||= code === 'GPU_DEVICE_LOST' || code === 'GPU_TIMEOUT';
    this.#gpuFailures++;
    this.#lastGpuFailure = code;
    this.#options.onGpuFailure?.(error);
  }

  /** Threads of the pool, if there is one. */
  get #threads(): number {
    return this.#options.workers ?? Math.max(1, availableParallelism() - 1);
  }

  /** The pool, if it is wanted, the state can be read from it and there is enough to do. */
  #poolFor(count: number, state: StateSource): WorkerPool | undefined {
    const size = this.#threads;
    if (size === 0 || count < FEWEST_FOR_WORKERS) return undefined;
    if (state.storeHandle === undefined && state.snapshot === undefined) return undefined;
    this.#pool ??= new WorkerPool(size, this.#options.watch?.buffer);
    return this.#pool;
  }
}
