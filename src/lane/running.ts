/** What the parts of a lane transaction share while it runs. */
import type { Allowance } from './allowance.js';
import type { TransactionView } from './overlay.js';
import type { DependentRule } from './policy.js';
import type { LaneTransaction } from './scan.js';
import type { LaneKey } from './types.js';

/** What all lane transactions of a block share; plain data that is sent to workers. */
export interface LaneContext {
  readonly height: number;
  /** The block as serialised with witnesses. */
  readonly block: Uint8Array;
  /** Messages below this height fail and are refunded. */
  readonly laneStartHeight: number;
  /** `reject`: messages of a transaction that spends an output of another lane transaction of the block fail. */
  readonly dependent: DependentRule;
  /** Notified of each transaction that this thread runs. */
  readonly watch?: TransactionWatch;
}

/** Notified of every transaction that runs, so that another thread can see which one takes long. */
export interface TransactionWatch {
  /** `index`: position in the block; the txid lies at `at` of `bytes`. */
  begin(index: number, bytes: Uint8Array, at: number): void;
  end(): void;
}

/** Keys that a program declared with `__record_get` and `__record_put`: they widen the plan, never the outcome. */
export interface DeclaredKeys {
  readonly reads: Set<LaneKey>;
  readonly writes: Set<LaneKey>;
}

/** A transaction while its messages run. */
export interface RunningTransaction {
  readonly input: LaneTransaction;
  readonly context: LaneContext;
  readonly view: TransactionView;
  readonly allowance: Allowance;
  readonly declared: DeclaredKeys | undefined;
}
