/** The same runs by V8 and by the interpreter: they must end alike, to the unit of fuel. */
import type { Tier } from '../program/interpreted-programs.js';
import { ProgramRunner } from '../program/runner.js';
import type { Program, RunHost, RunResult } from '../program/types.js';
import { bytesEqual, toHex } from '../util/bytes.js';

const TIERS = ['everything', 'nothing'] as const satisfies readonly Tier[];

export class BothTiers {
  readonly #runners = TIERS.map((compiles) => new ProgramRunner({ compiles }));

  /**
   * Runs `program` with `fuel` on both, over a host of its own each. Gives what V8 says, and how the interpreter
   * differs, if it does.
   */
  run(
    program: Program,
    host: () => RunHost,
    fuel: number,
  ): { readonly result: RunResult; readonly difference: string | undefined } {
    const [result, interpreted] = this.#runners.map((runner) => runner.run(program, host(), fuel));
    const equal = endsAlike(result, interpreted) && result.askedDryRun === interpreted.askedDryRun;
    const difference = equal ? undefined : `V8 ${textOf(result)}, the interpreter ${textOf(interpreted)}`;
    return { result, difference };
  }
}

/** How a run ended, wherever it ran. */
export type Ending = Pick<RunResult, 'reason' | 'fuelLeft' | 'result'> & { readonly status: string };

/** Whether two runs ended with the same status, reason, fuel and result. */
export function endsAlike(a: Ending, b: Ending): boolean {
  return a.status === b.status && a.reason === b.reason && a.fuelLeft === b.fuelLeft && bytesEqual(a.result, b.result);
}

export function textOf({ status, reason, fuelLeft, result }: Ending): string {
  const bytes = result === undefined ? 'no result' : toHex(result);
  return `${status}${reason === 'none' ? '' : ` (${reason})`} with ${fuelLeft} left, ${bytes}`;
}
