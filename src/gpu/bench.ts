import { prepareProgram } from '../program/prepare.js';
import { ProgramRunner } from '../program/runner.js';
import type { Program, RunHost } from '../program/types.js';
import { builtPrograms, type ProgramName } from '../util/built-wasm.js';
import { bytesEqual, toBinaryString } from '../util/bytes.js';
import { openGpuLane } from './open.js';
import { claimCalls, ledgerCalls, mintCalls, namesCalls, swapCalls } from './sample-calls.js';
import type { GpuCall, GpuCallResult, GpuLane } from './types.js';

export interface BenchOptions {
  /** Numbers of messages per batch. */
  readonly counts: readonly number[];
  /** Batches measured per figure; the median counts. */
  readonly rounds: number;
  readonly onProgress?: (line: string) => void;
}

export interface BenchReport {
  readonly adapter: GpuLane['adapter'];
  /** Milliseconds of a program's first run of one message, which compiles its pipeline. */
  readonly compileMs: Readonly<Record<string, number>>;
  readonly rows: readonly BenchRow[];
}

export interface BenchRow {
  readonly program: string;
  readonly count: number;
  readonly packMs: number;
  readonly uploadMs: number;
  readonly kernelMs: number;
  readonly readbackMs: number;
  readonly totalMs: number;
  readonly endToEndPerSecond: number;
  readonly kernelPerSecond: number;
  readonly v8PerSecond: number;
  readonly punted: number;
  /** Messages whose status, reason, fuel or result differ from V8's, PUNTs aside. */
  readonly differences: number;
}

const PROGRAMS: readonly (readonly [ProgramName, (program: Program, count: number) => GpuCall[]])[] = [
  ['claim', claimCalls],
  ['amm', swapCalls],
  ['mint', mintCalls],
  ['ledger', ledgerCalls],
  ['names', namesCalls],
];
const EMPTY = new Uint8Array(0);
const PHASES = ['packMs', 'uploadMs', 'kernelMs', 'readbackMs'] as const;

/** Measures the kernel against one V8 thread on the bundled programs (after `npm run build`) and compares every result. */
export async function benchGpu({ counts, rounds, onProgress = () => {} }: BenchOptions): Promise<BenchReport> {
  const programs = builtPrograms();
  const lane = await openGpuLane();
  const rows: BenchRow[] = [];
  const compileMs: Record<string, number> = {};
  try {
    const { vendor, description, software } = lane.adapter;
    onProgress(`${vendor} ${description}${software ? ' (software)' : ''}`);
    for (const [name, makeCalls] of PROGRAMS) {
      const program = prepareProgram(programs[name]);
      const started = performance.now();
      await lane.run(makeCalls(program, 1));
      compileMs[name] = Math.round(performance.now() - started);
      onProgress(`${name}: kernel compiled in ${compileMs[name]} ms`);
      for (const count of counts) rows.push(await measure(lane, name, makeCalls(program, count), rounds));
    }
    return { adapter: lane.adapter, compileMs, rows };
  } finally {
    await lane.close();
  }
}

async function measure(lane: GpuLane, name: string, calls: readonly GpuCall[], rounds: number): Promise<BenchRow> {
  const samples: { total: number; phases: Record<(typeof PHASES)[number], number> }[] = [];
  let results: GpuCallResult[] = await lane.run(calls);
  for (let i = 0; i < rounds; i++) {
    const before = { ...lane.timings };
    const started = performance.now();
    results = await lane.run(calls);
    const total = performance.now() - started;
    const spent = (phase: (typeof PHASES)[number]): number => lane.timings[phase] - before[phase];
    samples.push({
      total,
      phases: {
        packMs: spent('packMs'),
        uploadMs: spent('uploadMs'),
        kernelMs: spent('kernelMs'),
        readbackMs: spent('readbackMs'),
      },
    });
  }
  const { differences, seconds } = compareWithV8(calls, results);
  const totalMs = median(samples.map((s) => s.total));
  const phase = (p: (typeof PHASES)[number]): number => median(samples.map((s) => s.phases[p]));
  return {
    program: name,
    count: calls.length,
    packMs: phase('packMs'),
    uploadMs: phase('uploadMs'),
    kernelMs: phase('kernelMs'),
    readbackMs: phase('readbackMs'),
    totalMs,
    endToEndPerSecond: Math.round(calls.length / (totalMs / 1000)),
    kernelPerSecond: Math.round(calls.length / (phase('kernelMs') / 1000)),
    v8PerSecond: Math.round(calls.length / seconds),
    punted: results.filter((r) => r.status === 'PUNT').length,
    differences,
  };
}

function compareWithV8(calls: readonly GpuCall[], results: readonly GpuCallResult[]) {
  const runner = new ProgramRunner();
  const hosts = calls.map(hostOf);
  // The first runs of a program compile it: they are not the thread's speed.
  for (let i = 0; i < Math.min(200, calls.length); i++) runCall(runner, calls, hosts, i);
  const started = performance.now();
  const expected = calls.map((_, i) => runCall(runner, calls, hosts, i));
  const seconds = (performance.now() - started) / 1000;
  let differences = 0;
  results.forEach((result, i) => {
    const other = expected[i];
    const same =
      other !== undefined &&
      result.status === other.status &&
      result.reason === other.reason &&
      result.fuelLeft === other.fuelLeft &&
      bytesEqual(result.result, other.result);
    if (!same && result.status !== 'PUNT') differences++;
  });
  return { differences, seconds };
}

function runCall(runner: ProgramRunner, calls: readonly GpuCall[], hosts: readonly RunHost[], i: number) {
  const call = calls[i] as GpuCall;
  return runner.run(call.program, hosts[i] as RunHost, call.fuel);
}

function hostOf(call: GpuCall): RunHost {
  const values = new Map(call.reads.map(({ key, value }) => [toBinaryString(key), value]));
  return {
    isDryRun: false,
    height: call.height,
    context: call.context,
    transaction: EMPTY,
    block: EMPTY,
    storage: (key) => values.get(toBinaryString(key)),
    sequence: () => 1n,
    balance: () => EMPTY,
    declareRead: () => {},
    declareWrite: () => {},
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[sorted.length >> 1] ?? 0) * 1000) / 1000;
}
