import type { CpuRunner } from '../../execute/tasks/drive.js';
import type { RunResult } from '../../program/types.js';
import { readU32 } from '../../util/bytes.js';

const VOUT_AT = 64;

/** How one contract ran. */
export interface ContractRun {
  /** Shadow output of its message. */
  readonly vout: number;
  /** The context of the call: ids, shadow output, incoming assets, inputs. */
  readonly context: Uint8Array;
  /** The fuel that it may use. */
  readonly fuel: number;
  readonly end: RunResult;
}

/** Runs contracts on another runner and remembers how they ended, by the bytes of the transaction that they ran for. */
export class RunLog implements CpuRunner {
  readonly #runs = new Map<Uint8Array, ContractRun[]>();

  readonly #runner: CpuRunner;

  constructor(runner: CpuRunner) {
    this.#runner = runner;
  }

  run(...call: Parameters<CpuRunner['run']>): RunResult {
    const [, host, fuel] = call;
    const end = this.#runner.run(...call);
    // A result may be a view of the memory that the next run is given.
    const kept = { ...end, result: end.result?.slice() };
    const runs = this.#runs.get(host.transaction);
    const run = { vout: readU32(host.context, VOUT_AT), context: host.context, fuel, end: kept };
    if (runs === undefined) this.#runs.set(host.transaction, [run]);
    else runs.push(run);
    return end;
  }

  /** The runs of a transaction in order; `raw` is the very array that the transaction holds. */
  runsOf(raw: Uint8Array): readonly ContractRun[] {
    return this.#runs.get(raw) ?? [];
  }
}
