import { type CpuRunner, driveOnCpu } from '../execute/tasks/drive.js';
import type { LaneContext } from '../lane/message.js';
import type { LaneTransaction } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { LaneOutcome, StateReader } from '../lane/types.js';
import { type ProgramResult, parseResult } from '../program/result.js';
import type { Program, RunHost, RunResult } from '../program/types.js';
import { readU32 } from '../util/bytes.js';

/** Where a context has the shadow output of its message. */
const VOUT_AT = 64;

/** A lane transaction that was run, with what its receipt leaves out. */
export interface Driven {
  readonly outcome: LaneOutcome;
  /** What the contract of each message returned that ran to its end, by its shadow output: whole and parsed. */
  readonly results: ReadonlyMap<number, ProgramResult>;
}

/**
 * Runs a lane transaction over `state` as the sequential executor does: the generator of src/lane says what happens,
 * and `runner` runs the contracts. This only listens.
 */
export function drive(input: LaneTransaction, context: LaneContext, state: StateReader, runner: CpuRunner): Driven {
  const results = new Map<number, ProgramResult>();
  const listening: CpuRunner = {
    run(program: Program, host: RunHost, fuel: number): RunResult {
      const end = runner.run(program, host, fuel);
      const result = end.result && parseResult(end.result);
      if (result !== undefined) results.set(readU32(host.context, VOUT_AT), result);
      return end;
    },
  };
  return { outcome: driveOnCpu(laneTransaction(input, context, state), listening), results };
}
