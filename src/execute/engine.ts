/** The parallel lane of one block, from the raw transactions to the writes and receipts. */

import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { Block } from '../bitcoin/types.js';
import { WarpshrewError } from '../errors/errors.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { type LaneColumns, sharedColumns } from '../lane/columns/lane-columns.js';
import type { ScanAhead } from '../lane/columns/scan-ahead.js';
import type { KnownSheets } from '../lane/columns/scan-columns.js';
import { joinParts } from '../lane/columns/scan-parts.js';
import type { LaneContext } from '../lane/message.js';
import { noNotes } from '../lane/notes.js';
import { type DependentRule, type DryRunRule, type Policy, usesKernel } from '../lane/policy.js';
import type { RunReason } from '../lane/run-reason.js';
import type { LaneTransaction } from '../lane/scan.js';
import { addMs, emptyStatistics, type LaneStatistics } from '../lane/statistics.js';
import type { LaneBlockResult, LaneKey, LaneOutcome, StateReader } from '../lane/types.js';
import { ProgramRunner } from '../program/runner.js';
import { freeMemoryOf } from '../util/free-memory.js';
import { Balance, type CallDivider } from './choose/balance.js';
import type { ModeChooser } from './choose/block-mode.js';
import { Choice } from './choose/choice.js';
import type { CostPlace } from './choose/cost-keeper.js';
import { CostModel } from './choose/cost-model.js';
import { KernelPrograms } from './choose/kernel-programs.js';
import { Leaving } from './choose/leaving.js';
import type { SequentialWatch } from './choose/sequential-watch.js';
import { KernelMismatch } from './health/cross-check.js';
import type { EngineHealth } from './health/engine-health.js';
import { KernelDevice, type KernelDeviceOptions } from './health/kernel-device.js';
import { runOneByOne } from './one-by-one.js';
import { StepMemory } from './predict/step-memory.js';
import type { KernelUse } from './rows/block-kernel.js';
import { BlockMemory } from './rows/block-memory.js';
import { runRows } from './rows/run-rows.js';
import { Scanned } from './scanned.js';
import { BlockTooLarge, MOST_BLOCK_BYTES } from './tasks/block-weight.js';
import { CachingReader } from './tasks/caching-reader.js';
import { Walks } from './tasks/walks.js';
import type { WorkWatch } from './tasks/work-watch.js';
import { FEWEST_FOR_WORKERS, WorkerPool } from './threads/worker-pool.js';
import { beginning } from './threads/worker-protocol.js';

export interface LaneEngineOptions extends KernelDeviceOptions {
  readonly policy: Policy;
  /** Which transactions run in batches; DEFAULT_DRY_RUN if not given. */
  readonly dryRun?: DryRunRule;
  /** Worker threads; 0: everything in this thread. Cores - 1 (at least 1) if not given. */
  readonly workers?: number;
  readonly laneStartHeight: number;
  readonly dependent: DependentRule;
  /** What things cost, for `auto`; measured from a first guess on if not given. */
  readonly costs?: CostModel;
  /** How `balance` divides calls; learned from a first guess on if not given. */
  readonly balance?: CallDivider;
  /** How `auto` runs a block; learned from what blocks took if not given. */
  readonly modes?: ModeChooser;
  /** Where what `auto` or `balance` has learned survives a restart; nowhere if not given. */
  readonly costPlace?: CostPlace;
  /** Hears why a record of costs was dropped, or could not be kept; each reason once. */
  readonly onCostsLost?: (why: string) => void;
  /** Hears of each thread that cannot put programs away any more, and why: those are laid out anew for each run. */
  readonly onProgramFileLost?: (why: string) => void;
  /** Whether reads of hot keys are predicted, so that those who change them run together; true if not given. */
  readonly predictReads?: boolean;
  /** Told which transactions are run; looked at from other threads. */
  readonly watch?: WorkWatch;
  /** Bytes that the outcomes of a block may take in batches, by an estimate; 64 MiB if not given. */
  readonly mostBlockBytes?: number;
  /** Under `gpu` and `balance`, waits until kernels are compiled, however long it takes: for tests and measurements. */
  readonly waitForKernels?: boolean;
  /** Whether the statistics of blocks note what is worth telling of single transactions; not if not given. */
  readonly keepsNotes?: boolean;
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
  /** Whether the block is the last one that there is: somebody may be waiting for it. */
  readonly isTip?: boolean;
}

