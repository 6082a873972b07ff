import { expect } from 'vitest';
import { BlockOffsets } from '../../../src/bitcoin/block-offsets.js';
import { LaneEngine } from '../../../src/execute/engine.js';
import { decodeDump } from '../../../src/execute/health/call-dump.js';
import { endOnCpu, endsEqual } from '../../../src/execute/health/cross-check.js';
import { FIRST_COOL_DOWN_MS, type HealthState, type KernelCause } from '../../../src/execute/health/kernel-health.js';
import type { GpuExecutor } from '../../../src/gpu/pack/types.js';
import type { LaneBlockResult } from '../../../src/lane/types.js';
import { ProgramRunner } from '../../../src/program/runner.js';
import { applyWrites, BLOCKS_PER_WORLD, comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { FuzzBlocks } from '../../../src/selftest/fuzz/fuzz-blocks.js';
import type { FuzzProgram } from '../../../src/selftest/fuzz/fuzz-programs.js';
import { Prng } from '../../../src/selftest/inputs/prng.js';
import { FAULTS, type Fault, FaultyGpu, PLACES } from '../../../src/testing/gpu-faults/faulty-gpu.js';
import { builtPrograms } from '../../../src/util/built-wasm.js';

const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;
/** Blocks in which a fault must find a batch. */
const MOST_BLOCKS = 60;
/** Uses that open the breaker, by fault. */
const OPENS: Readonly<Record<Fault, number>> = { loss: 1, timeout: 2, allocation: 4, 'wrong result': 2 };
const CAUSES: Readonly<Record<Fault, KernelCause>> = {
  loss: 'device-lost',
  timeout: 'timeout',
  allocation: 'failure',
  'wrong result': 'mismatch',
};

export interface DrillOptions {
  readonly seed: string;
  /** Opens the executor that the faults are put around, and opens it anew after a loss. */
  readonly openGpu: () => Promise<GpuExecutor>;
  readonly programs: readonly FuzzProgram[];
}

/**
 * A drill: random blocks under the policy `gpu`, until the kernel has had the fault of the seed so often that it is
 * unhealthy, through the cool-down, a probe that fails with some seeds, and one that succeeds. Every block must leave
 * the writes and receipts of the sequential executor, and the kernel the transitions and counters of the fault. Gives
 * the fault.
 */
export async function drill(options: DrillOptions): Promise<Fault> {
  const random = new Prng(options.seed, 'drill');
  const run = await Drill.open(options);
  try {
    const fault = random.pick(FAULTS);
    const place = () => random.pick(PLACES);
    for (let i = 0; i < OPENS[fault]; i++) {
      expect(run.state, `before fault ${i}`).toBe(i === 0 ? 'healthy' : 'degraded');
      await run.untilFired(fault, place());
    }
    const states: HealthState[] = OPENS[fault] > 1 ? ['degraded', 'unhealthy'] : ['unhealthy'];
    expect(run.states).toEqual(states);
    let faults = OPENS[fault];
    expect(await run.block(), 'an unhealthy kernel runs nothing').toBe(0);
    const coolDown = FIRST_COOL_DOWN_MS;
    if (random.below(2) === 0) {
      run.clock.ms += coolDown;
      if (!(await run.untilFired(fault, place(), true))) {
        // None of the probe's calls could be wrong.
        states.push('probing', 'degraded');
        expect(run.states).toEqual(states);
        run.check(fault, faults);
        return fault;
      }
      faults++;
      states.push('probing', 'unhealthy');
      expect(run.states).toEqual(states);
      run.clock.ms += coolDown;
      expect(await run.block(), 'the cool-down has doubled').toBe(0);
    } else {
      run.clock.ms += coolDown - 1;
      expect(await run.block(), 'the cool-down is not over').toBe(0);
    }
    expect(run.states).toEqual(states);
    run.clock.ms += coolDown;
    await run.untilUsed();
    states.push('probing', 'degraded');
    expect(run.states).toEqual(states);
    run.check(fault, faults);
    return fault;
  } finally {
    await run.close();
  }
}

class Drill {
  readonly clock = { ms: 0 };
  readonly states: HealthState[] = [];
  readonly #programs: ReadonlyMap<FuzzProgram, Uint8Array>;
  readonly #dumps: Uint8Array[] = [];
  readonly #engine: LaneEngine;
  readonly #truth = new LaneEngine({ policy: 'sequential', workers: 0, ...RULES });
  readonly #state = new Map<string, Uint8Array>();
  #blocks: FuzzBlocks;
  #world = 0;
  #height = 0;
  #opened: GpuExecutor[] = [];
  #gpuFailures = 0;
  #checked = 0;

  private constructor(
    readonly options: DrillOptions,
    private gpu: FaultyGpu,
  ) {
    const built: Readonly<Record<string, Uint8Array>> = builtPrograms();
    this.#programs = new Map(options.programs.map((name) => [name, built[name]]));
    this.#blocks = this.#newWorld();
    this.#engine = new LaneEngine({
      policy: 'gpu',
      workers: 0,
      ...RULES,
      gpu,
      waitForKernels: true,
      crossCheck: 100,
      dumpPlace: { write: (_, dump) => this.#dumps.push(dump) },
      now: () => this.clock.ms,
      onKernelHealth: ({ to }) => this.states.push(to),
      reopenGpu: async () => {
        this.gpu = new FaultyGpu(await options.openGpu());
        return this.gpu;
      },
    });
  }

  static async open(options: DrillOptions): Promise<Drill> {
    const gpu = new FaultyGpu(await options.openGpu());
    const run = new Drill(options, gpu);
    run.#opened.push(gpu);
    return run;
  }

  get state(): string {
    return this.#engine.health.gpu;
  }

  /**
   * Runs blocks until `fault` has happened. A device that was lost is opened anew before, if its time has come.
   * `isProbe`: the kernel is used once; gives whether that had the fault.
   */
  async untilFired(fault: Fault, place: (typeof PLACES)[number], isProbe = false): Promise<boolean> {
    for (let i = 0; i < MOST_BLOCKS; i++) {
      const { gpu } = this;
      if (gpu.fired === 0 || fault !== 'loss') gpu.arm(fault, place);
      const before = gpu.fired;
      const used = await this.block();
      await new Promise((resolve) => setImmediate(resolve));
      if (gpu.fired > before) return true;
      if (isProbe && used > 0) {
        gpu.disarm();
        return false;
      }
    }
    throw new Error(`no batch for the fault in ${MOST_BLOCKS} blocks`);
  }

  /** Runs blocks until the kernel has run some call. */
  async untilUsed(): Promise<void> {
    for (let i = 0; i < MOST_BLOCKS; i++) {
      if ((await this.block()) > 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`the kernel ran nothing in ${MOST_BLOCKS} blocks`);
  }

  /** Runs the next block both ways and compares; gives the number of transactions that the kernel ran. */
  async block(): Promise<number> {
    if (this.#height === BLOCKS_PER_WORLD) this.#blocks = this.#newWorld();
    const height = this.#height++;
    const state = this.#state;
    const block = BlockOffsets.read(this.#blocks.next(height, state).raw);
    const source = { reader: { get: (key: string) => state.get(key) } };
    const result = await this.#engine.processBlock(block, height, source);
    const expected = await this.#truth.processBlock(block, height, source);
    expect(textOf(result)).toBe(textOf(expected));
    this.#gpuFailures += result.statistics.gpuFailures;
    this.#checked += result.statistics.executors.gpu;
    applyWrites(state, expected.writes);
    return result.statistics.executors.gpu;
  }

  /** The counters after `faults` times `fault`, and what the dumps hold. */
  check(fault: Fault, faults: number): void {
    const { gpuFailures, kernel } = this.#engine.health;
    expect([gpuFailures, this.#gpuFailures]).toEqual([faults, faults]);
    const none = { 'device-lost': 0, timeout: 0, failure: 0, mismatch: 0, 'not-opened': 0 };
    expect(kernel.failures).toEqual({ ...none, [CAUSES[fault]]: faults });
    expect(kernel.checkedCalls).toBeGreaterThanOrEqual(this.#checked);
    expect([kernel.dumps, kernel.lostDumps]).toEqual([fault === 'wrong result' ? faults : 0, 0]);
    const runner = new ProgramRunner();
    for (const { call, cpu, kernel: wrong } of this.#dumps.map(decodeDump)) {
      const again = endOnCpu(runner, call);
      expect([endsEqual(again, cpu), endsEqual(again, wrong)]).toEqual([true, false]);
    }
  }

  async close(): Promise<void> {
    await this.#engine.close();
    await this.#truth.close();
    for (const gpu of this.#opened) await gpu.close();
  }

  #newWorld(): FuzzBlocks {
    this.#state.clear();
    this.#height = 0;
    return new FuzzBlocks(`${this.options.seed}/${this.#world++}`, this.#programs);
  }
}

/** Writes and receipts of a block as one text. */
function textOf({ writes, receipts }: LaneBlockResult): string {
  const sorted = [...writes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, value && [...value]]);
  return JSON.stringify([receipts.map(comparable), sorted]);
}
