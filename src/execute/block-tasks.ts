/** What a worker (or the engine itself) does for one block: dry runs and executions over the state before the block. */
import type { DeclaredKeys, LaneContext } from '../lane/message.js';
import type { LaneTransaction } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { LaneKey, LaneOutcome, StateReader } from '../lane/types.js';
import { parseResult } from '../program/result.js';
import type { RunHost } from '../program/types.js';
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
      const { program, host } = step.value;
      const reads = new Set<string>();
      const writes = new Set<string>();
      const end = this.#runner.run(program, recording(host(true), reads, writes));
      askedDryRun ||= end.askedDryRun;
      if (firstCall === undefined) {
        for (const key of parseResult(end.result ?? EMPTY_BYTES)?.storage.keys() ?? []) writes.add(key);
        firstCall = { programHash: program.hash, reads: [...reads], writes: [...writes] };
      }
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

function recording(host: RunHost, reads: Set<string>, writes: Set<string>): RunHost {
  return {
    ...host,
    storage: (key) => {
      reads.add(toBinaryString(key));
      return host.storage(key);
    },
    declareRead: (key) => {
      reads.add(toBinaryString(key));
      host.declareRead(key);
    },
    declareWrite: (key) => {
      writes.add(toBinaryString(key));
      host.declareWrite(key);
    },
  };
}
