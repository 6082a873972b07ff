/** One run of a project's tests: compile, bundle, threads, the kernel, fuel. */
import { Worker } from 'node:worker_threads';
import { InternalError } from '../errors/errors.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { DEEP_STACK } from '../util/deep-thread.js';
import { shipped } from '../util/shipped.js';
import { bundleTests } from './bundle.js';
import { compileContracts, compileCovered } from './compile.js';
import { coverageOf, type FileCoverage } from './coverage.js';
import { runDirect } from './direct-kernel.js';
import type { Project } from './project.js';
import type { TestThreadMessage, TestThreadSetup } from './protocol.js';
import { Replayer } from './replay.js';
import { ReportParts } from './report-parts.js';
import type { TestReport } from './run-tests.js';

export interface SessionOptions {
  readonly filter: string;
  readonly fuzzCalls: number;
  readonly seed: number;
  readonly conflicts: boolean;
  /** Which lines run is counted, on the sequential executor alone. */
  readonly coverage: boolean;
  /** Threads that run tests. */
  readonly threads: number;
  /** Every chain also goes through it. */
  readonly gpu: GpuExecutor | undefined;
  readonly onReport: (report: TestReport) => void;
  readonly onNote: (text: string) => void;
}

export interface SessionResult {
  readonly reports: readonly TestReport[];
  /** Files that could not be loaded, and why. */
  readonly failedFiles: readonly { readonly file: string; readonly message: string }[];
  /** Calls that the kernel ran to a final status, and those that it gave back; undefined without a kernel. */
  readonly kernel: { readonly runs: number; readonly punted: number } | undefined;
  /** Undefined if it was not asked for. */
  readonly coverage: readonly FileCoverage[] | undefined;
}

/** Runs the tests of `project`. Throws InputError CONTRACT_COMPILE and UsageError USAGE_TEST_PACKAGE. */
export async function runSession(project: Project, options: SessionOptions): Promise<SessionResult> {
  const { filter, fuzzCalls, seed, conflicts, coverage } = options;
  const gpu = coverage ? undefined : options.gpu;
  const compiled = await compileContracts(project, options.onNote);
  const files = await bundleTests(project);
  const covered = coverage ? await compileCovered(project, compiled) : undefined;
  const contracts = covered?.contracts ?? new Map(compiled.map(({ name, wasm }) => [name, wasm]));
  const setup = {
    folder: project.folder,
    files,
    contracts,
    filter,
    fuzzCalls,
    seed,
    conflicts,
    keepsRuns: gpu !== undefined,
    covers: coverage,
  };
  const hits = new Map<number, number>();
  const reports: TestReport[] = [];
  const failedFiles = new Map<string, string>();
  const parts = new ReportParts();
  const hear = (message: TestThreadMessage): void => {
    if (message.kind === 'failed') failedFiles.set(message.file, message.message);
    if (message.kind === 'covered') {
      for (const [site, count] of message.hits) hits.set(site, (hits.get(site) ?? 0) + count);
    }
    if (message.kind !== 'reports') return;
    for (const report of message.reports.flatMap((each) => parts.whole(each))) {
      reports.push(report);
      options.onReport(report);
    }
  };
  await runThreads(setup, options.threads, gpu, hear);
  const kernel = gpu === undefined ? undefined : await throughKernel(reports, gpu, options.onReport);
  return {
    reports: kernel?.reports ?? reports,
    failedFiles: [...failedFiles].map(([file, message]) => ({ file, message })),
    coverage: covered && coverageOf(covered.sites, hits),
    kernel: kernel && { runs: kernel.runs, punted: kernel.punted },
  };
}

/** Each thread loads all files and runs its share of the tests. */
async function runThreads(
  setup: Omit<TestThreadSetup, 'thread' | 'threads'>,
  most: number,
  gpu: GpuExecutor | undefined,
  hear: (message: TestThreadMessage) => void,
): Promise<void> {
  const threads = Array.from({ length: most }, (_, thread) => ({ ...setup, thread, threads: most }));
  await Promise.all(threads.map((thread) => runThread(thread, gpu, hear)));
}

function runThread(
  setup: TestThreadSetup,
  gpu: GpuExecutor | undefined,
  hear: (message: TestThreadMessage) => void,
): Promise<void> {
  const worker = new Worker(shipped('harness/worker.js'), { workerData: setup, resourceLimits: DEEP_STACK });
  return new Promise((resolve, reject) => {
    let isDone = false;
    worker.on('message', (message: TestThreadMessage) => {
      isDone ||= message.kind === 'done';
      if (message.kind !== 'direct') hear(message);
      else if (gpu !== undefined) void runDirect(gpu, message).then((reply) => worker.postMessage(reply));
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      if (isDone) resolve();
      else reject(new InternalError('a thread of tests ended before its tests'));
    });
  });
}

/** Takes every chain through the kernel; a test whose chain ends otherwise there fails. */
async function throughKernel(
  reports: readonly TestReport[],
  gpu: GpuExecutor,
  onReport: (report: TestReport) => void,
): Promise<{ readonly reports: TestReport[]; readonly runs: number; readonly punted: number }> {
  const replayer = new Replayer('in the kernel', gpu);
  const checked: TestReport[] = [];
  try {
    for (const report of reports) {
      let difference: string | undefined;
      for (const run of report.runs) difference ??= await replayer.differenceIn(run);
      if (difference === undefined || report.failure !== undefined) {
        checked.push(report);
        continue;
      }
      const failed = { ...report, failure: { message: `TEST_EXECUTORS_DIFFER: ${difference}`, stack: [] } };
      checked.push(failed);
      onReport(failed);
    }
  } finally {
    await replayer.close();
  }
  return { reports: checked, runs: replayer.kernelRuns, punted: replayer.punted };
}
