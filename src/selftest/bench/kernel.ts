/** The kernel executor, from recorded calls to applied writes, phase by phase, against V8 on one thread and on all. */

import { openDevice } from '../../gpu/device/device.js';
import { DawnExecutor } from '../../gpu/gpu-executor.js';
import type { GpuBlock, GpuCall, GpuOutcomes } from '../../gpu/pack/types.js';
import { prepareProgram } from '../../program/prepare.js';
import { ProgramRunner } from '../../program/runner.js';
import type { Program } from '../../program/types.js';
import { builtPrograms, type ProgramName } from '../../util/built-wasm.js';
import { hostOf, runOnV8 } from './calls-on-v8.js';
import { compareOutcomes, recordCalls } from './kernel-calls.js';
import { poolRate } from './pool.js';
import { SAMPLES } from './sample-calls.js';
import { type Spread, spreadOf } from './spread.js';

export interface KernelBenchOptions {
  /** Numbers of messages per batch. */
  readonly counts: readonly number[];
  /** Batches measured per figure. */
  readonly rounds: number;
  readonly programs: readonly ProgramName[];
  /** Threads of the CPU pool. */
  readonly threads: number;
  readonly onProgress: (line: string) => void;
}

export interface KernelRow {
  readonly program: ProgramName;
  readonly count: number;
  /** Microseconds per message on one thread: dry runs, and writing their calls into columns. */
  readonly dryRun: Spread;
  readonly record: Spread;
  /** Milliseconds, each phase waiting for the one before it. */
  readonly pack: Spread;
  readonly upload: Spread;
  readonly kernel: Spread;
  readonly readback: Spread;
  readonly apply: Spread;
  /** Milliseconds from recorded calls to applied writes without these waits. */
  readonly endToEnd: Spread;
  readonly endToEndPerSecond: number;
  readonly kernelPerSecond: number;
  readonly v8PerSecond: number;
  readonly poolPerSecond: number;
  readonly timesV8: number;
  readonly timesPool: number;
  readonly packApplyMicroseconds: number;
  readonly punted: number;
  /** Messages whose status, reason, fuel or result differ from V8's, PUNTs aside. */
  readonly differences: number;
}

export interface KernelReport {
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  readonly threads: number;
  /** Milliseconds until a program's kernel was compiled. */
  readonly compileMs: Readonly<Record<string, number>>;
  readonly rows: readonly KernelRow[];
}

const SEED = 0x5eed;
/** Calls that are enough to tell what one costs on a thread. */
const SUBSET = 5_000;

/** Measures the bundled programs (after `npm run build`) and compares every result with V8's. */
export async function benchKernel(options: KernelBenchOptions): Promise<KernelReport> {
  const sources = builtPrograms();
  const compileMs: Record<string, number> = {};
  const rows: KernelRow[] = [];
  const measured = new DawnExecutor(await openDevice(), { measure: true, patient: true });
  const piped = new DawnExecutor(await openDevice(), { patient: true });
  try {
    const { vendor, description, software } = piped.adapter;
    options.onProgress(`${vendor} ${description}${software ? ' (software)' : ''}`);
    for (const name of options.programs) {
      const program = prepareProgram(sources[name]);
      const supported = piped.supports(program);
      if (!supported.ok) {
        options.onProgress(`${name}: no kernel, ${supported.reason}`);
        continue;
      }
      const started = performance.now();
      await piped.prepare(program);
      compileMs[name] = Math.round(performance.now() - started);
      options.onProgress(`${name}: kernel compiled in ${compileMs[name]} ms`);
      await measured.prepare(program);
      for (const count of options.counts) {
        rows.push(await new Measurement(name, program, count, measured, piped).run(options));
        options.onProgress(`${name} ${count}: ${rows.at(-1)?.endToEndPerSecond} messages/s`);
      }
    }
    return { adapter: piped.adapter, threads: options.threads, compileMs, rows };
  } finally {
    await measured.close();
    await piped.close();
  }
}

const LANE_PHASES = ['packMs', 'uploadMs', 'kernelMs', 'readbackMs'] as const;

class Measurement {
  readonly #samples: Record<string, number[]> = {};
  readonly #calls: readonly GpuCall[];
  readonly #block: GpuBlock;
  readonly #runner = new ProgramRunner();

