/** What a worker (or the engine itself) does for one block: dry runs and executions over the state before the block. */
import type { DeclaredKeys, LaneContext } from '../lane/message.js';
import type { LaneTransaction } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { LaneKey, LaneOutcome, StateReader } from '../lane/types.js';
import { parseResult } from '../program/result.js';
import type { RunHost, RunResult } from '../program/types.js';
import { EMPTY_BYTES, toBinaryString } from '../util/bytes.js';
import { type CpuRunner, driveOnCpu } from './drive.js';

/** The first contract call of a dry run: what the kernel needs to know before it runs. Keys are the contract's own, as binary strings. */
export interface FirstCall {
  readonly programHash: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** A dry run's findings; plain data, it travels from workers. */
export interface DryRun {
  readonly outcome: LaneOutcome;
  /** A program asked whether this was a dry run: the outcome names keys but must not be used as a result. */
  readonly askedDryRun: boolean;
  readonly declaredReads: readonly LaneKey[];
  readonly declaredWrites: readonly LaneKey[];
  readonly firstCall: FirstCall | undefined;
}

/** Values of keys that transactions of the block have written, in front of the state before it. */
export type Overrides = ReadonlyMap<LaneKey, Uint8Array | undefined>;

export class BlockTasks {
  readonly #transactions: readonly LaneTransaction[];
  readonly #context: LaneContext;
  readonly #before: StateReader;
  readonly #runner: CpuRunner;

  constructor(transactions: readonly LaneTransaction[], context: LaneContext, before: StateReader, runner: CpuRunner) {
    this.#transactions = transactions;
    this.#context = context;
    this.#before = before;
    this.#runner = runner;
  }

  /** Dry run of the transaction at `position` against the state before the block. */
  dryRun(position: number): DryRun {
    const declared: DeclaredKeys = { reads: new Set(), writes: new Set() };
    const run = laneTransaction(this.#transactions[position], this.#context, this.#before, declared);
    let askedDryRun = false;
    let firstCall: FirstCall | undefined;
    let step = run.next();
    while (!step.done) {
      const call = step.value;
      const host = call.host(true);
      let end: RunResult;
      if (firstCall === undefined) {
        const recording = new RecordingHost(host);
        end = this.#runner.run(call.program, recording);
        const { reads, writes } = recording;
        for (const key of parseResult(end.result ?? EMPTY_BYTES)?.storage.keys() ?? []) writes.add(key);
        firstCall = { programHash: call.program.hash, reads: [...reads], writes: [...writes] };
      } else {
        end = this.#runner.run(call.program, host);
      }
      askedDryRun ||= end.askedDryRun;
      step = run.next(end);
    }
    return {
      outcome: step.value,
      askedDryRun,
      declaredReads: [...declared.reads],
      declaredWrites: [...declared.writes],
      firstCall,
    };
  }

  /** Runs the transaction at `position` on the CPU; it sees `overrides` first, then the state before the block. */
  execute(position: number, overrides: Overrides): LaneOutcome {
    const before = this.#before;
    const state: StateReader = {
      get: (key) => (overrides.has(key) ? overrides.get(key) : before.get(key)),
    };
    return driveOnCpu(laneTransaction(this.#transactions[position], this.#context, state), this.#runner);
  }
}

/** Notes the storage keys that a run names on their way to its host. */
class RecordingHost implements RunHost {
  readonly reads = new Set<string>();
  readonly writes = new Set<string>();

  constructor(private readonly host: RunHost) {}

  get isDryRun(): boolean {
    return this.host.isDryRun;
  }

  get height(): number {
    return this.host.height;
  }

  get context(): Uint8Array {
    return this.host.context;
  }

  get transaction(): Uint8Array {
    return this.host.transaction;
  }

  get block(): Uint8Array {
    return this.host.block;
  }

  storage(key: Uint8Array): Uint8Array | undefined {
    this.reads.add(toBinaryString(key));
    return this.host.storage(key);
  }

  sequence(): bigint {
    return this.host.sequence();
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.host.balance(who, what);
  }

  declareRead(key: Uint8Array): void {
    this.reads.add(toBinaryString(key));
    this.host.declareRead(key);
  }

  declareWrite(key: Uint8Array): void {
    this.writes.add(toBinaryString(key));
    this.host.declareWrite(key);
  }
}
