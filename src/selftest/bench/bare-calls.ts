/** The contract calls of a block with nothing around them: what V8 alone takes. */
import { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { transactionsOf } from '../../lane/columns/lane-columns.js';
import { scanColumns } from '../../lane/columns/scan-columns.js';
import { MapOverlay } from '../../lane/overlay.js';
import { laneTransaction } from '../../lane/transaction.js';
import type { RunEnd, RunState } from '../../program/run-state.js';
import { HostState, KeptEnd } from '../../program/run-state.js';
import { refuseCall } from '../../program/run-stop.js';
import type { ProgramRunner } from '../../program/runner.js';
import { NO_TEXTS, type Program, type RunHost } from '../../program/types.js';
import { EMPTY_BYTES } from '../../util/bytes.js';
import type { WorkloadBlock } from './block-workloads.js';

/** A call and what its host functions gave it, in the order in which it asked. */
interface RecordedCall {
  readonly program: Program;
  readonly context: Uint8Array;
  readonly transaction: Uint8Array;
  readonly fuel: number;
  readonly found: readonly Uint8Array[];
}

/** Runs the recorded calls of one block again, as often as wanted. */
export class BareCalls implements RunState, RunEnd {
  readonly isDryRun = false;
  readonly height = 1;
  readonly block = EMPTY_BYTES;
  readonly #calls: readonly RecordedCall[];
  readonly #runner: ProgramRunner;
  #call: RecordedCall;
  #asked = 0;
  #found: Uint8Array = EMPTY_BYTES;
  #fuelLeft = 0;

  constructor(workload: WorkloadBlock, runner: ProgramRunner) {
    this.#runner = runner;
    this.#calls = recordCalls(workload, runner);
    this.#call = this.#calls[0];
  }

  /** Runs all of them; gives the fuel that they left, so that nobody can leave them out. */
  run(): number {
    this.#fuelLeft = 0;
    for (const call of this.#calls) {
      this.#call = call;
      this.#asked = 0;
      this.#runner.runInPlace(call.program, this, call.fuel, this);
    }
    return this.#fuelLeft;
  }

  ended(_status: unknown, _reason: unknown, fuelLeft: number): boolean {
    this.#fuelLeft += fuelLeft;
    return false;
  }

  get contextBytes(): number {
    return this.#call.context.length;
  }

  get transaction(): Uint8Array {
    return this.#call.transaction;
  }

  writeContext(memory: Uint8Array, at: number): void {
    memory.set(this.#call.context, at);
  }

  findStorage(): number {
    this.#found = this.#call.found[this.#asked++];
    return this.#found.length;
  }

  findBalance(): number {
    return this.findStorage();
  }

  writeFound(memory: Uint8Array, at: number): void {
    memory.set(this.#found, at);
  }

  sequence(): bigint {
    return 1n;
  }

  declareRead(): void {}
  declareWrite(): void {}
  readonly texts = NO_TEXTS;
  readonly call = refuseCall;
}

/** Runs the block as the generator says, and writes down its calls. */
function recordCalls({ raw, state }: WorkloadBlock, runner: ProgramRunner): RecordedCall[] {
  const before = { get: (key: string) => state.get(key) };
  const block = BlockOffsets.read(raw, raw.length);
  const context = { height: 1, block: raw, laneStartHeight: 0, dependent: 'demote' } as const;
  const inside = new MapOverlay(before);
  const calls: RecordedCall[] = [];
  for (const transaction of transactionsOf(scanColumns(block, before))) {
    const run = laneTransaction(transaction, context, inside);
    let step = run.next();
    while (!step.done) {
      const { program, fuel } = step.value;
      const found: Uint8Array[] = [];
      const host = step.value.host(false);
      const end = new KeptEnd();
      runner.runInPlace(program, new Recorder(host, found), fuel, end);
      calls.push({ program, context: host.context, transaction: host.transaction, fuel, found });
      step = run.next(end.result);
    }
    inside.apply(step.value.writes);
  }
  return calls;
}

class Recorder extends HostState {
  constructor(
    host: RunHost,
    readonly found: Uint8Array[],
  ) {
    super(host);
  }

  override findStorage(memory: Uint8Array, start: number, end: number): number {
    return this.#keep(super.findStorage(memory, start, end));
  }

  override findBalance(memory: Uint8Array, who: number, what: number): number {
    return this.#keep(super.findBalance(memory, who, what));
  }

  #keep(length: number): number {
    const value = new Uint8Array(length);
    this.writeFound(value, 0);
    this.found.push(value);
    return length;
  }
}
