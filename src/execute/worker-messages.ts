/** What the engine and its workers say to each other. All of it is plain data. */
import type { CallRecords } from '../gpu/records.js';
import type { LaneContext } from '../lane/message.js';
import type { LaneTransaction } from '../lane/scan.js';
import type { LaneKey, LaneOutcome } from '../lane/types.js';
import type { DryRun, Overrides, Recording } from './block-tasks.js';

/** Begins a block: everything after it is about this one, until the next. Not answered. */
export interface BeginBlock {
  readonly kind: 'block';
  readonly context: LaneContext;
  /** The open store, or a copy of the state before the block. */
  readonly storeHandle: bigint | undefined;
  readonly snapshot: ReadonlyMap<LaneKey, Uint8Array> | undefined;
  /** Which calls are recorded; undefined: none. */
  readonly recording: Recording | undefined;
}

export interface CpuItem {
  readonly transaction: LaneTransaction;
  readonly overrides: Overrides;
}

export type WorkerTask =
  | { readonly kind: 'dry'; readonly transactions: readonly LaneTransaction[] }
  | { readonly kind: 'cpu'; readonly items: readonly CpuItem[] };

export type ToWorker = BeginBlock | { readonly kind: 'task'; readonly task: WorkerTask };

/** Results in the order of the task's transactions. */
export type FromWorker =
  | { readonly kind: 'dry'; readonly results: readonly DryRun[]; readonly records: CallRecords | undefined }
  | { readonly kind: 'cpu'; readonly results: readonly LaneOutcome[] }
  | { readonly kind: 'error'; readonly message: string; readonly stack: string | undefined };