/** A thread takes some 20 MiB: blocks of few transactions do with few of them. */
const ROWS_PER_WORKER = 16;
/** Blocks of fewer transactions are hashed and scanned on the engine's own thread. */
const FEWEST_TO_SCAN = 1_000;
/** Divisions that are told: a program has one for each size of blocks. */
const MOST_DIVISIONS = 16;
const NOTHING_LEFT: ReadonlySet<string> = new Set();

/**
 * Runs blocks, one after the other, under one policy. Whatever the policy, the writes and receipts (but for how they
 * were run: `ExecutionDetails`) are those of the sequential executor.
 */
export class LaneEngine {
  readonly #options: LaneEngineOptions;
  readonly #runner = new ProgramRunner();
  readonly #walks = new Walks();
  #pool: WorkerPool | undefined;
  readonly #costs: CostModel;
  readonly #balance: CallDivider | undefined;
  readonly #steps: StepMemory | undefined;
  readonly #kernelPrograms = new KernelPrograms();
  /** Under `balance`. */
  readonly #leaving = new Leaving();
  readonly #memory = new BlockMemory();
  readonly #choice: Choice;
  readonly #device: KernelDevice;
  /** Whether the block under way may use the kernel, if there is one. */
  #usesKernel = true;
  /** Whether it may not because it takes too long. */
  #isHeld = false;
  /** Of pools that were closed. */
  #failedRehearsals = 0;
  #programFileLosses = 0;
  #lastProgramFileLoss: string | undefined;
  /** Whether that of this thread is counted. */
  #ownFileLost = false;

