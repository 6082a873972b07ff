/**
 * Calls of contracts in the lane, and beside each of them the same call on V8 alone, in turns: so that the ratio holds
 * on a machine that is busy with something else.
 */
import type { CpuRunner } from '../../../execute/tasks/drive.js';
import { buildProgram, prepareProgram } from '../../../program/prepare.js';
import { ProgramRunner } from '../../../program/runner.js';
import type { Program, RunHost, RunResult } from '../../../program/types.js';
import { bytesEqual } from '../../../util/bytes.js';
import { type BlockBenchOptions, type BlockReport, benchBlock, blockReport } from '../blocks.js';
import { type Spread, spreadOf } from '../spread.js';
import { BareModules, BareRun } from './bare-v8.js';
import { type ContractCall, methodsOf } from './methods.js';
import { type RecordedFrame, RecordingHost } from './recorded.js';
import { ContractWorld } from './world.js';

export interface ContractFile {
  readonly name: string;
  readonly wasm: Uint8Array;
}

export interface ContractBenchOptions {
  /** Messages before any measurement, in their order; each must succeed. */
  readonly setup: readonly ContractCall[];
  /** What to call; those that `__meta` names if there are none. */
  readonly calls: readonly ContractCall[];
  /** Calls measured, after half as many that are discarded. */
  readonly rounds: number;
  readonly onProgress: (line: string) => void;
}

/** Microseconds; all of one call in the same run. */
export interface ContractRow {
  readonly contract: string;
  readonly call: string;
  readonly status: string;
  readonly fuel: number;
  /** Frames below the message's own. */
  readonly frames: number;
  /** The first call of a program that was never run: milliseconds, with reading, validating and compiling it. */
  readonly coldMs: number;
  /** The whole transaction. */
  readonly lane: Spread;
  /** The contract's run in it. */
  readonly run: Spread;
  /** V8 alone on a new instance, and `__execute` alone; undefined where the bare contract need not end. */
  readonly bare: Spread | undefined;
  readonly execution: Spread | undefined;
  /** Medians: the transaction over the bare call, and the contract's run over `__execute` alone. */
  readonly overBare: number | undefined;
  readonly overExecution: number | undefined;
  /** Calls, of all rounds, that returned something else in the lane or on V8 than the first one in the lane. */
  readonly differences: number;
}

/** Turns of the lane and of V8 alone are so many calls long. */
const TURN = 25;

/** Measures each call (after `npm run build`). Throws UsageError `USAGE_BENCH`, ProgramError. */
export function benchContracts(files: readonly ContractFile[], options: ContractBenchOptions): ContractRow[] {
  const world = worldOf(files, options);
  const calls = options.calls.length > 0 ? options.calls : files.flatMap(({ wasm }, i) => methodsOf(wasm, i));
  return calls.map((made) => {
    const row = new CallBench(world, files, made).measure(options.rounds);
    const { contract, call, status, lane, bare, differences } = row;
    const times = `µs ${lane.median} in the lane, ${bare?.median ?? '-'} on V8 alone`;
    options.onProgress(`${contract} ${call}: ${status}, ${times}; ${differences} differences`);
    return row;
  });
}

/** Whole blocks of `count` of the first call under every policy; see {@link benchBlock}. */
export async function benchContractBlock(
  files: readonly ContractFile[],
  options: ContractBenchOptions,
  count: number,
  blocks: BlockBenchOptions,
): Promise<BlockReport> {
  const world = worldOf(files, options);
  const made = options.calls[0] ?? methodsOf(files[0].wasm, 0)[0];
  const programs = files.map(({ wasm }) => prepareProgram(wasm));
  const raw = world.block(count, made);
  const workload = { name: `${files[made.contract].name} ${made.name}`, programs, raw, state: world.state };
  const row = await benchBlock(workload, count, blocks);
  return blockReport([row], blocks);
}

function worldOf(files: readonly ContractFile[], { setup }: ContractBenchOptions): ContractWorld {
  for (const { wasm } of files) prepareProgram(wasm);
  const world = new ContractWorld(files.map(({ wasm }) => wasm));
  const runner = new ProgramRunner();
  for (const made of setup) world.setUp(made, runner);
  return world;
}

/** Hears how long the runs of messages take, and what they return. */
class TimedRunner implements CpuRunner {
  readonly #runner = new ProgramRunner();
  microseconds = 0;
  /** Of the last one. */
  #end: RunResult | undefined;

