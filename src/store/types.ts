import type { BlockColumns } from '../bitcoin/block-offsets.js';
import type { DependentRule } from '../lane/policy.js';
import type { EncodedReceipts, LaneKey, PlanSummary, Receipt } from '../lane/types.js';

/** 'S': keys of the standard module; 'P': keys of the parallel lane. */
export type Namespace = 'S' | 'P';

/** Roots after a block, lower-case hex without prefix. `state`: of both, see `combinedRoot`. */
export interface StateRoots {
  readonly standard: string;
  readonly lane: string;
  readonly state: string;
}

/** What a store is opened with; recorded at creation and checked at every later open. */
export interface StoreOptions {
  /** `mainnet`, `regtest`, … */
  readonly network: string;
  /** Below it every tag-1 message fails (lane rules 1); 0 if not given. */
  readonly laneStartHeight?: number;
  /** What happens to messages that spend outputs of lane transactions of their block; `demote` if not given. */
  readonly dependent?: DependentRule;
  /** SHA-256 of the standard module, hex. */
  readonly moduleHash: string;
  /** Whether there is an index of outputs and transactions by address; none if not given. */
  readonly addresses?: boolean;
  /** Refuse writes, and do not create the store. The database is locked all the same. */
  readonly readOnly?: boolean;
  /** See {@link UndoOptions}. */
  readonly keepUndo?: number;
  /** See {@link UndoOptions}. */
  readonly history?: UndoOptions['history'];
  /** Memory for what is read again, in bytes (from 8 MiB); 256 MiB if not given. */
  readonly cacheBytes?: number;
  /** Memory for the state trees of both namespaces, in bytes; 512 MiB if not given. */
  readonly treeBytes?: number;
  /** Bytes of rows beyond which a block is written in pieces; 16 MiB if not given. */
  readonly pieceBytes?: number;
  /**
   * Keys that one thread writes at a time where several write those of a block; 2,048 if not given, where there are
   * threads for it.
   */
  readonly partKeys?: number;
  /** Called before the state tree of a namespace is made from the state, because its rows do not give it. */
  readonly onTreeRemade?: (namespace: Namespace) => void;
  /** Called for each thread beside the caller's that is lost, and why: the caller does what it did. */
  readonly onThreadLost?: (cause: unknown) => void;
  /** A name for people, at most 200 bytes of UTF-8; what is given last stays. */
  readonly label?: string;
}

/** How far back a store can be rolled, and tell states; may be another one at every opening. */
export interface UndoOptions {
  /** Blocks below the tip whose undo data stays: a whole number from 1; {@link DEFAULT_KEEP_UNDO} if not given. */
  readonly keepUndo?: number;
  /**
   * Blocks below the tip whose states can be told, a whole number from 1, never fewer than can be undone; `full`, as if
   * not given, for all of them. Of what a smaller setting dropped nothing comes back.
   */
  readonly history?: 'full' | number;
}

/** No reorg of mainnet came near this depth. */
export const DEFAULT_KEEP_UNDO = 100;

/** The options as recorded in the store. */
export interface StoreIdentity {
  readonly schema: number;
  readonly rules: number;
  readonly network: string;
  readonly laneStartHeight: number;
  readonly dependent: DependentRule;
  readonly moduleHash: string;
  /** Absent where there is no index by address. */
  readonly addresses?: true;
  /** Version of the layout of that index; absent in the first one. */
  readonly addressRows?: number;
}

/** Where the inputs and outputs of a block lie, with its txids. */
export type BlockOutputs = Pick<
  BlockColumns,
  'raw' | 'count' | 'firstInput' | 'firstOutput' | 'inputs' | 'scripts' | 'txids'
>;

/** Everything of one block, committed at once. */
export interface BlockCommit {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  /** 80 bytes. */
  readonly header: Uint8Array;
  /** Last value per key (binary string); empty values are kept. */
  readonly standardWrites: ReadonlyMap<string, Uint8Array>;
  /** undefined = deleted. */
  readonly laneWrites: ReadonlyMap<LaneKey, Uint8Array | undefined>;
  readonly receipts: readonly Receipt[] | EncodedReceipts;
  readonly plan: PlanSummary;
  /** Where its inputs and outputs lie: for a store with an index by address, which wants them. */
  readonly outputs?: BlockOutputs;
  /** Why the standard module wrote nothing in this block. */
  readonly standardError?: string;
}

export interface CommitOptions {
  /**
   * Another block is at hand: this one need not be on the disk when the commit returns. A crash of the machine may then
   * lose it, whole.
   */
  readonly moreFollow?: boolean;
  /**
   * The block is far below the tip of its source, and no reorg is expected to reach it: it gets no undo data, and
   * neither it nor what lies below can be undone then. A store that keeps the states of some blocks only gives it undo
   * data all the same, as that names what is dropped later.
   */
  readonly final?: boolean;
  /** Sees the roots before the block counts; when it throws, nothing of the block stays. */
  readonly check?: (roots: StateRoots) => void;
  /** Hears the milliseconds that this thread spent on the state trees of a block stored alone, waiting included. */
  readonly onTree?: (ms: number) => void;
}

export interface BlockRecord {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  readonly header: Uint8Array;
  /** Undefined where none were computed: blocks that were stored together have those of the last one. */
  readonly roots: StateRoots | undefined;
  readonly standardError: string | undefined;
  readonly receiptCount: number;
}

/** The last committed block. */
export interface Tip {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
}
