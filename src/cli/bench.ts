import { availableParallelism } from 'node:os';
import { UsageError } from '../errors/errors.js';
import { openGpuExecutor } from '../gpu/gpu-executor.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import type { Policy } from '../lane/policy.js';
import { EXECUTORS } from '../lane/statistics.js';
import type { WayFigures } from '../selftest/bench/block-side.js';
import { isWorkload, WORKLOAD_NAMES } from '../selftest/bench/block-workloads.js';
import {
  type BlockBenchOptions,
  type BlockReport,
  type BlockRow,
  benchBlocks,
  benchContention,
} from '../selftest/bench/blocks.js';
import { benchFuel, type FuelReport, type FuelRow, tooExpensive } from '../selftest/bench/fuel.js';
import { benchKernel, type KernelReport, type KernelRow } from '../selftest/bench/kernel.js';
import { runLine } from '../selftest/bench/machine.js';
import { SAMPLED_PROGRAMS } from '../selftest/bench/sample-calls.js';
import { type KernelChoice, KernelSource } from '../tasks/server/kernel-source.js';
import type { Priority } from '../tasks/server/messages.js';
import { benchContractFiles, type ContractOptions } from './bench-contracts.js';
import { benchLoad } from './bench-load.js';
import { writeReport } from './bench-report.js';
import { type Columns, markdown, spread } from './bench-table.js';
import { benchThreshold } from './bench-threshold.js';
import { gpuIfThere } from './gpu-if-there.js';

export interface BenchOptions extends ContractOptions, Omit<KernelChoice, 'patient'> {
  readonly gpuPriority?: Priority;
  readonly mix?: string;
  readonly rate?: number;
  readonly blocks?: number;
  /** Each benchmark's own if not given. */
  readonly sizes?: readonly number[];
  readonly starts?: number;
  readonly only?: string;
  readonly workers?: number;
  readonly policies: readonly Policy[];
  readonly kernel?: boolean;
  readonly out?: string;
  readonly compare?: boolean;
  readonly withBlocks?: boolean;
}

/** They measure phases of a device that no server tells. */
const OWN_DEVICE: ReadonlySet<string> = new Set(['gpu', 'threshold', 'fuel']);

interface BenchResult {
  readonly text: string;
  readonly exitStatus: number;
}

/**
 * `warpshrew bench gpu`: the kernel against V8, per program and number of messages. `warpshrew bench blocks`: whole
 * blocks under every policy. `warpshrew bench contention`: the same for calls of which some change one counter.
 * `warpshrew bench threshold`: from which size on the kernel wins. `warpshrew bench load`: blocks at a pace.
 * `warpshrew bench fuel`: nanoseconds a unit of fuel. `warpshrew bench contracts FILE…`: contracts in the lane against
 * V8 alone. Throws USAGE_BENCH, GPU_UNAVAILABLE, FILE_*, WASM_*.
 */
export async function benchCommand(
  what: string,
  files: readonly string[],
  options: BenchOptions,
): Promise<BenchResult> {
  if (options.gpuServer !== undefined && OWN_DEVICE.has(what)) {
    throw new UsageError('USAGE_BENCH', `bench ${what} measures a device of this process, not a server's`);
  }
  if (what === 'contracts') return benchContractsAlso(files, options);
  if (what === 'threshold') {
    const { sizes = [16, 64, 256, 1_024, 4_096, 16_384], rounds = 15, only, withBlocks, policies, ...more } = options;
    const blocks = withBlocks === true ? { policies } : {};
    return benchThreshold(files, {
      ...more,
      ...blocks,
      sizes,
      rounds,
      programs: chosen(SAMPLED_PROGRAMS, only),
      onProgress: say,
    });
  }
  if (files.length > 0) {
    throw new UsageError('USAGE_BENCH', `bench ${what} takes no files`, { hint: 'warpshrew bench contracts FILE…' });
  }
  if (what === 'load') return benchLoad({ ...options, source: sourceOf(options), onProgress: say });
  if (what === 'gpu') return benchGpu(options);
  if (what === 'blocks') {
    const workloads = chosen(WORKLOAD_NAMES, options.only).filter(isWorkload);
    return benchWholeBlocks('blocks', options, [100, 1_000, 5_000], (bench) => benchBlocks(workloads, bench));
  }
  if (what === 'contention') return benchWholeBlocks(what, options, [1_000], benchContention);
  if (what === 'fuel') return benchPrices(options);
  throw new UsageError('USAGE_BENCH', `no benchmark is called ${what}`, {
    hint: 'The benchmarks are: gpu, threshold, load, blocks, contention, fuel, contracts.',
  });
}

