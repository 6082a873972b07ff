/** The input of the invariants, and the report of a broken one. */
import type { LaneContext } from '../../lane/message.js';
import type { LaneTransaction } from '../../lane/scan.js';
import type { LaneBlockResult, LaneKey, LaneOutcome } from '../../lane/types.js';
import type { ContractRun, RunLog } from './run-log.js';

/** One block as one executor ran it. */
export interface BlockRun {
  readonly context: LaneContext;
  /** The lane transactions in block order, and what became of each. */
  readonly transactions: readonly LaneTransaction[];
  readonly outcomes: readonly LaneOutcome[];
  /** The state before the block. */
  readonly before: ReadonlyMap<LaneKey, Uint8Array>;
  /** The engine's result of the outcomes; undefined if no engine ran them. */
  readonly result: LaneBlockResult | undefined;
  /** The contract runs of the block; undefined if they were not recorded. */
  readonly runs: RunLog | undefined;
}

/** One transaction of a block, between the state that those before it left and the state that it leaves. */
export interface Step {
  readonly context: LaneContext;
  readonly transaction: LaneTransaction;
  readonly outcome: LaneOutcome;
  readonly before: ReadonlyMap<LaneKey, Uint8Array>;
  /** In order; undefined if they were not recorded. */
  readonly runs: readonly ContractRun[] | undefined;
}

/** The value of `key` that the transaction leaves. */
export function after({ before, outcome }: Step, key: LaneKey): Uint8Array | undefined {
  return outcome.writes.has(key) ? outcome.writes.get(key) : before.get(key);
}

/** A broken invariant. */
export interface Violation {
  readonly invariant: string;
  /** Position of the transaction in the block; undefined where the block as a whole is wrong. */
  readonly index: number | undefined;
  /** The finding. */
  readonly found: string;
}
