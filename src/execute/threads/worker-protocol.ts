/** What the engine and its workers say to each other. All of it is plain data. */
import type { Failure } from '../../errors/errors.js';
import type { CallRecords } from '../../gpu/pack/records.js';
import type { SharedColumns } from '../../lane/columns/lane-columns.js';
import type { LaneContext } from '../../lane/message.js';
import type { LaneTransaction } from '../../lane/scan.js';
import type { LaneKey } from '../../lane/types.js';
import type { Overrides, Recording } from '../tasks/block-tasks.js';
import type { RowReply, RowTask } from '../tasks/row-records.js';

/** What a worker is given at its start. */
export interface WorkerData {
  /** Buffer of a WorkWatch, and the thread that the worker is in it. */
  readonly watch: SharedArrayBuffer | undefined;
  readonly thread: number;
  /** What its compiled code may take, in bytes. */
  readonly compiledBytes: number;
  /** A u32: how many threads of the pool are ready for work. */
  readonly ready: SharedArrayBuffer;
}

/** Begins a block: everything after it is about this one, until the next. Not answered. */
export interface BeginBlock {
  readonly kind: 'block';
  readonly context: LaneContext;
  /** The open store, or a copy of the state before the block. */
  readonly storeHandle: bigint | undefined;
  readonly snapshot: ReadonlyMap<LaneKey, Uint8Array> | undefined;
  /** Which calls are recorded; undefined: none. */
  readonly recording: Recording | undefined;
  /** The block's lane transactions, if they are run by their rows. */
  readonly columns: SharedColumns | undefined;
}

export interface CpuItem {
  readonly transaction: LaneTransaction;
  readonly overrides: Overrides;
}

/** Pieces of work as worker-codec.ts writes them: lane transactions to dry-run, items to execute. */
export interface WorkerTask {
  readonly kind: 'dry' | 'cpu';
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the outcomes of this piece may take (block-weight.ts): beyond it the block is too large. */
  readonly mostBytes: number;
}

/** Rows to run. */
export interface WorkerRows extends RowTask {
  readonly kind: 'rows';
  readonly mostBytes: number;
}

export type ToWorker =
  | BeginBlock
  | { readonly kind: 'task'; readonly task: WorkerTask | WorkerRows }
  /** No more of the block follows. */
  | { readonly kind: 'end' };

/** Results in the order of the task, as worker-codec.ts writes them: dry runs, or outcomes. */
export type FromWorker =
  | { readonly kind: 'dry'; readonly bytes: Uint8Array<ArrayBuffer>; readonly records: CallRecords | undefined }
  | { readonly kind: 'cpu'; readonly bytes: Uint8Array<ArrayBuffer> }
  | ({ readonly kind: 'rows' } & RowReply)
  /** The outcomes of the piece take more memory than a block is given. */
  | { readonly kind: 'too-large' }
  | { readonly kind: 'error'; readonly failure: Failure };

/** What workers are told of a block. */
export function beginning(
  context: LaneContext,
  { storeHandle, snapshot }: { readonly storeHandle?: bigint; readonly snapshot?: ReadonlyMap<LaneKey, Uint8Array> },
  recording: Recording | undefined,
  columns: SharedColumns | undefined,
): BeginBlock {
  return {
    kind: 'block',
    // Every thread has a watch of its own.
    context: { ...context, watch: undefined },
    storeHandle,
    snapshot: storeHandle === undefined ? snapshot : undefined,
    recording,
    columns,
  };
}
