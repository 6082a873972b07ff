/** Batches of growing size on one thread, on all threads and in the kernel, all of them after warming up. */
import { availableParallelism } from 'node:os';
import type { GpuCall, GpuExecutor } from '../../../gpu/pack/types.js';
import type { Policy } from '../../../lane/policy.js';
import { prepareProgram } from '../../../program/prepare.js';
import { ProgramRunner } from '../../../program/runner.js';
import type { Program } from '../../../program/types.js';
import { builtPrograms, type ProgramName } from '../../../util/built-wasm.js';
import { isWorkload, makeWorkload } from '../block-workloads.js';
import { benchBlock } from '../blocks.js';
import { runOnV8 } from '../calls-on-v8.js';
import { compareOutcomes, recordCalls } from '../kernel-calls.js';
import { benchRun } from '../machine.js';
import { Pool } from '../pool.js';
import { SAMPLES } from '../sample-calls.js';
import {
  blockWay,
  crossingsOf,
  pointOf,
  type ThresholdPoint,
  type ThresholdReport,
  type ThresholdWay,
} from './report.js';

export interface ThresholdOptions {
  readonly counts: readonly number[];
  /** Batches measured per point. */
  readonly rounds: number;
  readonly programs: readonly ProgramName[];
  /** Policies under which whole blocks of the messages are measured as well; none if not given. */
  readonly policies?: readonly Policy[];
  /** undefined: only the CPU is measured. */
  readonly gpu: GpuExecutor | undefined;
  readonly onProgress: (line: string) => void;
}

/** Batches that warm up before those that are measured. */
const WARM_UP = 3;
const SEED = 0x5eed;

/** Measures the bundled programs, and compares every result of the kernel with V8's. */
export async function measureThreshold(options: ThresholdOptions): Promise<ThresholdReport> {
  const { programs, counts, gpu, onProgress } = options;
  const points: ThresholdPoint[] = [];
  let differences = 0;
  for (const name of programs) {
    const program = prepareProgram(builtPrograms()[name]);
    const kernel = gpu?.supports(program).ok === true ? gpu : undefined;
    await kernel?.prepare(program);
    for (const count of counts) {
      const batch = new Batch(name, program, count, options.rounds);
      points.push(await batch.onThread(), await batch.onThreads());
      if (kernel !== undefined) {
        points.push(await batch.inKernel(kernel));
        differences += await batch.differences(kernel);
      }
      if (options.policies !== undefined) {
        const blocks = await blocksOf(name, count, { ...options, policies: options.policies });
        points.push(...blocks.points);
        differences += blocks.differences;
      }
      const last = points.filter((point) => point.program === name && point.count === count);
      onProgress(`${name} ${count}: ${last.map(({ way, median }) => `${way} ${median} ms`).join(', ')}`);
    }
  }
  return {
    format: 'warpshrew-threshold-1',
    ...benchRun(gpu),
    points,
    crossings: crossingsOf(points),
    differences,
  };
}

/** Whole blocks of as many such messages, under `sequential` and every policy in question, in turn. */
async function blocksOf(
  program: ProgramName,
  count: number,
  { rounds, gpu, policies }: ThresholdOptions & { readonly policies: readonly Policy[] },
): Promise<{ readonly points: ThresholdPoint[]; readonly differences: number }> {
  const name = program === 'probe' ? 'counter' : program;
  if (!isWorkload(name)) return { points: [], differences: 0 };
  const options = { counts: [], rounds, starts: 0, policies, gpu, onProgress: () => undefined };
  const { ways, differences } = await benchBlock(makeWorkload(name, count), count, options);
  const points = ways.map(({ policy, blocks }) => {
    const ms = blocks.map((block) => block.ms);
    return pointOf({ program, count, way: blockWay(policy) }, ms.slice(0, -rounds), ms.slice(-rounds));
  });
  return { points, differences };
}

class Batch {
  readonly #calls: readonly GpuCall[];
  readonly #runner = new ProgramRunner();

  constructor(
    readonly name: ProgramName,
    readonly program: Program,
    readonly count: number,
    readonly rounds: number,
  ) {
    this.#calls = SAMPLES[name].calls(program, count);
  }

  onThread(): Promise<ThresholdPoint> {
    return this.#measure('one thread', async () => {
      for (const call of this.#calls) runOnV8(this.#runner, call);
    });
  }

  async onThreads(): Promise<ThresholdPoint> {
    const pool = await Pool.start(this.name, this.count, availableParallelism());
    try {
      return await this.#measure('all threads', () => pool.run(), pool.share);
    } finally {
      await pool.close();
    }
  }

  /** From calls that nobody has recorded to writes that are applied. */
  inKernel(gpu: GpuExecutor): Promise<ThresholdPoint> {
    return this.#measure('kernel', () => this.#through(gpu, (run) => void run.writes()));
  }

  async differences(gpu: GpuExecutor): Promise<number> {
    const expected = this.#calls.map((call) => runOnV8(this.#runner, call));
    let found = 0;
    await this.#through(gpu, (outcomes) => {
      found = compareOutcomes(outcomes, expected).differences;
    });
    return found;
  }

  async #through(gpu: GpuExecutor, use: (outcomes: Parameters<typeof compareOutcomes>[0]) => void): Promise<void> {
    const records = recordCalls(this.name, this.#calls, SEED);
    const colour = Uint32Array.from({ length: this.count }, (_, i) => i);
    const programs = new Map([[this.program.hash, this.program]]);
    const { independent } = SAMPLES[this.name];
    const run = await gpu.begin({ seed: SEED, records, programs, segments: [[colour]], independent });
    try {
      use(await run.run(0));
    } finally {
      run.close();
    }
  }

  /** `share`: what part of a batch's messages one round has run; more than all where they do not divide evenly. */
  async #measure(way: ThresholdWay, work: () => Promise<void>, share = 1): Promise<ThresholdPoint> {
    const times: number[] = [];
    for (let round = 0; round < WARM_UP + this.rounds; round++) {
      const started = performance.now();
      await work();
      times.push((performance.now() - started) / share);
    }
    const { name, count } = this;
    return pointOf({ program: name, count, way }, times.slice(0, WARM_UP), times.slice(WARM_UP));
  }
}