  constructor(options: LaneEngineOptions) {
    this.#options = options;
    this.#costs = options.costs ?? new CostModel();
    if (options.policy === 'balance') this.#balance = options.balance ?? new Balance();
    this.#steps = options.predictReads === false ? undefined : new StepMemory();
    this.#device = new KernelDevice({ onKernelQueue: (calls) => options.watch?.giveKernel(calls), ...options });
    const learned = { costs: this.#costs, programs: this.#kernelPrograms, balance: this.#balance };
    this.#choice = new Choice(options, learned, this.#threads, () => this.#gpu());
    // The policy `gpu` does not ask what anything costs.
    if (options.policy !== 'gpu' && this.#gpu() !== undefined && this.#costs.guessesLaunch) {
      this.#device.calibrate((us) => this.#costs.calibrated(us));
    }
  }

  /** Runs the lane of `block`; changes nothing outside. `state` must not change meanwhile. */
  async processBlock(block: Block | BlockOffsets, height: number, state: StateSource): Promise<LaneBlockResult> {
    try {
      return await this.#process(block, height, state);
    } catch (error) {
      if (!(error instanceof WarpshrewError && error.code === 'ENV_PROGRAM_FILE')) throw error;
      // A thread's file of programs is broken, which it does without from now on. Nothing of the block is done yet.
      this.#programFileLost(String(error.facts.reason ?? error.message));
      this.#ownFileLost = this.#runner.kept.notAway !== undefined;
      await this.#closePool();
      return await this.#process(block, height, state);
    }
  }

  async #process(block: Block | BlockOffsets, height: number, state: StateSource): Promise<LaneBlockResult> {
    const statistics: LaneStatistics = emptyStatistics();
    if (this.#options.keepsNotes === true) statistics.notes = noNotes();
    this.#device.blockBegins();
    const before = new CachingReader(state.reader, this.#walks);
    const context = this.#contextOf(block, height);
    const started = performance.now();
    const ahead = state.scan ?? (await this.#scanOnWorkers(block));
    const lane = new Scanned(block, before, ahead, state.sheets);
    addMs(statistics, 'scan', started);
    const { policy, dryRun } = this.#options;
    const result =
      policy === 'sequential' || dryRun === 'off'
        ? this.#sequential(lane, context, before, statistics, 'one-by-one')
        : await this.#choose(lane, context, before, state, statistics);
    const why = this.#runner.kept.notAway;
    if (why !== undefined && !this.#ownFileLost) this.#programFileLost(why);
    this.#ownFileLost = why !== undefined;
    return result;
  }

  readonly #programFileLost = (why: string): void => {
    this.#programFileLosses++;
    this.#lastProgramFileLoss = why;
    this.#options.onProgramFileLost?.(why);
  };

  /** What needs no state of a scan, made by the workers if there are any that wait for work and it is worth it. */
  async #scanOnWorkers(block: Block | BlockOffsets): Promise<ScanAhead | undefined> {
    const pool = this.#pool;
    if (pool === undefined || 'transactions' in block || block.count < FEWEST_TO_SCAN || !pool.canScan)
      return undefined;
    return joinParts(block, await pool.scan(block));
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
    const pool = choice.wantsWorkers ? this.#poolFor(lane.count, state) : undefined;
    const run = choice.begin(lane, before, pool);
    if (run.mode !== 'sequential') {
      this.#isHeld = run.mode === 'kernel' && this.#isHeldBack(lane.count, state);
      this.#usesKernel = run.mode === 'kernel' && !this.#isHeld;
      const result = await this.#batchesIfTheyFit(lane, context, before, state, statistics);
      run.ended(this.#usesKernel ? 'kernel' : 'workers');
      return result;
    }
    const watch = run.watch();
    if (pool !== undefined && run.rehearsal !== undefined) {
      run.rehearses(pool.rehearse(beginning(context, state, sharedColumns(lane.asColumns())), run.rehearsal));
    }
    this.#pool?.makeRoom(true);
    try {
      const result = this.#sequential(lane, context, before, statistics, 'one-by-one', watch);
      run.ended('sequential');
      if (choice.wantsWorkers) this.#poolFor(lane.count, state);
      return result;
    } finally {
      this.#pool?.makeRoom(false);
    }
  }

  /**
   * In batches, or one at a time where the outcomes of the batches would take too much memory, or the kernel and the
   * CPU disagree.
   */
  async #batchesIfTheyFit(
    lane: Scanned,
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
  ): Promise<LaneBlockResult> {
    try {
      return await this.#rows(lane.asColumns(), context, before, state, statistics).finally(() => this.#pool?.end());
    } catch (error) {
      // One result of the kernel was wrong: none of the block counts, also of its earlier parts.
      const isWrong = error instanceof KernelMismatch;
      if (!isWrong && !(error instanceof BlockTooLarge)) throw error;
      const { ms } = statistics;
      const gpuFailures = statistics.gpuFailures + (isWrong ? 1 : 0);
      const notes = statistics.notes && noNotes();
      const again: LaneStatistics = { ...emptyStatistics(), notes, ms, gpuFailures, tooLarge: isWrong ? 0 : 1 };
      if (isWrong) return this.#sequential(lane, context, before, again, 'again');
      // What told so, a message of a worker with all that it found, is let go with the turn of the event loop it has;
      // what the workers found goes with them.
      await turn();
      await this.#closePool();
      freeMemoryOf(this.#options.mostBlockBytes ?? MOST_BLOCK_BYTES);
      return this.#sequential(lane, context, before, again, 'again');
    }
  }

  /** In batches. */
  async #rows(
    columns: LaneColumns,
    context: LaneContext,
    before: CachingReader,
    state: StateSource,
    statistics: LaneStatistics,
  ): Promise<LaneBlockResult> {
    const pool = this.#poolFor(columns.count, state);
    const kernel = this.#kernelUseOf(columns.count);
    pool?.begin(beginning(context, state, sharedColumns(columns), kernel?.left));
    const { onOutcome, mostBlockBytes: mostBytes = MOST_BLOCK_BYTES } = this.#options;
    const given = { columns, context, before, pool, mostBytes, statistics, onOutcome, cleanOnly: this.#cleanOnly };
    const inBatches = this.#batchReason;
    const more = { runner: this.#runner, steps: this.#steps, memory: this.#memory, kernel, inBatches };
    const started = performance.now();
    const result = await runRows({ ...given, ...more });
    this.#leaving.took(performance.now() - started);
    return result;
  }

  /** Whether the kernel, if there is one, takes too long for so small a block. */
  #isHeldBack(transactions: number, { isTip = false }: StateSource): boolean {
    return this.#gpu() !== undefined && this.#device.load.holdsBack(transactions, isTip);
  }

  /** Why what threads run in batches is not the kernel's, as far as that holds for the whole block. */
  get #batchReason(): RunReason {
    if (this.#isHeld) return 'held-back';
    const { policy, dryRun } = this.#options;
    return usesKernel(policy, dryRun) && this.#device.isPaused ? 'paused' : 'batch';
  }

  /** The kernel, if the block under way, of so many rows, may use it. */
  #kernelUseOf(rows: number): KernelUse | undefined {
    const gpu = this.#blockGpu;
    if (gpu === undefined) return undefined;
    const { policy, waitForKernels } = this.#options;
    const programs = this.#kernelPrograms;
    // What is left to the kernel has no whole dry run.
    const mayBeLeft = this.#cleanOnly ? NOTHING_LEFT : programs.leftToKernel;
    const waits = this.#balance === undefined || this.#leaving.waits(mayBeLeft, rows);
    const left = waits ? mayBeLeft : NOTHING_LEFT;
    return {
      gpu,
      policy,
      costs: this.#costs,
      balance: this.#balance,
      programs,
      left,
      waitsForKernels: waitForKernels ?? false,
      device: this.#device,
      crossCheck: this.#device.crossCheck,
    };
  }

  #sequential(
    lane: Scanned,
    context: LaneContext,
    before: CachingReader,
    statistics: LaneStatistics,
    reason: RunReason,
    watch?: SequentialWatch,
  ): LaneBlockResult {
    const started = performance.now();
    const result = runOneByOne(lane, context, before, this.#runner, statistics, reason, this.#options.onOutcome, watch);
    addMs(statistics, 'sequential', started);
    return result;
  }

  /** What operators should know: whether the kernel is used, and how often it has failed. */
  get health(): EngineHealth {
    return {
      ...this.#device.figures,
      ...this.#choice.losses,
      divisions: this.#balance?.figures?.().slice(0, MOST_DIVISIONS) ?? [],
      programFileLosses: this.#programFileLosses,
      lastProgramFileLoss: this.#lastProgramFileLoss,
      failedRehearsals: this.#failedRehearsals + (this.#pool?.failedRehearsals ?? 0),
    };
  }

  async close(): Promise<void> {
    this.#choice.keep();
    await this.#closePool();
    await this.#device.close();
  }

  #contextOf(block: { readonly raw: Uint8Array }, height: number): LaneContext {
    const { laneStartHeight, dependent, watch } = this.#options;
    return { height, block: block.raw, laneStartHeight, dependent, watch: watch?.thread(0) };
  }

  /** The kernel, if the policy and its health allow it; `auto` never takes a software driver for one. */
  #gpu(): GpuExecutor | undefined {
    const { policy, dryRun } = this.#options;
    if (!usesKernel(policy, dryRun)) return undefined;
    const gpu = this.#device.usable;
    return policy === 'auto' && gpu?.adapter.software === true ? undefined : gpu;
  }

