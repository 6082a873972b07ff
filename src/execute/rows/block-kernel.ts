/** The kernel in one block: what it is given, what it says, what that cost, and what follows when it fails. */
import { randomBytes } from 'node:crypto';
import type { GpuExecutor, GpuOutcomes, GpuTimings } from '../../gpu/pack/types.js';
import type { CommonRunner } from '../../lane/columns/common-run.js';
import type { LaneColumns } from '../../lane/columns/lane-columns.js';
import { addValue, EXECUTION_SECONDS } from '../../lane/distribution.js';
import type { LaneContext } from '../../lane/message.js';
import type { Policy } from '../../lane/policy.js';
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import type { Plan } from '../../plan/plan.js';
import type { ProgramRunner } from '../../program/runner.js';
import type { Program } from '../../program/types.js';
import type { CallDivider } from '../choose/balance.js';
import type { CostModel } from '../choose/cost-model.js';
import type { KernelPrograms } from '../choose/kernel-programs.js';
import { type CrossCheck, KernelMismatch } from '../health/cross-check.js';
import type { KernelLoad } from '../health/kernel-load.js';
import { type BlockBudget, BlockTooLarge } from '../tasks/block-weight.js';
import { AT, type KernelNumbers, type RowOverrides } from '../tasks/row-records.js';
import type { BlockMemory } from './block-memory.js';
import { KernelCalls, NOT_WRITTEN } from './kernel-calls.js';
import { KernelRows } from './kernel-rows.js';
import type { Predictions } from './predictions.js';
import { routeRows, type Segment, withoutKernel } from './route.js';
import type { RowGroups } from './row-groups.js';
import type { RowTable } from './row-table.js';
import type { RowVersions } from './row-versions.js';
import type { RowWork } from './row-work.js';
import { SplitTimes } from './split-times.js';
import { type LessonInputs, teachAsked, teachGiven } from './teach-programs.js';
import { ThreadReasons } from './thread-reasons.js';

/** Cost of a row beyond its program, in fuel. */
const FUEL_OF_THE_REST = 10_000;

/** Hears of each use of the kernel: that it is about to run something, and then how that went. */
export interface KernelWatch {
  begins(): void;
  /** The CPU has confirmed `count` results. */
  checked(count: number): void;
  /** `checked`: results that the CPU has confirmed. */
  succeeded(checked: number): void;
  /** The device or a whole batch failed; the kernel is not used again for this part of the block. */
  failed(error: unknown): void;
  /** How much it is given. */
  readonly load: KernelLoad;
  /** The executor, as long as it may be used. */
  readonly usable: GpuExecutor | undefined;
}

/** The kernel, as far as a block may use it. */
export interface KernelUse {
  readonly gpu: GpuExecutor;
  readonly policy: Policy;
  readonly costs: CostModel;
  /** How calls are divided under `balance`; undefined under every other policy. */
  readonly balance: CallDivider | undefined;
  /** What it has run in the blocks before. */
  readonly programs: KernelPrograms;
  /** Hashes of those of them whose whole runs are left to it in this block. */
  readonly left: ReadonlySet<string>;
  /** Under `gpu` and `balance`: wait for kernels that are not compiled yet, for tests and measurements. */
  readonly waitsForKernels: boolean;
  /** Hears how its use went. */
  readonly device: KernelWatch;
  readonly crossCheck: CrossCheck;
}

export interface BlockKernelInputs {
  readonly use: KernelUse;
  readonly columns: LaneColumns;
  readonly context: LaneContext;
  readonly rows: Uint32Array;
  readonly table: RowTable;
  readonly versions: RowVersions;
  readonly groups: RowGroups;
  readonly predictions: Predictions | undefined;
  readonly budget: BlockBudget;
  readonly statistics: LaneStatistics;
  readonly memory: BlockMemory;
  readonly runner: ProgramRunner;
  /** Threads of the pool, 0 if there is none. */
  readonly threads: number;
}

