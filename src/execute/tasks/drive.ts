/** Driving a lane transaction on V8. */
import type { MessageCall, MessageEnd } from '../../lane/message.js';
import type { LaneOutcome } from '../../lane/types.js';
import type { Program, RunHost, RunResult } from '../../program/types.js';

/** A lane transaction under way. */
export type LaneRun = Generator<MessageCall, LaneOutcome, MessageEnd>;

/** What runs programs on the CPU; `ProgramRunner` is one. */
export interface CpuRunner {
  run(program: Program, host: RunHost, fuel: number): RunResult;
}

/** Runs every call of `run` on `runner`, from `step` on, to the transaction's outcome. */
export function driveOnCpu(run: LaneRun, runner: CpuRunner, step = run.next()): LaneOutcome {
  let current = step;
  while (!current.done) {
    const call = current.value;
    current = run.next(runner.run(call.program, call.host(false), call.fuel));
  }
  return current.value;
}
