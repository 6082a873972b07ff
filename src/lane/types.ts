/** Results of the parallel lane: what the executors return and the store keeps. */
import type { CallKind, Program } from '../program/types.js';
import type { RunReason } from './run-reason.js';
import type { Executor, LaneStatistics } from './statistics.js';

/** A key of namespace P as a binary string (one unit per byte, see util/bytes `toBinaryString`). */
export type LaneKey = string;

/** Values by key; `undefined` = absent. All execution reads state through this. */
export interface StateReader {
  get(key: LaneKey): Uint8Array | undefined;
  /** As {@link get}, of the key from `start` to `end` of `bytes`; present only where that needs no text of it. */
  getAt?(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined;
  /** The results of {@link get} for `keys`, in their order; present only where it is cheaper. */
  getMany?(keys: readonly LaneKey[]): (Uint8Array | undefined)[];
  /** The same for keys where they lie: from `starts` to `ends` of `bytes`. */
  getManyAt?(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): (Uint8Array | undefined)[];
  /**
   * All keys that begin with `prefix` and their values; undefined if there are more than `most`, or if they take more
   * than `mostBytes`. Only where that is cheaper than as many reads.
   */
  allUnder?(prefix: LaneKey, most: number, mostBytes: number): ReadonlyMap<LaneKey, Uint8Array> | undefined;
  /** The program of the long code at `key`, if it is known without reading that: code never changes. */
  programAt?(key: LaneKey): Program | undefined;
  /** Remembers which program it is. */
  learnCode?(key: LaneKey, program: Program): void;
  /** Whether its values are guesses, each for itself, that need not fit together. */
  readonly isGuess?: boolean;
}

/** Writes by key; `undefined` = deleted. */
export interface LaneWrites extends ReadonlyMap<LaneKey, Uint8Array | undefined> {
  set(key: LaneKey, value: Uint8Array | undefined): unknown;
  delete(key: LaneKey): boolean;
}

/** In the order of their codes in stored receipts. */
export const MESSAGE_STATUSES = ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED', 'STANDARD'] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** How a frame can end: those of a message but STANDARD, with the same codes. */
export const CALL_STATUSES = ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED'] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];
/** How a frame or a message can fail. */
export type FailedStatus = Exclude<CallStatus, 'OK'>;

/** A frame below that of a message: a call that a contract made (docs/lane-rules.md, section 9). */
export interface CallReceipt {
  /** 1: the contract of the message made the call. */
  readonly depth: number;
  readonly kind: CallKind;
  /** `block:tx` of the contract that was called (a created one: its new id). */
  readonly target: string;
  /** SHA-256 of the module that ran, hex. */
  readonly codeHash: string;
  /** First input, decimal; undefined if there was none. */
  readonly opcode: string | undefined;
  /** Without what calls below it have used; the charge of a call is its caller's. */
  readonly fuelUsed: number;
  /** Of a frame that failed because one below it did: that one's. */
  readonly status: CallStatus;
  /** Number of triples that it was given, and of those that it returned. */
  readonly parcel: number;
  readonly transfers: number;
  /** Bytes of data that it returned. */
  readonly dataBytes: number;
}

/** What a contract gave to `__log`. */
export interface LogReceipt {
  /** 0: the frame of the message; n: its n-th call (see {@link MessageReceipt.calls}). */
  readonly frame: number;
  /** Hex: its first bytes, as many as the transaction's receipt has room for. */
  readonly data: string;
  /** Bytes that it had. */
  readonly bytes: number;
}

export interface MessageReceipt {
  /** Index of the protostone. */
  readonly protostone: number;
  readonly shadowVout: number;
  /** STANDARD: a tag-1 message to a target other than 8:8, refunded here. */
  readonly status: MessageStatus;
  /** `block:tx` of the contract that ran (a created one: its new id), or undefined if none was resolved. */
  readonly target: string | undefined;
  /** Stable text, undefined for OK. */
  readonly error: string | undefined;
  readonly fuelUsed: number;
  /** Data returned by the contract, hex: its first bytes, as many as the transaction's receipt has room for. */
  readonly data: string;
  /** Bytes of data that the contract returned. */
  readonly dataBytes: number;
  /** The frames below its own, in call order: the first ones, as many as the transaction's receipt has room for. */
  readonly calls: readonly CallReceipt[];
  /** How many there were. */
  readonly callTotal: number;
  /** What the contract that ended the message gave to `abort`: `message (file:line:column)`, cut (abort-text.ts). */
  readonly abort: string | undefined;
  /** What its contracts gave to `__log`: the first texts, as many as the transaction's receipt has room for. */
  readonly logs: readonly LogReceipt[];
  /** How many there were. */
  readonly logTotal: number;
}

/** What is equal under every policy (compared by the differential tests). */
export interface LaneOutcome {
  /** Position in the block. */
  readonly index: number;
  /** Display order. */
  readonly txid: string;
  /** Why the whole transaction was undone, undefined if it was not. */
  readonly undone: string | undefined;
  readonly messages: readonly MessageReceipt[];
  /**
   * Keys read from outside the transaction with the value seen (for long code: overlay.ts), and keys written with the
   * new value (undefined = deleted).
   */
  readonly reads: ReadonlyMap<LaneKey, Uint8Array | undefined>;
  readonly writes: ReadonlyMap<LaneKey, Uint8Array | undefined>;
}

/** A receipt as stored and served: bounded in bytes, whatever the transaction did (receipt.ts). */
export interface Receipt {
  readonly height: number;
  readonly index: number;
  readonly txid: string;
  readonly undone: string | undefined;
  readonly messages: readonly MessageReceipt[];
  readonly fuel: number;
  /** The first of the keys read from outside the transaction, hex, ascending. */
  readonly reads: readonly string[];
  /** How many keys were read. */
  readonly readTotal: number;
  /** `keysHash` of all keys read, hex, where `reads` does not list all; else undefined. */
  readonly readHash: string | undefined;
  /** The same for the keys written. */
  readonly writes: readonly string[];
  readonly writeTotal: number;
  readonly writeHash: string | undefined;
  /** How it was run: differs between policies, never part of a comparison. */
  readonly colour: number;
  readonly executor: Executor;
  readonly repaired: boolean;
  readonly predicted: boolean;
  readonly mispredicted: boolean;
  readonly reason: RunReason | undefined;
}

/** Receipts of a block in the bytes that are stored (receipt-bytes.ts), in block order. */
export interface EncodedReceipts {
  readonly count: number;
  /** What they lie in, and where receipt `at` begins and ends: good until one is added. */
  readonly data: Uint8Array;
  start(at: number): number;
  end(at: number): number;
}

/** Figures of a block's plan as they are stored; no colours where it was run one transaction at a time. */
export interface PlanSummary {
  readonly height: number;
  readonly laneTxs: number;
  readonly demoted: number;
  readonly edges: number;
  readonly colours: number;
  /** Transactions per colour, colour 1 first. */
  readonly widths: readonly number[];
  readonly longestChain: number;
  /** Transactions that ran with a value which was predicted, and those of them for which one was wrong. */
  readonly predicted: number;
  readonly mispredicted: number;
}

export interface LaneBlockResult {
  /** Final writes of the block (undefined = deleted). */
  readonly writes: ReadonlyMap<LaneKey, Uint8Array | undefined>;
  readonly receipts: readonly Receipt[];
  /** The same as they are stored, where they were written like that. */
  readonly encodedReceipts?: EncodedReceipts;
  readonly plan: PlanSummary;
  readonly statistics: LaneStatistics;
}