export class BlockKernel {
  readonly #inputs: BlockKernelInputs;
  readonly #calls: KernelCalls;
  #rows: KernelRows | undefined;
  #checked = 0;
  #mismatch: KernelMismatch | undefined;
  readonly why = new ThreadReasons((row) => this.#calls.programOf(row));
  /** Milliseconds that this thread spent on the kernel's part, waiting included. */
  #ms = 0;
  #segments = 0;
  /** Of the device, before the block. */
  readonly #before: Readonly<GpuTimings>;
  #dispatches = 0;
  #times: SplitTimes | undefined;
  /** What writing and packing the calls took: the first segment's. */
  #packMs = 0;
  /** By node of the plan. */
  #colours: Uint32Array = new Uint32Array(0);

  constructor(inputs: BlockKernelInputs) {
    this.#inputs = inputs;
    const together = inputs.use.policy === 'gpu' ? inputs.rows : undefined;
    this.#before = { ...inputs.use.gpu.timings };
    this.#calls = new KernelCalls({ seed: randomBytes(4).readUInt32LE(), ...inputs, together });
  }

  /**
   * Chooses what the kernel runs of the nodes of `plan`, and puts that on the device. `isReusable`: whether the dry run
   * of a node can stand whatever runs before it in its batch; `onChosen` hears early which nodes of the first colour
   * are left to threads. Throws `BlockTooLarge` beyond the budget.
   */
  async begin(
    plan: Plan,
    colours: readonly (readonly number[])[],
    isReusable: (node: number) => boolean,
    onChosen: (nodes: readonly number[]) => void,
  ): Promise<readonly Segment[]> {
    const { use } = this.#inputs;
    this.#colours = plan.colouring.colours;
    // An earlier part of the block may have ended its use.
    if (use.device.usable !== use.gpu) return withoutKernel(colours);
    if (use.waitsForKernels && use.policy !== 'auto') await this.#compileAll();
    if (use.balance !== undefined) {
      const { table } = this.#inputs;
      teachAsked({ ...this.#lesson, programOf: (row) => this.#calls.programOf(row) }, (row) => table.askedDry(row));
    }
    const started = performance.now();
    let segments: readonly Segment[] = withoutKernel(colours);
    try {
      segments = this.#route(plan, colours, isReusable, onChosen);
      if (segments.some(({ gpuCalls }) => gpuCalls > 0)) use.device.begins();
      this.#rows = await KernelRows.begin({ ...this.#inputs, gpu: use.gpu }, this.#calls, segments);
    } catch (error) {
      if (error instanceof BlockTooLarge) throw error;
      this.#fail(error);
    }
    if (this.#rows !== undefined) this.#spend('gpu', started);
    this.#packMs = performance.now() - started;
    return segments;
  }

  #route(
    plan: Plan,
    colours: readonly (readonly number[])[],
    isReusable: (node: number) => boolean,
    onChosen: (nodes: readonly number[]) => void,
  ): readonly Segment[] {
    const { use, rows, statistics, threads } = this.#inputs;
    const { policy, costs } = use;
    const worth = policy === 'auto' ? new Set(costs.worthRecording(rows.length, threads)) : undefined;
    const mostCalls = policy === 'gpu' ? Number.POSITIVE_INFINITY : use.device.load.batchLimit;
    const programOf = (node: number): Program | undefined => this.#calls.programOf(rows[node]);
    const write = (node: number): boolean => this.#write(rows[node]);
    const given = { plan, colours, threads, worth, mostCalls, programOf, isReusable, onChosen, write };
    const route = routeRows({ ...use, ...given, gpu: this.why.watched(use.gpu) });
    statistics.punted += route.unsupported;
    statistics.compiling += route.compiling;
    statistics.splits += route.splits;
    const hashOf = (node: number): string | undefined => programOf(node)?.hash;
    if (use.balance !== undefined) this.#times = new SplitTimes(use.balance, route.divided, hashOf);
    return route.segments;
  }

  #write(row: number): boolean {
    const { budget, table } = this.#inputs;
    const [used, bytes] = [table.state.used, this.#calls.bytes];
    const isWritten = this.#calls.add(row);
    budget.takeBytes(table.state.used - used + this.#calls.bytes - bytes);
    return isWritten;
  }

  /** Runs the calls of `segment`; undefined: a thread must run them. */
  run(segment: Segment): Promise<GpuOutcomes | undefined> | undefined {
    const rows = segment.gpuCalls > 0 ? this.#rows : undefined;
    if (rows === undefined) return undefined;
    const started = performance.now();
    const began = started - (this.#segments === 0 ? this.#packMs : 0);
    const { gpuCalls } = segment;
    const { load } = this.#inputs.use.device;
    load.begins(gpuCalls);
    const ran = rows.run(segment).finally(() => load.ends(gpuCalls, performance.now() - started));
    const running = ran.then((outcomes) => {
      this.#count(segment, performance.now() - started);
      const checked = this.#check(rows, segment, outcomes);
      this.#times?.ranInKernel(segment, performance.now() - began);
      return checked;
    });
    this.#ms += performance.now() - started;
    return running.catch((error: unknown) => {
      if (error instanceof KernelMismatch) this.#mismatch = error;
      this.#fail(error);
      return undefined;
    });
  }

  /** Each call of `segment` gets its share of the milliseconds from its start to its outcomes. */
  #count({ gpuCalls }: Segment, ms: number): void {
    const { seconds } = this.#inputs.statistics;
    addValue(seconds, 'kernel', EXECUTION_SECONDS, ms / 1_000 / gpuCalls, gpuCalls);
  }

  /** Recomputes some of `outcomes` before anybody sees them. Throws KernelMismatch. */
  #check(rows: KernelRows, segment: Segment, outcomes: GpuOutcomes): GpuOutcomes {
    const { use, runner, statistics } = this.#inputs;
    const started = performance.now();
    const checked = rows.check(segment, outcomes, use.crossCheck, runner);
    use.device.checked(checked);
    this.#checked += checked;
    addMs(statistics, 'check', started);
    return outcomes;
  }

  /** Waits for `running`, while nothing else is to be done. Throws KernelMismatch: the block is to run without it. */
  async outcomes(running: Promise<GpuOutcomes | undefined>): Promise<GpuOutcomes | undefined> {
    const started = performance.now();
    const outcomes = await running;
    if (this.#mismatch !== undefined) throw this.#mismatch;
    this.#spend('gpu', started);
    return outcomes;
  }

  /**
   * Turns the outcomes of `nodes`, a colour whose first outcome is number `first`, into records; gives the nodes that a
   * thread must run.
   */
  take(nodes: readonly number[], first: number, outcomes: GpuOutcomes): number[] {
    const started = performance.now();
    const { rows } = this.#inputs;
    const left = nodes.filter((node, i) => this.#rows?.take(rows[node], first + i, outcomes) !== true);
    for (const node of left) this.why.givenUp.add(rows[node]);
    this.#times?.finished(nodes.length, performance.now() - started);
    this.#spend('finish', started);
    this.#dispatches++;
    return left;
  }

  /**
   * The same on the threads of `work`, which have been told the outcomes; `overrides` says what the rows of a piece
   * see. Throws `BlockTooLarge` beyond the budget.
   */
  async takeOnThreads(
    nodes: readonly number[],
    first: number,
    outcomes: GpuOutcomes,
    work: RowWork,
    overrides: (rows: Uint32Array) => RowOverrides,
  ): Promise<number[]> {
    const started = performance.now();
    const { rows, table, budget } = this.#inputs;
    const kernel = this.#rows;
    if (kernel === undefined) return [...nodes];
    const own = Uint32Array.from(nodes, (node) => rows[node]);
    const left = new Map<number, 'given up' | 'unreadable'>();
    const outcomeOf = new Uint32Array((own.at(-1) ?? 0) + 1);
    for (let i = 0; i < own.length; i++) outcomeOf[own[i]] = first + i;
    const numbersOf = (ordered: Uint32Array): KernelNumbers => kernel.numbersOf(ordered, outcomeOf);
    await work.goThrough(own, table, budget, overrides, numbersOf, (row, isUnreadable) => {
      left.set(row, isUnreadable ? 'unreadable' : 'given up');
    });
    for (let i = 0; i < own.length; i++) kernel.took(own[i], first + i, outcomes, left.get(own[i]) ?? 'taken');
    for (const row of left.keys()) this.why.givenUp.add(row);
    this.#times?.finished(nodes.length, performance.now() - started);
    this.#spend('finish', started);
    this.#dispatches++;
    return nodes.filter((node) => left.has(rows[node]));
  }

  /**
   * Keeps the outcomes of the last segment for the turns of its rows; false: some calls were given up, and threads must
   * run these and what follows them.
   */
  keepsForTurns(segment: Segment, outcomes: GpuOutcomes): boolean {
    if (this.#rows?.keepsForTurns(segment, outcomes) !== true) return false;
    this.#times?.finished(segment.gpuCalls, 0);
    this.#dispatches += segment.colours.filter(({ gpu }) => gpu.length > 0).length;
    return true;
  }

  /** What `row` does now, with the outcome that was kept for it; undefined: it saw something else. */
  runAtTurn(row: number): CommonRunner | undefined {
    return this.#rows?.runAtTurn(row);
  }

  /** At their turns, `rows` took `ms` here, and those of which outcomes were kept `kernelMs`. */
  ranAtTurn(rows: Uint32Array, ms: number, kernelMs: number): void {
    this.ranOnThreads(rows, ms, 'alone');
    this.#ms += kernelMs;
    this.#times?.finished(0, kernelMs);
  }

  /** Tells the kernel what it must know of `segment`, all of whose rows are kept. */
  publish(segment: Segment): void {
    if (segment.gpuCalls > 0) this.#segments++;
    try {
      this.#rows?.publish(segment);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** `rows` took `ms` on threads: divides that among their programs, by the fuel that they used. */
  ranOnThreads(rows: Uint32Array, ms: number, where: 'alone' | 'pool'): void {
    const { costs } = this.#inputs.use;
    const { table } = this.#inputs;
    if (rows.length === 0) return;
    const shares = new Map<string, { count: number; fuel: number }>();
    let total = 0;
    for (const row of rows) {
      const fuel = table.words.list[table.recordOf(row) + AT.fuel] + FUEL_OF_THE_REST;
      total += fuel;
      const hash = this.#calls.programOf(row)?.hash;
      if (hash === undefined) continue;
      const share = shares.get(hash) ?? { count: 0, fuel: 0 };
      share.count++;
      share.fuel += fuel;
      shares.set(hash, share);
    }
    for (const [hash, { count, fuel }] of shares) {
      const own = (ms * fuel) / total;
      if (where === 'alone') costs.ranAlone(hash, count, own);
      else {
        costs.ranOnPool(hash, count, own);
        this.#times?.ranOnPool(hash, count, own);
      }
    }
  }

  /** The block is over, for the kernel. */
  close(): void {
    if (this.#rows !== undefined && this.#inputs.use.balance === undefined) this.#teach();
    this.#times?.learn();
    if (this.#rows !== undefined && this.#segments > 0) this.#inputs.use.device.succeeded(this.#checked);
    this.#rows?.close();
    this.#countDevice();
    const calls = new Map(Object.entries(this.#inputs.statistics.gpuRuns));
    if (calls.size === 0) return;
    this.#inputs.use.costs.ranOnGpu({ calls, segments: this.#segments, dispatches: this.#dispatches, ms: this.#ms });
  }

  #countDevice(): void {
    const { statistics, use } = this.#inputs;
    const { deviceMs, bytesUp, bytesDown } = use.gpu.timings;
    statistics.gpuMs += deviceMs - this.#before.deviceMs;
    statistics.gpuBytesUp += bytesUp - this.#before.bytesUp;
    statistics.gpuBytesDown += bytesDown - this.#before.bytesDown;
  }

  /** No thread looks at the calls of the block any more. */
  release(): void {
    this.#calls.release();
  }

  /** Tells how the calls of each program went. Under `auto` only what was left to the kernel tells. */
  #teach(): void {
    const { use, statistics } = this.#inputs;
    const allTell = use.policy !== 'auto';
    if (!allTell && use.left.size === 0) return;
    const programOf = (row: number): Program | undefined => {
      const program = this.#calls.callOf(row) === NOT_WRITTEN ? undefined : this.#calls.programOf(row);
      return program !== undefined && (allTell || use.left.has(program.hash)) ? program : undefined;
    };
    teachGiven({ ...this.#lesson, programOf }, statistics.gpuRuns);
  }

  get #lesson(): Omit<LessonInputs, 'programOf'> {
    const { use, rows, predictions } = this.#inputs;
    const isPredicted = (row: number): boolean => predictions?.changes(row) === true;
    return { programs: use.programs, rows, colours: this.#colours, isPredicted };
  }

  async #compileAll(): Promise<void> {
    const { use, rows, statistics } = this.#inputs;
    const programs = new Set(Array.from(rows, (row) => this.#calls.programOf(row)));
    const started = performance.now();
    await Promise.all([...programs].map((program) => program && use.gpu.prepare(program)));
    addMs(statistics, 'compile', started);
  }

  #spend(phase: string, started: number): void {
    addMs(this.#inputs.statistics, phase, started);
    this.#ms += performance.now() - started;
  }

  #fail(error: unknown): void {
    this.#rows?.close();
    this.#rows = undefined;
    this.why.hasFailed = true;
    this.#inputs.statistics.gpuFailures++;
    this.#inputs.use.device.failed(error);
  }
}
