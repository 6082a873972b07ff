/** `bench fuel`: how long V8, and the kernel, take for a unit of fuel, whatever it is spent on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import { balanceKeyOfBytes, storageKeyOfBytes } from '../../lane/keys.js';
import { TransactionView } from '../../lane/overlay.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import { MESSAGE_FUEL } from '../../program/counters.js';
import { prepareProgram } from '../../program/prepare.js';
import { parseResult } from '../../program/result.js';
import { refuseCall } from '../../program/run-stop.js';
import { ProgramRunner } from '../../program/runner.js';
import { NO_TEXTS, type Program, type RunHost } from '../../program/types.js';
import { EMPTY_BYTES, toBinaryString } from '../../util/bytes.js';
import { type FuelClass, fuelClasses } from './fuel-classes.js';
import { fuelWasm } from './fuel-modules.js';
import { type Spread, spreadOf } from './spread.js';

/** Processor time of this process in milliseconds: what other processes take of the machine does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Nanoseconds a unit of fuel that nothing may take on V8 (lane rules 5). */
const MOST_NANOSECONDS = 3;

export interface FuelOptions {
  readonly rounds: number;
  /** Classes whose name contains one of these; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly gpu: GpuExecutor | undefined;
  readonly onProgress: (line: string) => void;
}

export interface FuelRow {
  readonly name: string;
  readonly kind: FuelClass['kind'];
  /** Fuel of one run. */
  readonly fuel: number;
  /** Nanoseconds a unit of fuel, code that has just been compiled. */
  readonly cold: Spread;
  /** The same when V8 has optimised it. */
  readonly warm: Spread;
  /** The same in the interpreter, which has a program only until compiling it has become cheaper. */
  readonly interpreted: Spread;
  /**
   * Nanoseconds a unit of fuel of all messages of a batch in the kernel; undefined: not measured, or left to the CPU.
   */
  readonly kernel: number | undefined;
}

export interface FuelReport {
  readonly node: string;
  readonly v8: string;
  readonly most: number;
  readonly rows: readonly FuelRow[];
}

const COMPILING = { compiles: 'everything' } as const;
const WARM_UPS = 6;
/** Shorter runs are measured together. */
const LEAST_MS = 4;
const KERNEL_CALLS = 1_024;
const KERNEL_FUEL = 100_000;
const LARGE = 60_000;
const SMALL = new Uint8Array(300);
const BLOCK = new Uint8Array(LARGE);

/** Measures every class of {@link fuelClasses}. */
export async function benchFuel(options: FuelOptions): Promise<FuelReport> {
  const { rounds, only, gpu, onProgress } = options;
  const rows: FuelRow[] = [];
  for (const one of fuelClasses()) {
    if (only?.some((part) => one.name.includes(part)) === false) continue;
    const row = { ...(await measure(one, rounds)), kernel: gpu && (await onKernel(one, gpu)) };
    onProgress(`${row.name}: ${row.cold.median} cold, ${row.warm.median} warm, ${row.interpreted.median} interpreted`);
    rows.push(row);
  }
  return { node: process.version, v8: process.versions.v8, most: MOST_NANOSECONDS, rows };
}

/** The rows that cost more than {@link MOST_NANOSECONDS} on V8. */
export function tooExpensive(report: FuelReport): FuelRow[] {
  return report.rows.filter(({ cold, warm }) => Math.max(cold.median, warm.median) > report.most);
}

async function measure({ name, kind, module }: FuelClass, rounds: number): Promise<Omit<FuelRow, 'kernel'>> {
  const cold: number[] = [];
  let runner = new ProgramRunner(COMPILING);
  let program = prepareProgram(fuelWasm(module, 0));
  let fuel = 0;
  for (let round = 0; round < rounds; round++) {
    runner = new ProgramRunner(COMPILING);
    program = prepareProgram(fuelWasm(module, round + 1));
    // Compiles it and ends at the first charge.
    message(runner, program, program.entryFuel);
    const started = processorMs();
    fuel = message(runner, program, MESSAGE_FUEL);
    cold.push(((processorMs() - started) * 1e6) / fuel);
  }
  const warm = await measureWarm(runner, program, rounds);
  const interpreted = await measureWarm(new ProgramRunner({ compiles: 'nothing' }), program, rounds);
  return { name, kind, fuel, cold: spreadOf(cold), warm: spreadOf(warm), interpreted: spreadOf(interpreted) };
}

