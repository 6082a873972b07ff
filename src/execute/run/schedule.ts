/** Phase 2, the batches: segment by segment, colour by colour. The kernel and the CPU work at the same time. */
import { WarpshrewError } from '../../errors/errors.js';
import type { GpuExecutor, GpuOutcomes } from '../../gpu/pack/types.js';
import type { LaneContext } from '../../lane/message.js';
import type { Policy } from '../../lane/policy.js';
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
import { grouped } from '../tasks/grouped.js';
import { FEWEST_FOR_WORKERS, type WorkerPool } from '../threads/worker-pool.js';
import { type Finished, GpuBlockDriver } from './gpu-block.js';
import { programHashOf, routeBlock, type Segment } from './route.js';
import { readsAreCurrent } from './validate.js';
import type { Versions } from './versions.js';

/** Cost of a transaction beyond its programs, in fuel. */
const FUEL_OF_THE_REST = 10_000;

export interface ScheduledTransaction {
  readonly outcome: LaneOutcome;
  readonly executor: Executor;
}

/** What running the plan of a block needs. */
export interface PlanRunInputs {
  readonly policy: Policy;
  readonly context: LaneContext;
  readonly versions: Versions;
  readonly runner: CpuRunner;
  readonly pool: WorkerPool | undefined;
  readonly gpu: GpuExecutor | undefined;
  readonly costs: CostModel;
  readonly statistics: LaneStatistics;
  /** Memory budget for the block's outcomes. */
  readonly budget: BlockBudget;
  /** Under `gpu`: wait for kernels that are not compiled yet, for tests and measurements. */
  readonly waitsForKernels: boolean;
  /** Called when the device or a whole batch failed; the kernel is not used again for this block. */
  readonly onGpuFailure: (error: unknown) => void;
}

/**
 * Runs the plan of a block. Returns what ran, by position; all writes are in `versions`. Throws `BlockTooLarge` if the
 * outcomes exceed the budget.
 */
export async function runPlan(
  block: PlannedBlock,
  inputs: PlanRunInputs,
): Promise<(ScheduledTransaction | undefined)[]> {
  return new PlanRun(block, inputs).run();
}

class PlanRun {
  readonly #scheduled: (ScheduledTransaction | undefined)[];
  readonly #programs = new Map<string, Program>();
  /** Milliseconds that this thread spent on the kernel's part of the block, waiting included. */
  #gpuMs = 0;
  #dispatches = 0;
  #segments = 0;
  #driver: GpuBlockDriver | undefined;

  constructor(
    readonly block: PlannedBlock,
    readonly inputs: PlanRunInputs,
  ) {
    this.#scheduled = new Array<ScheduledTransaction | undefined>(block.transactions.length).fill(undefined);
  }

  async run(): Promise<(ScheduledTransaction | undefined)[]> {
    const { block, inputs } = this;
    const { statistics, policy, gpu, costs, pool } = inputs;
    if (gpu !== undefined) {
      this.#dropUnrecorded(gpu);
      if (inputs.waitsForKernels && inputs.policy === 'gpu') await this.#compileAll(gpu);
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
          this.#driver = await GpuBlockDriver.begin(gpu, block, route.segments, this.#programs, inputs);
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

  /** A program whose call could not be recorded loses its kernel. */
  #dropUnrecorded(gpu: GpuExecutor): void {
    for (const dryRun of this.block.dryRuns) {
      if (dryRun?.notRecorded !== undefined && dryRun.program !== undefined) {
        gpu.dropKernel(dryRun.program, 'record', dryRun.notRecorded);
      }
    }
  }

  async #compileAll(gpu: GpuExecutor): Promise<void> {
    const programs = new Set<Program>();
    this.block.planned.forEach((_, node) => {
      const hash = programHashOf(this.block, node);
      const program = hash === undefined ? undefined : this.#program(hash, node);
      if (program !== undefined) programs.add(program);
    });
    const started = performance.now();
    await Promise.all([...programs].map((program) => gpu.prepare(program)));
    addMs(this.inputs.statistics, 'compile', started);
  }

