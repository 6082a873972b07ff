/** Phase 2, the batches: segment after segment, colour after colour; the kernel's side runs beside the CPU's. */
import { WarpshrewError } from '../../errors.js';
import type { GpuLane, GpuOutcomes } from '../../gpu/pack/types.js';
import type { LaneContext } from '../../lane/message.js';
import type { Executor } from '../../lane/statistics.js';
import { addMs, type LaneStatistics } from '../../lane/statistics.js';
import { laneTransaction } from '../../lane/transaction.js';
import type { LaneKey, LaneOutcome } from '../../lane/types.js';
import type { Program } from '../../program/types.js';
import { accessSetOf } from '../analyse/dry-run.js';
import type { PlannedBlock } from '../analyse/planned-block.js';
import type { CostModel } from '../choose/cost-model.js';
import type { DryRun } from '../tasks/block-tasks.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import { type CpuRunner, driveOnCpu } from '../tasks/drive.js';
import { FEWEST_FOR_WORKERS, type WorkerPool } from '../threads/worker-pool.js';
import { type Finished, GpuBlockDriver } from './gpu-block.js';
import { type Policy, programHashOf, routeBlock, type Segment } from './route.js';
import { sawTheTruth } from './validate.js';
import type { Versions } from './versions.js';

/** What a transaction costs beside its programs, in fuel. */
const FUEL_OF_THE_REST = 10_000;

export interface ScheduledTransaction {
  readonly outcome: LaneOutcome;
  readonly executor: Executor;
}

/** What the batches of one block work with. */
export interface Batches {
  readonly policy: Policy;
  readonly context: LaneContext;
  readonly versions: Versions;
  readonly runner: CpuRunner;
  readonly pool: WorkerPool | undefined;
  readonly gpu: GpuLane | undefined;
  readonly costs: CostModel;
  readonly statistics: LaneStatistics;
  /** What the block's outcomes may take. */
  readonly budget: BlockBudget;
  /** Under `gpu`: waits for kernels that are not compiled yet, as tests and measurements want it. */
  readonly waitsForKernels: boolean;
  /** Called when the kernel failed as a whole; it is not used again for this block. */
  readonly onGpuFailure: (error: unknown) => void;
}

/** Runs what was planned. Throws `BlockTooLarge` when the outcomes have no room in the budget. Returns what ran, by position; all their writes are in `versions`. */
export async function runPlan(block: PlannedBlock, batches: Batches): Promise<(ScheduledTransaction | undefined)[]> {
  return new PlanRun(block, batches).run();
}

class PlanRun {
  readonly #scheduled: (ScheduledTransaction | undefined)[];
  readonly #programs = new Map<string, Program>();
  /** The kernel's side of the block: milliseconds that this thread had to give to it or wait for it. */
  #gpuMs = 0;
  #dispatches = 0;
  #segments = 0;
  #driver: GpuBlockDriver | undefined;

  constructor(
    readonly block: PlannedBlock,
    readonly batches: Batches,
  ) {
    this.#scheduled = new Array<ScheduledTransaction | undefined>(block.transactions.length).fill(undefined);
  }

  async run(): Promise<(ScheduledTransaction | undefined)[]> {
    const { block, batches } = this;
    const { statistics, policy, gpu, costs, pool } = batches;
    if (gpu !== undefined) {
      this.#refuseUnrecorded(gpu);
      if (batches.waitsForKernels && batches.policy === 'gpu') await this.#compileAll(gpu);
    }
    const route = routeBlock(block, {
      policy,
      gpu,
      costs,
      threads: pool?.size ?? 0,
      program: (hash, node) => this.#program(hash, node),
    });
    statistics.punted += route.unsupported;
    statistics.compiling += route.compiling;
    try {
      const started = performance.now();
      if (gpu !== undefined) {
        try {
          this.#driver = await GpuBlockDriver.begin(gpu, block, route.segments, this.#programs, batches);
        } catch (error) {
          this.#gpuFailed(error);
        }
      }
      if (this.#driver !== undefined) {
        addMs(statistics, 'gpu', started);
        this.#gpuMs += performance.now() - started;
      }
      for (const segment of route.segments) await this.#segment(segment);
    } finally {
      this.#driver?.close();
    }
    this.#learnFromKernel();
    return this.#scheduled;
  }