async function benchGpu(options: BenchOptions): Promise<BenchResult> {
  const report = await benchKernel({
    counts: options.sizes ?? [100, 1_000, 10_000, 100_000],
    rounds: options.rounds ?? 5,
    programs: chosen(SAMPLED_PROGRAMS, options.only),
    threads: availableParallelism(),
    onProgress: say,
  });
  const failed = report.rows.some((row) => row.differences > 0);
  return { text: options.json ? JSON.stringify(report) : kernelTable(report), exitStatus: failed ? 1 : 0 };
}

async function benchWholeBlocks(
  name: string,
  options: BenchOptions,
  sizes: readonly number[],
  measure: (bench: BlockBenchOptions) => Promise<BlockReport>,
): Promise<BenchResult> {
  const gpu = await gpuIfThere('the policies gpu and balance are not measured', sourceOf(options));
  try {
    const report = await measure({ ...blockOptions(options, gpu), counts: options.sizes ?? sizes });
    const failed = report.rows.some((row) => row.differences > 0);
    if (options.out !== undefined) writeReport(options.out, `${name}.json`, `${JSON.stringify(report)}\n`);
    return { text: options.json ? JSON.stringify(report) : blockTable(report), exitStatus: failed ? 1 : 0 };
  } finally {
    await gpu?.close();
  }
}

function sourceOf(options: BenchOptions): KernelSource {
  return new KernelSource({ ...options, patient: true }, options.gpuPriority ?? 'bench');
}

function blockOptions(options: BenchOptions, gpu: GpuExecutor | undefined): BlockBenchOptions {
  return {
    counts: [],
    rounds: Math.max(1, options.rounds ?? 7),
    starts: options.starts ?? 3,
    policies: options.policies,
    workers: options.workers,
    gpu,
    onProgress: say,
  };
}

async function benchContractsAlso(files: readonly string[], options: BenchOptions): Promise<BenchResult> {
  const gpu =
    options.block === undefined
      ? undefined
      : await gpuIfThere('the policies gpu and balance are not measured', sourceOf(options));
  try {
    // Rounds are calls here: of a block, as many as by default.
    const blocks = blockOptions({ ...options, rounds: undefined }, gpu);
    return await benchContractFiles(files, options, blocks, blockTable);
  } finally {
    await gpu?.close();
  }
}