  async #segment(segment: Segment): Promise<void> {
    const { statistics } = this.inputs;
    const driver = segment.gpuCalls > 0 ? this.#driver : undefined;
    const started = performance.now();
    // Runs while the CPU does its colours; a failure is handled when those are done.
    const running = driver?.run(segment).then(
      (outcomes) => ({ outcomes }),
      (error: unknown) => ({ error }),
    );
    const submitted = performance.now() - started;
    for (const { cpu, gpu } of segment.colours) {
      await this.#cpuColour(driver === undefined ? [...cpu, ...gpu].sort((a, b) => a - b) : cpu);
    }
    if (driver === undefined || running === undefined) return;
    const waited = performance.now();
    const ended = await running;
    addMs(statistics, 'gpu', waited);
    if ('error' in ended) {
      this.#gpuFailed(ended.error);
      for (const { gpu } of segment.colours) await this.#cpuColour(gpu);
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
    const { statistics } = this.inputs;
    const trusted = new Set<number>();
    let number = 0;
    for (const { gpu } of segment.colours) {
      if (gpu.length === 0) continue;
      const started = performance.now();
      const done: [number, ScheduledTransaction][] = [];
      const handedBack: number[] = [];
      for (const node of gpu) {
        const finished = this.#finishNode(driver, node, number++, outcomes);
        if (finished.kind === 'handed-back') {
          handedBack.push(node);
          if (finished.why === 'punt') statistics.punted++;
          if (finished.why === 'access-violation') statistics.accessViolations++;
          continue;
        }
        const { outcome, ranOnGpu } = finished;
        if (outcome.reads !== this.#dryRun(node).outcome.reads) this.inputs.budget.take(outcome);
        done.push([node, { outcome, executor: ranOnGpu ? 'gpu' : 'cpu' }]);
        if (!ranOnGpu) continue;
        const hash = programHashOf(this.block, node) as string;
        statistics.gpuRuns[hash] = (statistics.gpuRuns[hash] ?? 0) + 1;
        // The kernel applied exactly the writes of the transaction.
        if (outcome.messages.length === 1 && outcome.messages[0].status === 'OK') trusted.add(node);
      }
      addMs(statistics, 'finish', started);
      statistics.batches++;
      done.push(...(await this.#onCpu(handedBack)));
      this.#keep(done);
    }
    try {
      driver.publish(segment, (position) => this.#scheduled[position]?.outcome, trusted);
    } catch (error) {
      this.#gpuFailed(error);
    }
  }

  /** If the kernel's outcome cannot be read, the program loses its kernel and the CPU runs the call. */
  #finishNode(driver: GpuBlockDriver, node: number, number: number, outcomes: GpuOutcomes): Finished {
    try {
      return driver.finish(node, number, outcomes);
    } catch (error) {
      // Errors with a code come from the CPU's part of the transaction.
      if (error instanceof WarpshrewError) throw error;
      this.inputs.gpu?.dropKernel(programHashOf(this.block, node) ?? '', 'read', error);
      return { kind: 'handed-back', why: 'punt' };
    }
  }

  /** The CPU's nodes of a colour: reuses dry runs whose reads are current, and runs the others. */
  async #cpuColour(nodes: readonly number[]): Promise<void> {
    if (nodes.length === 0) return;
    const { policy, versions } = this.inputs;
    const done: [number, ScheduledTransaction][] = [];
    const rest: number[] = [];
    for (const node of nodes) {
      const dryRun = this.#dryRun(node);
      const position = this.block.planned[node];
      if (policy !== 'gpu' && !dryRun.askedDryRun && readsAreCurrent(dryRun.outcome, position, versions)) {
        done.push([node, { outcome: dryRun.outcome, executor: 'reuse' }]);
      } else rest.push(node);
    }
    done.push(...(await this.#onCpu(rest)));
    this.#keep(done);
  }

  async #onCpu(unordered: readonly number[]): Promise<[number, ScheduledTransaction][]> {
    if (unordered.length === 0) return [];
    // Nodes of one colour do not see each other.
    const nodes = grouped(unordered, (node) => programHashOf(this.block, node));
    const { pool, context, versions, runner, statistics, budget } = this.inputs;
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

  /** Divides the cost of a batch among its programs by the fuel that they used. */
  #learn(nodes: readonly number[], outcomes: readonly LaneOutcome[], ms: number, where: 'alone' | 'pool'): void {
    const { costs, gpu } = this.inputs;
    // Without a GPU nothing asks the cost model.
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
    const calls = new Map(Object.entries(this.inputs.statistics.gpuRuns));
    if (calls.size === 0) return;
    const { costs } = this.inputs;
    costs.ranOnGpu({ calls, segments: this.#segments, dispatches: this.#dispatches, ms: this.#gpuMs });
  }

  /** Called only after a colour has ended, because transactions of a colour must not see each other's writes. */
  #keep(done: readonly (readonly [number, ScheduledTransaction])[]): void {
    for (const [node, result] of done) {
      const position = this.block.planned[node];
      this.#scheduled[position] = result;
      this.inputs.versions.put(position, result.outcome.writes);
    }
  }

  /**
   * The values that a worker cannot know: keys in the node's access set that this block has written. Any other key is
   * read as it was before the block; if that is stale, validation finds it.
   */
  #overridesOf(node: number): Map<LaneKey, Uint8Array | undefined> {
    const { versions } = this.inputs;
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

  /** Program `hash`, found by running the transaction of `node` up to its first call. */
  #program(hash: string, node: number): Program | undefined {
    const known = this.#programs.get(hash);
    if (known !== undefined) return known;
    const { context, versions } = this.inputs;
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
    this.inputs.statistics.gpuFailures++;
    this.inputs.onGpuFailure(error);
  }
}