  run(program: Program, host: RunHost, fuel: number): RunResult {
    const started = performance.now();
    const end = this.#runner.run(program, host, fuel);
    this.microseconds = (performance.now() - started) * 1_000;
    this.#end = end;
    return end;
  }

  /** What the last run returned; it is asked for once. */
  takeEnd(): RunResult | undefined {
    const end = this.#end;
    this.#end = undefined;
    return end;
  }
}

class CallBench {
  readonly #transaction: ReturnType<ContractWorld['transaction']>;
  readonly #runner = new TimedRunner();
  readonly #modules = new BareModules();
  readonly #lane: number[] = [];
  readonly #run: number[] = [];
  readonly #bare: number[] = [];
  readonly #execution: number[] = [];
  #differences = 0;

  constructor(
    readonly world: ContractWorld,
    readonly files: readonly ContractFile[],
    readonly made: ContractCall,
  ) {
    this.#transaction = world.transaction(made);
  }

  measure(rounds: number): ContractRow {
    const { made, files } = this;
    const file = files[made.contract];
    const coldMs = this.#cold(file.wasm);
    const { frame, fuel, status } = this.#record();
    const end = frame?.end;
    // Without fuel it might never end.
    const endless = end === undefined || end.status === 'OUT_OF_FUEL';
    const warm = Math.ceil(rounds / 2);
    for (let done = -warm; done < rounds; ) {
      const turn = Math.min(TURN, done < 0 ? -done : rounds - done);
      for (let i = 0; i < turn; i++) this.#inLane(end, done >= 0);
      if (frame !== undefined && !endless) for (let i = 0; i < turn; i++) this.#onV8(frame, done >= 0);
      done += turn;
    }
    const [lane, run] = [this.#lane, this.#run].map(spreadOf);
    const [bare, execution] = [this.#bare, this.#execution].map((times) => (endless ? undefined : spreadOf(times)));
    const frames = frame === undefined ? 0 : framesBelow(frame);
    return {
      ...{ contract: file.name, call: made.name, status, fuel, frames, coldMs, lane, run, bare, execution },
      overBare: ratio(lane, bare),
      overExecution: ratio(run, execution),
      differences: this.#differences,
    };
  }

  /** Milliseconds of the first call of the program by a thread that has never seen it. */
  #cold(wasm: Uint8Array): number {
    const started = performance.now();
    const program = buildProgram(wasm);
    const runner = new ProgramRunner();
    const first: CpuRunner = { run: (_, host, fuel) => runner.run(program, host, fuel) };
    this.world.run(this.#transaction, first);
    return Math.round((performance.now() - started) * 10) / 10;
  }

  /** The frames of the first call in the lane. */
  #record(): { readonly frame: RecordedFrame | undefined; readonly fuel: number; readonly status: string } {
    const runner = new ProgramRunner();
    let frame: RecordedFrame | undefined;
    const { messages, undone } = this.world.run(this.#transaction, {
      run: (program, host, fuel) => {
        const recording = new RecordingHost(host, program);
        frame = recording.frame;
        frame.end = runner.run(program, recording, fuel);
        return frame.end;
      },
    });
    const [message] = messages;
    return { frame, fuel: message?.fuelUsed ?? 0, status: message?.status ?? undone ?? '' };
  }

  #inLane(end: RunResult | undefined, keep: boolean): void {
    const runner = this.#runner;
    const started = performance.now();
    this.world.run(this.#transaction, runner);
    const took = (performance.now() - started) * 1_000;
    const found = runner.takeEnd();
    const isSame = found?.status === end?.status && found?.fuelLeft === end?.fuelLeft;
    if (!isSame || !bytesEqual(found?.result, end?.result)) this.#differences++;
    if (!keep) return;
    this.#lane.push(took);
    this.#run.push(runner.microseconds);
  }

  #onV8(frame: RecordedFrame, keep: boolean): void {
    const bare = new BareRun(frame, this.#modules);
    const result = bare.run(({ whole, execution }) => {
      if (!keep) return;
      this.#bare.push(whole);
      this.#execution.push(execution);
    });
    if (bare.askedFuel) return;
    if (bare.differs || !bytesEqual(result, frame.end?.result)) this.#differences++;
  }
}

function ratio(a: Spread, b: Spread | undefined): number | undefined {
  return b === undefined || b.median === 0 ? undefined : Math.round((a.median / b.median) * 100) / 100;
}

function framesBelow({ calls }: RecordedFrame): number {
  return calls.reduce((sum, { frame }) => sum + (frame === undefined ? 0 : 1 + framesBelow(frame)), 0);
}
