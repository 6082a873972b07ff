import type { GpuCall, GpuExecutor } from '../../gpu/pack/types.js';
import { prepareProgram } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { V8Comparison } from './compare.js';
import { randomFuel, randomInput, randomModule } from './generate.js';
import { Random } from './random.js';

export interface KernelFuzzOptions {
  readonly seed: number;
  readonly modules: number;
  /** Runs of each module, in one dispatch. */
  readonly runs: number;
  /** Number of the first module: with `modules` 1, replays a failure. */
  readonly first?: number;
  /** Opens an executor; called again after one has seen many programs and was closed. */
  readonly openExecutor: () => Promise<GpuExecutor>;
  readonly onProgress?: (modules: number) => void;
}

export interface KernelDifference {
  readonly module: number;
  readonly run: number;
  readonly text: string;
}

export interface KernelFuzzReport {
  readonly adapter: string;
  readonly modules: number;
  readonly runs: number;
  /** The first differences, one per module; `differing` counts all runs. */
  readonly differences: readonly KernelDifference[];
  readonly differing: number;
  /** Runs by their status in the kernel. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Runs that the kernel punted, by reason. */
  readonly punts: Readonly<Record<string, number>>;
  /** Modules without a kernel, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Milliseconds during which kernels were compiled (other modules run and are compared meanwhile). */
  readonly compileMs: number;
  readonly totalMs: number;
}

interface Batch {
  readonly module: number;
  readonly calls: readonly GpuCall[];
}

/** Modules whose kernels are compiled at the same time. */
const AHEAD = 16;
/** Most programs given to one executor, because it keeps their pipelines. */
const PROGRAMS_PER_LANE = 256;
const MAX_DIFFERENCES = 20;
/** Runs compared with V8 before timers and the driver's callbacks get a turn. */
const RUNS_AT_ONCE = 1_000;

/** Runs random modules on random inputs in the kernel and on V8; compares the status, fuel and digest of each run. */
export async function fuzzKernel(options: KernelFuzzOptions): Promise<KernelFuzzReport> {
  const fuzzer = new Fuzzer(options);
  try {
    return await fuzzer.run();
  } finally {
    await fuzzer.close();
  }
}

class Fuzzer {
  readonly #comparison = new V8Comparison();
  readonly #differences: KernelDifference[] = [];
  readonly #statuses: Record<string, number> = {};
  readonly #punts: Record<string, number> = {};
  readonly #refused: Record<string, number> = {};
  #executor: GpuExecutor | undefined;
  #adapter = '';
  #differing = 0;
  #runs = 0;
  #compileMs = 0;

  constructor(readonly options: KernelFuzzOptions) {}

  async run(): Promise<KernelFuzzReport> {
    const { modules, onProgress } = this.options;
    const started = performance.now();
    for (let done = 0; done < modules; ) {
      const executor = await this.#openExecutor();
      const here = Math.min(modules - done, PROGRAMS_PER_LANE);
      let next = this.#prepare(executor, done, Math.min(AHEAD, here));
      for (let i = 0; i < here; i += AHEAD) {
        const batches = await next;
        // The next kernels compile while these run and V8 compares.
        next = this.#prepare(executor, done + i + AHEAD, Math.min(AHEAD, here - i - AHEAD));
        next.catch(() => undefined);
        const results = await executor.run(batches.flatMap(({ calls }) => calls));
        let at = 0;
        for (const batch of batches) at = await this.#compare(batch, results, at);
        onProgress?.(done + Math.min(i + AHEAD, here));
      }
      await next;
      done += here;
    }
    return {
      adapter: this.#adapter,
      modules,
      runs: this.#runs,
      differences: this.#differences,
      differing: this.#differing,
      statuses: this.#statuses,
      punts: this.#punts,
      refused: this.#refused,
      compileMs: this.#compileMs,
      totalMs: performance.now() - started,
    };
  }

  async close(): Promise<void> {
    await this.#executor?.close();
    this.#executor = undefined;
  }

  async #openExecutor(): Promise<GpuExecutor> {
    await this.close();
    this.#executor = await this.options.openExecutor();
    this.#adapter = this.#executor.adapter.description || this.#executor.adapter.vendor;
    return this.#executor;
  }

  /** Makes the calls of `count` modules from number `at` of this run on, and compiles their kernels. */
  async #prepare(executor: GpuExecutor, at: number, count: number): Promise<Batch[]> {
    const batches: Batch[] = [];
    for (let i = 0; i < count; i++) {
      const module = (this.options.first ?? 0) + at + i;
      const program = prepareProgram(randomModule(this.options.seed, module));
      const supported = executor.supports(program);
      if (supported.ok) batches.push({ module, calls: this.#calls(program, module) });
      else count1(this.#refused, supported.reason);
    }
    const started = performance.now();
    await Promise.all(
      batches.flatMap(({ calls }) => calls.slice(0, 1).map(({ program }) => executor.prepare(program))),
    );
    this.#compileMs += performance.now() - started;
    return batches;
  }

  #calls(program: Program, module: number): GpuCall[] {
    const random = new Random(this.options.seed, -2 - module);
    return Array.from({ length: this.options.runs }, () => {
      const context = randomInput(random);
      return { program, context, height: 7, fuel: randomFuel(random, program.entryFuel), reads: [], writes: [] };
    });
  }

  /** Compares the results from `at` on with V8; returns where those of the next module begin. */
  async #compare(
    { module, calls }: Batch,
    results: Awaited<ReturnType<GpuExecutor['run']>>,
    at: number,
  ): Promise<number> {
    let seen = false;
    for (let run = 0; run < calls.length; run++) {
      const [call, result] = [calls[run], results[at + run]];
      if (call === undefined || result === undefined) throw new RangeError('a result is missing');
      count1(this.#statuses, result.status);
      if (result.status === 'PUNT') count1(this.#punts, result.puntReason ?? 'none');
      const text = this.#comparison.difference(call, result);
      if (text !== undefined) {
        this.#differing++;
        if (!seen && this.#differences.length < MAX_DIFFERENCES) this.#differences.push({ module, run, text });
        seen = true;
      }
      if (run % RUNS_AT_ONCE === RUNS_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#runs += calls.length;
    return at + calls.length;
  }
}

function count1(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