/** Nanoseconds a unit of fuel, one for each round. */
async function measureWarm(runner: ProgramRunner, program: Program, rounds: number): Promise<number[]> {
  for (let i = 0; i < WARM_UPS; i++) message(runner, program, MESSAGE_FUEL);
  // Optimised code comes from other threads.
  await sleep(30);
  const warm: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let sum = 0;
    const started = processorMs();
    while (sum === 0 || processorMs() - started < LEAST_MS) sum += message(runner, program, MESSAGE_FUEL);
    warm.push(((processorMs() - started) * 1e6) / sum);
  }
  return warm;
}

/** Runs what a message runs, its result included, and gives the fuel that it used. */
function message(runner: ProgramRunner, program: Program, fuel: number): number {
  const { status, result, fuelLeft } = runner.run(program, new BenchHost(), fuel);
  if (status === 'OUT_OF_FUEL') return fuel;
  const parsed = result && parseResult(result);
  if (parsed === undefined) return fuel - fuelLeft;
  if (parsed.fuel > fuelLeft) return fuel;
  for (const value of parsed.storage.values()) value.slice();
  return fuel - fuelLeft + parsed.fuel;
}

const before: StateReader = { get: () => undefined };
const contract = new Uint8Array(32).fill(2);
const large = new Uint8Array(LARGE - 10_000).fill(1);

/** A transaction's host, over a state in memory; a key of 64 bytes has a large value. */
class BenchHost implements RunHost {
  readonly texts = NO_TEXTS;
  readonly isDryRun = false;
  readonly height = 1;
  readonly context = SMALL;
  readonly transaction = SMALL;
  readonly block = BLOCK;
  readonly #view = new TransactionView(before);
  readonly #prefix: LaneKey = storageKeyOfBytes(contract, EMPTY_BYTES);
  readonly #declared = new Set<LaneKey>();
  readonly call = refuseCall;

  storage(key: Uint8Array): Uint8Array | undefined {
    const value = this.#view.get(this.#prefix + toBinaryString(key));
    return key.length === 64 ? large : value;
  }

  sequence(): bigint {
    return this.#view.get('sequence') === undefined ? 1n : 2n;
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.#view.get(balanceKeyOfBytes(what, who)) ?? EMPTY_BYTES;
  }

  declareRead(key: Uint8Array): void {
    this.#declared.add(this.#prefix + toBinaryString(key));
  }

  declareWrite(key: Uint8Array): void {
    this.#declared.add(this.#prefix + toBinaryString(key));
  }
}

/** Nanoseconds a unit of a whole batch; undefined where the kernel leaves it to the CPU. */
async function onKernel({ module }: FuelClass, gpu: GpuExecutor): Promise<number | undefined> {
  const program = prepareProgram(fuelWasm(module, 0));
  if (!gpu.supports(program).ok) return undefined;
  await gpu.prepare(program);
  const fuel = program.entryFuel + KERNEL_FUEL;
  const reads = [{ key: new Uint8Array(32), value: undefined }];
  const call = { program, context: new Uint8Array(128), height: 1, fuel, reads, writes: [] };
  const calls = Array.from({ length: KERNEL_CALLS }, () => call);
  await gpu.run(calls);
  const started = performance.now();
  const results = await gpu.run(calls);
  const took = performance.now() - started;
  if (results.some(({ status }) => status === 'PUNT' || status === 'ACCESS_VIOLATION')) return undefined;
  const used = results.reduce((sum, { fuelLeft }) => sum + fuel - fuelLeft, 0);
  return Math.round((took * 1e9) / used) / 1e3;
}