  /** A program whose call could not be recorded for the kernel does not get one. */
  #refuseUnrecorded(gpu: GpuLane): void {
    for (const dryRun of this.block.dryRuns) {
      if (dryRun?.notRecorded !== undefined && dryRun.program !== undefined) {
        gpu.refuse(dryRun.program, 'record', dryRun.notRecorded);
      }
    }
  }

  async #compileAll(gpu: GpuLane): Promise<void> {
    const programs = new Set<Program>();
    this.block.planned.forEach((_, node) => {
      const hash = programHashOf(this.block, node);
      const program = hash === undefined ? undefined : this.#program(hash, node);
      if (program !== undefined) programs.add(program);
    });
    const started = performance.now();
    await Promise.all([...programs].map((program) => gpu.prepare(program)));
    addMs(this.batches.statistics, 'compile', started);
  }

  async #segment(segment: Segment): Promise<void> {
    const { statistics } = this.batches;
    const driver = segment.gpuCalls > 0 ? this.#driver : undefined;
    const started = performance.now();
    // Beside the CPU's colours; a failure is looked at when they are done.
    const running = driver?.run(segment).then(
      (outcomes) => ({ outcomes }),
      (error: unknown) => ({ error }),
    );
    const submitted = performance.now() - started;
    for (const { host, gpu } of segment.colours) {
      await this.#hostColour(driver === undefined ? [...host, ...gpu].sort((a, b) => a - b) : host);
    }
    if (driver === undefined || running === undefined) return;
    const waited = performance.now();
    const ended = await running;
    addMs(statistics, 'gpu', waited);
    if ('error' in ended) {
      this.#gpuFailed(ended.error);
      for (const { gpu } of segment.colours) await this.#hostColour(gpu);
      return;
    }
    const finishing = performance.now();
    this.#gpuMs += submitted + finishing - waited;
    this.#segments++;
    this.#dispatches += segment.colours.filter(({ gpu }) => gpu.length > 0).length;
    await this.#finishSegment(segment, driver, ended.outcomes);
    this.#gpuMs += performance.now() - finishing;
  }

  async #finishSegment(segment: Segment, driver: GpuBlockDriver, outcomes: GpuOutcomes): Promise<void> {
    const { statistics } = this.batches;
    const trusted = new Set<number>();
    let number = 0;
    for (const { gpu } of segment.colours) {
      if (gpu.length === 0) continue;
      const started = performance.now();
      const done: [number, ScheduledTransaction][] = [];
      const declined: number[] = [];
      for (const node of gpu) {
        const finished = this.#finishNode(driver, node, number++, outcomes);
        if (finished.kind === 'declined') {
          declined.push(node);
          if (finished.why === 'punt') statistics.punted++;
          if (finished.why === 'access-violation') statistics.accessViolations++;
          continue;
        }
        const { outcome, ranOnGpu } = finished;
        if (outcome.reads !== this.#dryRun(node).outcome.reads) this.batches.budget.take(outcome);
        done.push([node, { outcome, executor: ranOnGpu ? 'gpu' : 'cpu' }]);
        if (!ranOnGpu) continue;
        const hash = programHashOf(this.block, node) as string;
        statistics.gpuRuns[hash] = (statistics.gpuRuns[hash] ?? 0) + 1;
        // What the kernel wrote is what the transaction wrote.
        if (outcome.messages.length === 1 && outcome.messages[0].status === 'OK') trusted.add(node);
      }
      addMs(statistics, 'finish', started);
      statistics.batches++;
      done.push(...(await this.#onCpu(declined)));
      this.#keep(done);
    }
    try {
      driver.tell(segment, (position) => this.#scheduled[position]?.outcome, trusted);
    } catch (error) {
      this.#gpuFailed(error);
    }
  }

  /** What the kernel left may be unreadable: then its program loses its kernel, and the CPU runs the call. */
  #finishNode(driver: GpuBlockDriver, node: number, number: number, outcomes: GpuOutcomes): Finished {
    try {
      return driver.finish(node, number, outcomes);
    } catch (error) {
      // An error that says what it is comes from the CPU's part of the transaction.
      if (error instanceof WarpshrewError) throw error;
      this.batches.gpu?.refuse(programHashOf(this.block, node) ?? '', 'read', error);
      return { kind: 'declined', why: 'punt' };
    }
  }

  /** The CPU's nodes of a colour: reused where the dry run saw the truth, run where it did not. */
  async #hostColour(nodes: readonly number[]): Promise<void> {
    if (nodes.length === 0) return;
    const { policy, versions } = this.batches;
    const done: [number, ScheduledTransaction][] = [];
    const rest: number[] = [];
    for (const node of nodes) {
      const dryRun = this.#dryRun(node);
      const position = this.block.planned[node];
      if (policy !== 'gpu' && !dryRun.askedDryRun && sawTheTruth(dryRun.outcome, position, versions)) {
        done.push([node, { outcome: dryRun.outcome, executor: 'reuse' }]);
      } else rest.push(node);
    }
    done.push(...(await this.#onCpu(rest)));
    this.#keep(done);
  }

  async #onCpu(nodes: readonly number[]): Promise<[number, ScheduledTransaction][]> {
    if (nodes.length === 0) return [];
    const { pool, context, versions, runner, statistics, budget } = this.batches;
    const { planned, transactions } = this.block;
    const started = performance.now();
    let outcomes: LaneOutcome[];
    if (pool === undefined || nodes.length < FEWEST_FOR_WORKERS) {
      outcomes = nodes.map((node) => {
        const position = planned[node];
        const run = laneTransaction(transactions[position], context, versions.before(position));
        const outcome = driveOnCpu(run, runner);
        budget.take(outcome);
        return outcome;
      });
      this.#learn(nodes, outcomes, performance.now() - started, 'alone');
    } else {
      outcomes = await pool.execute(
        nodes.map((node) => ({ transaction: transactions[planned[node]], overrides: this.#overridesOf(node) })),
        budget,
      );
      this.#learn(nodes, outcomes, performance.now() - started, 'pool');
    }
    addMs(statistics, 'cpu', started);
    statistics.batches++;
    return nodes.map((node, i) => [node, { outcome: outcomes[i], executor: 'cpu' }]);
  }

  /** What a batch cost, shared out between its programs by the fuel that they used. */
  #learn(nodes: readonly number[], outcomes: readonly LaneOutcome[], ms: number, where: 'alone' | 'pool'): void {
    const { costs, gpu } = this.batches;
    // Nobody asks.
    if (gpu === undefined) return;
    const shares = new Map<string, { count: number; fuel: number }>();
    let total = 0;
    nodes.forEach((node, i) => {
      const fuel = outcomes[i].messages.reduce((sum, { fuelUsed }) => sum + fuelUsed, FUEL_OF_THE_REST);
      total += fuel;
      const hash = programHashOf(this.block, node);
      if (hash === undefined) return;
      const share = shares.get(hash);
      if (share === undefined) shares.set(hash, { count: 1, fuel });
      else {
        share.count++;
        share.fuel += fuel;
      }
    });
    for (const [hash, { count, fuel }] of shares) {
      const own = (ms * fuel) / total;
      if (where === 'alone') costs.ranAlone(hash, count, own);
      else costs.ranOnPool(hash, count, own);
    }
  }

  #learnFromKernel(): void {
    const calls = new Map(Object.entries(this.batches.statistics.gpuRuns));
    if (calls.size === 0) return;
    const { costs } = this.batches;
    costs.ranOnGpu({ calls, segments: this.#segments, dispatches: this.#dispatches, ms: this.#gpuMs });
  }

  /** Only when a colour has ended: within one nobody sees another's writes. */
  #keep(done: readonly (readonly [number, ScheduledTransaction])[]): void {
    for (const [node, result] of done) {
      const position = this.block.planned[node];
      this.#scheduled[position] = result;
      this.batches.versions.put(position, result.outcome.writes);
    }
  }

  /**
   * The values that a worker cannot know: keys of the plan that this block has written. A key outside the plan is read as it
   * was before the block, and if that is stale, validation finds it.
   */
  #overridesOf(node: number): Map<LaneKey, Uint8Array | undefined> {
    const { versions } = this.batches;
    const position = this.block.planned[node];
    const overrides = new Map<LaneKey, Uint8Array | undefined>();
    const { reads, writes } = accessSetOf(this.#dryRun(node));
    for (const key of [...reads, ...writes]) {
      if (versions.isWrittenBefore(key, position)) overrides.set(key, versions.get(key, position));
    }
    return overrides;
  }

  #dryRun(node: number): DryRun {
    return this.block.dryRuns[this.block.planned[node]] as DryRun;
  }

  /** Program `hash`, found by taking the transaction of `node` to its first call. */
  #program(hash: string, node: number): Program | undefined {
    const known = this.#programs.get(hash);
    if (known !== undefined) return known;
    const { context, versions } = this.batches;
    const position = this.block.planned[node];
    const unwatched = { ...context, watch: undefined };
    const step = laneTransaction(this.block.transactions[position], unwatched, versions.before(position)).next();
    if (step.done || step.value.program.hash !== hash) return undefined;
    this.#programs.set(hash, step.value.program);
    return step.value.program;
  }

  #gpuFailed(error: unknown): void {
    this.#driver?.close();
    this.#driver = undefined;
    this.batches.statistics.gpuFailures++;
    this.batches.onGpuFailure(error);
  }
}
