/** `warpshrew test`: the tests of a project of contracts. */
import { existsSync, watch, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EXIT, WarpshrewError } from '../errors/errors.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { conflictText } from '../harness/conflict-text.js';
import { coverageText, type FileCoverage, lcovText } from '../harness/coverage.js';
import { type FuelChange, fuelChanges, readFuel, writeFuel } from '../harness/fuel-file.js';
import { type Project, readProject } from '../harness/project.js';
import type { TestReport } from '../harness/run-tests.js';
import { runSession } from '../harness/session.js';
import { gpuIfThere } from './gpu-if-there.js';

export interface TestOptions {
  readonly filter?: string;
  /** Calls of each fuzz test. */
  readonly fuzz: number;
  readonly seed: number;
  readonly jobs?: number;
  /** `write`: keep the fuel of all tests; `check`: fail where it is not what was kept. */
  readonly fuel?: 'write' | 'check';
  /** False: the kernel is left out. */
  readonly kernel: boolean;
  readonly watch?: boolean;
  /** Fuzz tests report which of their calls can run together. */
  readonly conflicts?: boolean;
  /** Which lines of the contracts run. */
  readonly coverage?: boolean;
}

const MOST_CHANGES = 40;
/** Editors write a file in several steps. */
const SETTLE_MS = 100;

/**
 * Runs the tests of the project in `folder`, each on the sequential executor, in batches and, where a driver is there,
 * in the kernel. Exit status 1 if one fails. Throws UsageError USAGE_TEST_*, InputError CONTRACT_COMPILE.
 */
export async function testCommand(folder: string, options: TestOptions): Promise<{ text: string; exitStatus: number }> {
  const gpu =
    options.kernel && options.coverage !== true ? await gpuIfThere('tests run without the kernel') : undefined;
  try {
    const status = options.watch ? await watchTests(folder, options, gpu) : await runOnce(folder, options, gpu);
    return { text: '', exitStatus: status };
  } finally {
    await gpu?.close();
  }
}

/** Runs the tests whenever a file of the project changes, until the process is ended. */
async function watchTests(folder: string, options: TestOptions, gpu: GpuExecutor | undefined): Promise<number> {
  for (;;) {
    try {
      await runOnce(folder, options, gpu);
    } catch (error) {
      if (!(error instanceof WarpshrewError)) throw error;
      say(error.explain());
    }
    say('waiting for a change; Ctrl-C ends it');
    await changeIn(folder);
    await wait(SETTLE_MS);
  }
}

function changeIn(folder: string): Promise<void> {
  const { contracts } = readProject(folder);
  const folders = new Set([...contracts.map(({ path }) => dirname(path)), `${folder}/tests`].filter(existsSync));
  const closers: (() => void)[] = [];
  return new Promise<void>((resolve) => {
    for (const each of folders) {
      const watcher = watch(each, { recursive: true }, () => resolve());
      closers.push(() => watcher.close());
    }
  }).finally(() => {
    for (const close of closers) close();
  });
}

async function runOnce(folder: string, options: TestOptions, gpu: GpuExecutor | undefined): Promise<number> {
  const started = performance.now();
  const project = readProject(folder);
  let file = '';
  const { reports, failedFiles, kernel, coverage } = await runSession(project, {
    filter: options.filter ?? '',
    fuzzCalls: options.fuzz,
    seed: options.seed,
    conflicts: options.conflicts ?? false,
    coverage: options.coverage ?? false,
    threads: options.jobs ?? availableParallelism(),
    gpu,
    onNote: say,
    onReport: (report) => {
      if (report.file !== file) say(report.file);
      file = report.file;
      say(reportText(report));
    },
  });
  for (const { file: broken, message } of failedFiles) say(`${broken} cannot be loaded\n${message}`);
  const failed = reports.filter(({ failure }) => failure !== undefined).length;
  if (coverage !== undefined) return sayCoverage(project, coverage, failed > 0 || failedFiles.length > 0);
  const changes = fuelChanges(readFuel(project.fuelFile), reports, options.filter !== undefined || failed > 0);
  if (options.fuel === 'write') writeFuel(project.fuelFile, reports);
  else if (existsSync(project.fuelFile)) for (const line of fuelText(changes)) say(line);
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  const through = kernel === undefined ? '' : `, in the kernel (${kernel.runs} calls, ${kernel.punted} given back)`;
  say(`${reports.length - failed} passed, ${failed} failed; one by one, in batches${through}; ${seconds} s`);
  const isDear = options.fuel === 'check' && changes.length > 0;
  return failed > 0 || failedFiles.length > 0 || isDear ? EXIT.check : 0;
}

/** The table, and the file for other programs. Gives the exit status. */
function sayCoverage(project: Project, files: readonly FileCoverage[], hasFailed: boolean): number {
  const file = join(project.build, 'lcov.info');
  writeFileSync(file, lcovText(files, project.folder));
  say(coverageText(files));
  say(`for editors: ${file}`);
  return hasFailed ? EXIT.check : 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function reportText({ name, ms, fuel, failure, calls, callsPerSecond, direct, conflicts }: TestReport): string {
  const inBlocks = `, ${calls} calls, ${callsPerSecond} a second of processor time`;
  const more = calls === undefined ? fuelOf(fuel) : `${inBlocks}${direct === undefined ? '' : directText(direct)}`;
  const line = `  ${failure === undefined ? 'ok  ' : 'FAIL'}  ${name} (${ms.toFixed(1)} ms${more})`;
  const told = conflicts === undefined ? [] : conflictText(conflicts).split('\n');
  if (failure === undefined) return [line, ...told.map((each) => `        ${each}`)].join('\n');
  const [place] = failure.stack;
  const text = [...failure.message.split('\n'), ...(place === undefined ? [] : [place])];
  return [line, ...text.map((each) => `        ${each}`)].join('\n');
}

/** What became of calls by themselves. */
function directText({
  calls,
  ms,
  timed,
  kernel,
  punted,
  compared,
  unfit,
  why,
}: NonNullable<TestReport['direct']>): string {
  const where =
    kernel + punted > 0
      ? `; in the kernel ${kernel}, given back ${punted}, of ${compared} V8 says the same`
      : `; on V8${why === undefined ? '' : `: ${why}`}`;
  const left = unfit === 0 ? '' : `; ${unfit} left out`;
  return `, ${calls} by themselves, ${Math.round((timed * 1000) / Math.max(1, ms))} a second${where}${left}`;
}

function fuelOf(fuel: number | undefined): string {
  return fuel === undefined ? '' : `, fuel ${fuel}`;
}

function fuelText(changes: readonly FuelChange[]): string[] {
  const lines = changes.slice(0, MOST_CHANGES).map(({ name, before, after }) => {
    if (before === undefined) return `  + ${after}  ${name}`;
    if (after === undefined) return `  - ${before}  ${name}`;
    const percent = (((after - before) / Math.max(1, before)) * 100).toFixed(1);
    return `  ${after > before ? '▲' : '▼'} ${before} -> ${after} (${percent} %)  ${name}`;
  });
  if (lines.length === 0) return [];
  return [`fuel: ${changes.length} tests are not as fuel.txt says (--fuel write keeps them)`, ...lines];
}
