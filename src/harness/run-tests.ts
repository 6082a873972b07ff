/** Runs declared tests, one after the other, and takes every chain of theirs through other executors. */
import { KnownBlocks } from '../contract-chain/known-blocks.js';
import type { MemoryChainOptions } from '../contract-chain/memory-chain.js';
import { InputError } from '../errors/errors.js';
import { ProgramRunner } from '../program/runner.js';
import type { ConflictReport } from './conflicts.js';
import type { CoverRunner } from './cover-runner.js';
import type { DirectFigures } from './direct-fuzz.js';
import type { DirectKernel } from './direct-kernel.js';
import { FuzzEngines, runFuzz } from './fuzz-run.js';
import { RecordingChain } from './recording-chain.js';
import type { Registered } from './registry.js';
import { type RecordedRun, Replayer, recordedRun } from './replay.js';
import { TestChain } from './test-chain.js';

/** What became of a test; plain data that crosses threads. */
export interface TestReport {
  readonly name: string;
  readonly file: string;
  /** How many threads each report on a part of it. */
  readonly parts: number;
  readonly ms: number;
  /** Of all messages of the test; undefined where it is not the same each time. */
  readonly fuel: number | undefined;
  /** Undefined: it holds. */
  readonly failure: TestFailure | undefined;
  /** Calls of a fuzz test, and those of a second. */
  readonly calls?: number;
  readonly callsPerSecond?: number;
  readonly direct?: DirectFigures;
  readonly conflicts?: ConflictReport;
  /** Its chains, for the kernel. */
  readonly runs: readonly RecordedRun[];
}

export interface TestFailure {
  readonly message: string;
  /** Places in the files of the tests, innermost first. */
  readonly stack: readonly string[];
}

export interface RunTestsOptions {
  readonly contracts: ReadonlyMap<string, Uint8Array>;
  /** Calls of a fuzz test. */
  readonly fuzzCalls: number;
  readonly seed: number;
  /** Whether fuzz tests report the conflicts of their calls. */
  readonly conflicts: boolean;
  /** Whether chains are handed out for the kernel. */
  readonly keepsRuns: boolean;
  /** Of calls by themselves. */
  readonly kernel: DirectKernel | undefined;
  /** Runs contracts that tell what they run, on the sequential executor alone. */
  readonly cover: CoverRunner | undefined;
  /** The package of the project; asked for where a property is declared. */
  readonly fastCheck: () => Promise<FastCheck>;
}

/** What is used of fast-check. */
export interface FastCheck {
  asyncProperty(arbitrary: unknown, body: (value: unknown) => Promise<void>): unknown;
  assert(property: unknown, options: { readonly numRuns: number; readonly seed: number }): Promise<void>;
}

/** Blocks of a property's chains that are kept for the kernel. */
const KEPT_RUNS = 20;

export class TestRunner {
  readonly #options: RunTestsOptions;
  readonly #programs = new ProgramRunner();
  readonly #known: MemoryChainOptions['known'] = new KnownBlocks();
  readonly #batches = new Replayer('in batches');
  readonly #engines = new FuzzEngines();

  constructor(options: RunTestsOptions) {
    this.#options = options;
  }

  /** Runs one test to its end, whatever it throws; of a fuzz test that is shared, part number `part` of `parts`. */
  async run(test: Registered, part = 0, parts = 1): Promise<TestReport> {
    const started = performance.now();
    const { name, file } = test;
    const runs: RecordedRun[] = [];
    const end = { fuel: undefined as number | undefined, calls: {} };
    let failure: TestFailure | undefined;
    try {
      if (test.kind === 'fuzz') {
        const { fuzzCalls, seed, conflicts: reports, kernel, cover } = this.#options;
        const isShared = parts > 1;
        const calls = isShared ? Math.ceil(fuzzCalls / parts) : fuzzCalls;
        const options = {
          calls,
          seed: `${seed} ${name}${isShared ? ` ${part}` : ''}`,
          reports,
          kernel,
          isCovered: cover !== undefined,
        };
        end.calls = await runFuzz(test.spec, this.#chain(), this.#engines, options);
      } else if (test.kind === 'property') await this.#property(test, runs);
      else end.fuel = await this.#once(test.body, runs);
    } catch (error) {
      failure = failureOf(error);
    }
    const { fuel, calls } = end;
    return { name, file, parts, ms: performance.now() - started, fuel, failure, runs, ...calls };
  }

  async close(): Promise<void> {
    await this.#batches.close();
    await this.#engines.close();
  }

  #chain(): TestChain {
    const shared = { runner: this.#programs, known: this.#known };
    return new TestChain(
      new RecordingChain(this.#options.cover === undefined ? shared : { runner: this.#options.cover }),
      this.#options.contracts,
    );
  }

  /** Gives the fuel of the test's messages. */
  async #once(body: (chain: TestChain) => void | Promise<void>, runs: RecordedRun[]): Promise<number> {
    const chain = this.#chain();
    await body(chain);
    if (this.#options.cover !== undefined) return fuelOf(chain.recording);
    const run = recordedRun(chain.recording);
    const difference = await this.#batches.differenceIn(run);
    if (difference !== undefined) {
      throw new InputError('TEST_EXECUTORS_DIFFER', `the contract is the same everywhere but here: ${difference}`, {
        hint: 'This is an error of warpshrew: report it with the test and the contract.',
      });
    }
    if (this.#options.keepsRuns && runs.length < KEPT_RUNS) runs.push(run);
    return fuelOf(chain.recording);
  }

  async #property(test: Registered & { kind: 'property' }, runs: RecordedRun[]): Promise<void> {
    const fc = await this.#options.fastCheck();
    const body = async (value: unknown): Promise<void> => {
      await this.#once((chain) => test.body(chain, value), runs);
    };
    const { seed } = this.#options;
    await fc.assert(fc.asyncProperty(test.arbitrary, body), { numRuns: test.runs, seed });
  }
}

function fuelOf({ steps }: RecordingChain): number {
  let fuel = 0;
  for (const step of steps) {
    if (step.kind === 'rollback') continue;
    for (const { outcome } of step.block.lane) for (const { fuelUsed } of outcome.messages) fuel += fuelUsed;
  }
  return fuel;
}

function failureOf(error: unknown): TestFailure {
  if (!(error instanceof Error)) return { message: String(error), stack: [] };
  const explained = 'explain' in error && typeof error.explain === 'function' ? String(error.explain()) : error.message;
  const stack = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { message: explained, stack: stack.map((line) => line.trim()).filter(isOfProject) };
}

/** Lines of Node and of packages say nothing about a test. */
function isOfProject(line: string): boolean {
  return !/node:internal|node_modules|\/dist\/|\(native\)|<anonymous>\)?$/.test(line);
}