async function benchPrices({ rounds, only, kernel, json }: BenchOptions): Promise<BenchResult> {
  const gpu = kernel === true ? await openGpuExecutor() : undefined;
  try {
    const report = await benchFuel({ rounds: Math.max(1, rounds ?? 5), only: only?.split(','), gpu, onProgress: say });
    return {
      text: json ? JSON.stringify(report) : fuelTable(report),
      exitStatus: tooExpensive(report).length > 0 ? 1 : 0,
    };
  } finally {
    await gpu?.close();
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Those of `known` that `only` lists; all if it is not given. */
function chosen<Name extends string>(known: readonly Name[], only: string | undefined): Name[] {
  const wanted = only?.split(',');
  const unknown = wanted?.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) {
    throw new UsageError('USAGE_BENCH', `nothing to measure is called ${unknown}`, { hint: known.join(', ') });
  }
  return known.filter((name) => wanted === undefined || wanted.includes(name));
}

const KERNEL_COLUMNS: Columns<KernelRow> = [
  ['program', (row) => row.program],
  ['n', (row) => String(row.count)],
  ['dry run µs', (row) => spread(row.dryRun)],
  ['record µs', (row) => spread(row.record)],
  ['pack ms', (row) => spread(row.pack)],
  ['upload ms', (row) => spread(row.upload)],
  ['kernel ms', (row) => spread(row.kernel)],
  ['readback ms', (row) => spread(row.readback)],
  ['apply ms', (row) => spread(row.apply)],
  ['end to end /s', (row) => String(row.endToEndPerSecond)],
  ['kernel /s', (row) => String(row.kernelPerSecond)],
  ['V8, 1 thread /s', (row) => String(row.v8PerSecond)],
  ['V8, all threads /s', (row) => String(row.poolPerSecond)],
  ['× 1 thread', (row) => String(row.timesV8)],
  ['pack + apply µs', (row) => String(row.packApplyMicroseconds)],
  ['PUNT', (row) => String(row.punted)],
  ['differences', (row) => String(row.differences)],
];

function kernelTable({ adapter, threads, compileMs, rows }: KernelReport): string {
  return [
    `${adapter.vendor} ${adapter.description}, ${threads} threads; medians (least–most)`,
    `kernels compiled in ms: ${Object.entries(compileMs)
      .map(([name, took]) => `${name} ${took}`)
      .join(', ')}`,
    '',
    ...markdown(KERNEL_COLUMNS, rows, ['program']),
  ].join('\n');
}

const FUEL_COLUMNS: Columns<FuelRow> = [
  ['what', (row) => row.name],
  ['fuel of a run', (row) => String(row.fuel)],
  ['V8 cold', (row) => spread(row.cold)],
  ['V8 warm', (row) => spread(row.warm)],
  ['interpreted', (row) => spread(row.interpreted)],
  ['kernel', (row) => String(row.kernel ?? '-')],
];

function fuelTable(report: FuelReport): string {
  const expensive = tooExpensive(report).map(({ name }) => name);
  return [
    `Node ${report.node}, V8 ${report.v8}; nanoseconds a unit of fuel, medians (least–most)`,
    '',
    ...markdown(FUEL_COLUMNS, report.rows, ['what']),
    '',
    expensive.length === 0 ? `nothing above ${report.most}` : `above ${report.most}: ${expensive.join('; ')}`,
  ].join('\n');
}

type BlockLine = readonly [row: BlockRow, figures: WayFigures];
const BLOCK_COLUMNS: Columns<BlockLine> = [
  ['workload', ([row]) => row.workload],
  ['n', ([row]) => String(row.count)],
  ['colours', ([row]) => String(row.colours)],
  ['policy', ([, { policy }]) => policy],
  ['predicted reads', ([, { predictReads }]) => (predictReads ? 'yes' : 'no')],
  ['block ms', ([, { wall }]) => spread(wall)],
  ['tx/s', ([, { perSecond }]) => String(perSecond)],
  ['× sequential', ([, { policy, speedUp }]) => (policy === 'sequential' ? '1' : spread(speedUp))],
  ['auto/best', ([{ auto }, way]) => (auto !== undefined && isMeasuredAuto(way) ? spread(auto.overBest) : '')],
  [
    'auto/sequential-first',
    ([{ auto }, way]) => (auto !== undefined && isMeasuredAuto(way) ? auto.overSequentialFirst.join(' ') : ''),
  ],
  [
    'balance/best of cpu, gpu',
    ([{ balance }, { policy, predictReads }]) =>
      balance !== undefined && policy === 'balance' && predictReads ? spread(balance) : '',
  ],
  ['bare ms', ([{ bare }]) => String(bare.median)],
  ['host µs/tx', ([, { hostMicroseconds }]) => spread(hostMicroseconds)],
  ['heap B/tx', ([, { heapBytes }]) => String(Math.round(heapBytes.median))],
  ['GC %', ([, { gcPercent }]) => String(gcPercent.median)],
  ['all threads µs/tx', ([, { cpuMicroseconds }]) => String(cpuMicroseconds.median)],
  ['reuse/gpu/cpu/sequential', ([, { executors }]) => EXECUTORS.map((name) => executors[name]).join('/')],
  ['repaired', ([, { repaired }]) => String(repaired)],
  ['predicted/wrong', ([, { predicted, mispredicted }]) => `${predicted}/${mispredicted}`],
  ['phases ms', ([, { ms }]) => phases(ms)],
  ['differences', ([row]) => String(row.differences)],
];

/** The one that is compared with the best and with `sequential`. */
function isMeasuredAuto({ policy, predictReads }: WayFigures): boolean {
  return policy === 'auto' && predictReads;
}

function phases(ms: WayFigures['ms']): string {
  return Object.entries(ms)
    .map(([phase, median]) => `${phase} ${median.toFixed(1)}`)
    .join(', ');
}

function blockTable(report: BlockReport): string {
  const lines = report.rows.flatMap((row) => row.ways.map((figures): BlockLine => [row, figures]));
  return [
    `${runLine(report)}; medians (least–most)`,
    '',
    ...markdown(BLOCK_COLUMNS, lines, ['workload', 'policy', 'phases ms']),
  ].join('\n');
}
