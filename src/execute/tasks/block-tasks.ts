/** What a worker (or the engine itself) does for one block: dry runs and executions over the state before the block. */
import { CallRecorder, type CallRecords } from '../../gpu/pack/records.js';
import type { DeclaredKeys, LaneContext, MessageCall, MessageEnd } from '../../lane/message.js';
import { type LaneTransaction, sheetKeysOf } from '../../lane/scan.js';
import { laneTransaction } from '../../lane/transaction.js';
import type { LaneKey, LaneOutcome, StateReader } from '../../lane/types.js';
import { parseResult } from '../../program/result.js';
import { EMPTY_BYTES } from '../../util/bytes.js';
import type { BlockBudget } from './block-weight.js';
import type { CachingReader } from './caching-reader.js';
import { type CpuRunner, driveOnCpu } from './drive.js';
import { RecordingHost } from './recording-host.js';

/** A dry run's findings; plain data, it travels from workers. */
export interface DryRun {
  readonly outcome: LaneOutcome;
  /** A program asked whether this was a dry run: the outcome names keys but must not be used as a result. */
  readonly askedDryRun: boolean;
  readonly declaredReads: readonly LaneKey[];
  readonly declaredWrites: readonly LaneKey[];
  /** Hash of the program of its first contract call; undefined if there is none. */
  readonly program: string | undefined;
  /**
   * Number of that call in the records written beside it; undefined if it is not recorded, called another contract, or
   * is too large for the kernel.
   */
  readonly call: number | undefined;
  /** Why recording it failed; what should not happen. */
  readonly notRecorded?: string;
}

/** Dry runs with the calls recorded beside them. */
export interface DryRuns {
  /** In the order of the request. */
  readonly runs: readonly DryRun[];
  readonly records: readonly CallRecords[];
  /** By place in `runs`: which of `records` its `call` counts in. */
  readonly recordsOf: Uint32Array;
}

/** Which calls are written down for the kernel. */
export interface Recording {
  /** Start of the key hashes. */
  readonly seed: number;
  /** Hashes of the programs whose calls are recorded; undefined: all. */
  readonly programs: readonly string[] | undefined;
}

/** Bytes to expect of a result that the dry run did not get. */
const UNKNOWN_RESULT_BYTES = 448;

/** Values of keys that transactions of the block have written, in front of the state before it. */
export type Overrides = ReadonlyMap<LaneKey, Uint8Array | undefined>;

export class BlockTasks {
  readonly #context: LaneContext;
  readonly #before: CachingReader;
  readonly #runner: CpuRunner;
  readonly #recorder: CallRecorder | undefined;
  readonly #recorded: ReadonlySet<string> | undefined;

  /** `recording` undefined: no call is recorded for the kernel. */
  constructor(context: LaneContext, before: CachingReader, runner: CpuRunner, recording: Recording | undefined) {
    this.#context = context;
    this.#before = before;
    this.#runner = runner;
    this.#recorder = recording === undefined ? undefined : new CallRecorder(recording.seed);
    this.#recorded = recording?.programs === undefined ? undefined : new Set(recording.programs);
  }

  /** The calls recorded since this was last asked: what {@link DryRun.call} counts in. */
  takeRecords(): CallRecords | undefined {
    return this.#recorder?.take();
  }

  /**
   * Dry runs of `transactions` against the state before the block, in their order. Throws `BlockTooLarge` when their
   * outcomes have no room in `budget`.
   */
  dryRunAll(transactions: readonly LaneTransaction[], budget: BlockBudget): DryRun[] {
    this.#before.prefetch(transactions.flatMap(({ tx }) => sheetKeysOf(tx)));
    return transactions.map((transaction) => {
      const run = this.#dryRun(transaction);
      budget.take(run.outcome);
      return run;
    });
  }

  #dryRun(transaction: LaneTransaction): DryRun {
    const declared: DeclaredKeys = { reads: new Set(), writes: new Set() };
    const run = laneTransaction(transaction, this.#context, this.#before, declared);
    let askedDryRun = false;
    let program: string | undefined;
    let recorded: Pick<DryRun, 'call' | 'notRecorded'> = { call: undefined };
    let step = run.next();
    while (!step.done) {
      const contractCall = step.value;
      const host = contractCall.host(true);
      const { hash } = contractCall.program;
      const recording = program === undefined && this.#records(hash) ? new RecordingHost(host) : undefined;
      program ??= hash;
      const end = this.#runner.run(contractCall.program, recording ?? host, contractCall.fuel);
      askedDryRun ||= end.askedDryRun;
      if (recording !== undefined && !recording.hasCalled) recorded = this.#record(contractCall, recording, end);
      step = run.next(end);
    }
    return {
      outcome: step.value,
      askedDryRun,
      declaredReads: [...declared.reads],
      declaredWrites: [...declared.writes],
      program,
      ...recorded,
    };
  }

  #records(hash: string): boolean {
    return this.#recorder !== undefined && (this.#recorded?.has(hash) ?? true);
  }

  /** Only the kernel needs the record: what fails here must not end the block. */
  #record(
    call: MessageCall,
    keys: RecordingHost,
    { result, fuelLeft }: MessageEnd,
  ): Pick<DryRun, 'call' | 'notRecorded'> {
    try {
      for (const key of parseResult(result ?? EMPTY_BYTES)?.storage.keys() ?? []) keys.written.add(key);
      const expected = { bytes: result?.length ?? UNKNOWN_RESULT_BYTES, result, fuelLeft };
      return { call: this.#recorder?.add(call.program.hash, call, keys.declared(call), expected) };
    } catch (error) {
      return { call: undefined, notRecorded: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Runs `transaction` on the CPU; it sees `overrides` first, then the state before the block. */
  execute(transaction: LaneTransaction, overrides: Overrides): LaneOutcome {
    const before = this.#before;
    const state: StateReader = {
      get: (key) => (overrides.has(key) ? overrides.get(key) : before.get(key)),
    };
    return driveOnCpu(laneTransaction(transaction, this.#context, state), this.#runner);
  }
}