  get #cleanOnly(): boolean {
    return this.#options.dryRun === 'clean-only';
  }

  /** The kernel, if the block under way may use it. */
  get #blockGpu(): GpuExecutor | undefined {
    return this.#usesKernel ? this.#gpu() : undefined;
  }

  /** Threads of the pool, if there is one. */
  get #threads(): number {
    return this.#options.workers ?? Math.max(1, availableParallelism() - 1);
  }

  async #closePool(): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined) return;
    await pool.close();
    this.#failedRehearsals += pool.failedRehearsals;
    this.#pool = undefined;
  }

  /** The pool, if it is wanted, the state can be read from it and there is enough to do. */
  #poolFor(count: number, state: StateSource): WorkerPool | undefined {
    const most = this.#threads;
    if (most === 0 || count < FEWEST_FOR_WORKERS) return undefined;
    if (state.storeHandle === undefined && state.snapshot === undefined) return undefined;
    // `auto` has all of them rehearse before it uses one.
    const isFixed = this.#options.workers !== undefined || this.#choice.warmth !== undefined;
    const size = isFixed ? most : Math.min(most, Math.ceil(count / ROWS_PER_WORKER));
    const { watch } = this.#options;
    const onQueue = (rows: number): void => watch?.queue(rows);
    const options = { most, watch: watch?.buffer, onQueue, onProgramFileLost: this.#programFileLost };
    this.#pool ??= new WorkerPool(size, options);
    this.#pool.grow(size);
    return this.#pool;
  }
}
