/** What the engine and its workers say to each other. All of it is plain data. */
import type { Failure } from '../../errors/errors.js';
import type { SharedOutcomes } from '../../gpu/pack/types.js';
import type { SharedColumns } from '../../lane/columns/lane-columns.js';
import type { BlockPart, ScannedPart } from '../../lane/columns/scan-parts.js';
import type { LaneContext } from '../../lane/message.js';
import type { LaneKey } from '../../lane/types.js';
import type { SharedRows } from '../tasks/row-queue.js';
import type { RowReply, RunOfRows } from '../tasks/row-records.js';
import type { SharedWrites } from '../tasks/written-state.js';
import type { RehearsalLength } from './rehearsal.js';

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
  /** The block's lane transactions. */
  readonly columns: SharedColumns;
  /** Hashes of programs whose whole runs are left to the kernel (kernel-programs.ts). */
  readonly leftToKernel: readonly string[];
}

/** Rows to run, together with the other threads. */
export interface WorkerTask extends RunOfRows {
  readonly kind: 'rows';
  /** What its answers say that they are about. */
  readonly batch: number;
  readonly rows: SharedRows;
  /** What the records of one answer may take (block-weight.ts): beyond it the block is too large. */
  readonly mostBytes: number;
}

/** Rows to run of which nobody wants to hear. Not answered; the shared memory tells how far it is. */
export interface WorkerRehearsal {
  readonly kind: 'rehearse';
  readonly block: BeginBlock;
  /** Number of the thread in the rehearsal, and the row with which it begins. */
  readonly part: number;
  readonly first: number;
  readonly length: RehearsalLength;
  /** Memory of a Rehearsal. */
  readonly shared: SharedArrayBuffer;
}

export type ToWorker =
  | BeginBlock
  | WorkerRehearsal
  | WorkerTask
  /** Another part of the block begins, after one that has written `written`; undefined: the same begins anew. */
  | { readonly kind: 'next'; readonly written: SharedWrites | undefined }
  /** Part of a block to hash and scan. */
  | { readonly kind: 'scan'; readonly part: BlockPart }
  /** The kernel has run calls of the block. */
  | { readonly kind: 'outcomes'; readonly outcomes: SharedOutcomes }
  /** No more of the block follows. */
  | { readonly kind: 'end' };

export type FromWorker =
  /** Some rows of a batch. Who has found none to run says nothing. */
  | ({ readonly kind: 'rows'; readonly batch: number } & RowReply)
  | { readonly kind: 'scanned'; readonly part: ScannedPart }
  /** Unasked: the thread cannot put programs away any more. */
  | { readonly kind: 'program-file-lost'; readonly why: string }
  /** The outcomes of the batch take more memory than a block is given. */
  | { readonly kind: 'too-large'; readonly batch: number }
  | { readonly kind: 'error'; readonly failure: Failure };

/** What workers are told of a block. */
export function beginning(
  context: LaneContext,
  { storeHandle, snapshot }: { readonly storeHandle?: bigint; readonly snapshot?: ReadonlyMap<LaneKey, Uint8Array> },
  columns: SharedColumns,
  leftToKernel: Iterable<string> = [],
): BeginBlock {
  return {
    kind: 'block',
    // Every thread has a watch of its own.
    context: { ...context, watch: undefined },
    storeHandle,
    snapshot: storeHandle === undefined ? snapshot : undefined,
    columns,
    leftToKernel: [...leftToKernel],
  };
}