  constructor(
    readonly name: ProgramName,
    readonly program: Program,
    readonly count: number,
    readonly measured: DawnExecutor,
    readonly piped: DawnExecutor,
  ) {
    const { calls, independent } = SAMPLES[name];
    this.#calls = calls(program, count);
    const records = recordCalls(name, this.#calls, SEED);
    const colour = Uint32Array.from({ length: count }, (_, i) => i);
    const programs = new Map([[program.hash, program]]);
    this.#block = { seed: SEED, records, programs, segments: [[colour]], independent };
  }

  async run({ rounds, threads }: KernelBenchOptions): Promise<KernelRow> {
    let verdict = { differences: 0, punted: 0 };
    // The first round warms caches, buffers and V8 up.
    for (let round = -1; round < rounds; round++) {
      const keep = round >= 0;
      this.#perCall('dryRun', keep, (calls) => this.#dryRun(calls));
      this.#perCall('record', keep, (calls) => recordCalls(this.name, calls, SEED));
      await this.#phases(keep);
      const started = performance.now();
      await this.#through(this.piped, (outcomes) => outcomes.writes());
      if (keep) this.#add('endToEnd', performance.now() - started);
    }
    for (let round = 0; round < rounds; round++) {
      this.#perCall('v8', true, (calls) => {
        for (const call of calls) runOnV8(this.#runner, call);
      });
    }
    const expected = this.#calls.map((call) => runOnV8(this.#runner, call));
    await this.#through(this.piped, (outcomes) => {
      verdict = compareOutcomes(outcomes, expected);
    });
    return this.#row(verdict, await poolRate(this.name, this.count, threads));
  }

  #row(verdict: { differences: number; punted: number }, poolPerSecond: number): KernelRow {
    const spread = (name: string): Spread => spreadOf(this.#samples[name] ?? []);
    const rate = (name: string): number => Math.round(this.count / (spread(name).median / 1000));
    const endToEndPerSecond = rate('endToEnd');
    const v8PerSecond = Math.round(1e6 / spread('v8').median);
    return {
      program: this.name,
      count: this.count,
      dryRun: spread('dryRun'),
      record: spread('record'),
      pack: spread('packMs'),
      upload: spread('uploadMs'),
      kernel: spread('kernelMs'),
      readback: spread('readbackMs'),
      apply: spread('apply'),
      endToEnd: spread('endToEnd'),
      endToEndPerSecond,
      kernelPerSecond: rate('kernelMs'),
      v8PerSecond,
      poolPerSecond,
      timesV8: round2(endToEndPerSecond / v8PerSecond),
      timesPool: round2(endToEndPerSecond / poolPerSecond),
      packApplyMicroseconds: round2(((spread('packMs').median + spread('apply').median) * 1000) / this.count),
      ...verdict,
    };
  }

  async #phases(keep: boolean): Promise<void> {
    const before = { ...this.measured.timings };
    await this.#through(this.measured, (outcomes) => this.#time('apply', keep, () => outcomes.writes()));
    if (!keep) return;
    for (const phase of LANE_PHASES) this.#add(phase, this.measured.timings[phase] - before[phase]);
  }

  async #through(executor: DawnExecutor, use: (outcomes: GpuOutcomes) => void): Promise<void> {
    const run = await executor.begin(this.#block);
    try {
      use(await run.run(0));
    } finally {
      run.close();
    }
  }

  /** Microseconds that `work` takes per call, of the first {@link SUBSET}. */
  #perCall(name: string, keep: boolean, work: (calls: readonly GpuCall[]) => unknown): void {
    const calls = this.#calls.slice(0, SUBSET);
    const started = performance.now();
    work(calls);
    if (keep) this.#add(name, ((performance.now() - started) * 1000) / calls.length);
  }

  #dryRun(calls: readonly GpuCall[]): void {
    for (const call of calls) this.#runner.run(call.program, hostOf(call, true), call.fuel);
  }

  #time(name: string, keep: boolean, work: () => unknown): void {
    const started = performance.now();
    work();
    if (keep) this.#add(name, performance.now() - started);
  }

  #add(name: string, ms: number): void {
    this.#samples[name] ??= [];
    this.#samples[name].push(ms);
  }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
