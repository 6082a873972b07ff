import type { ProgramCode } from '../errors/codes/registry.js';
import { type ErrorFacts, type Failure, ProgramError } from '../errors/errors.js';
import type { RowsBefore } from '../util/packed-writes.js';
import type { GuestLine } from './guest-log.js';
import type { ViewLimits } from './module.js';
import type { Preparation } from './preparation.js';
import type { PreviewRequest } from './preview.js';
import type { SecondaryUrls } from './secondary.js';

/** What a worker of the standard indexer gets at its start. */
export interface WorkerSetup {
  readonly compiled: WebAssembly.Module;
  readonly hash: string;
  /** Handle of the store to read from; without it the worker keeps the state itself, beginning empty. */
  readonly storeHandle: bigint | undefined;
  /** Lines of the module's log sent per second; `print`: all go to standard error. */
  readonly log: number | 'print';
  /** Servers of other indexes that the module may read. */
  readonly secondaries: SecondaryUrls | undefined;
  /** Set for a view thread: the memory of `compiled` is bounded. */
  readonly views: ViewLimits | undefined;
}

export type WorkerRequest =
  | {
      readonly id: number;
      readonly kind: 'block';
      readonly raw: Uint8Array;
      readonly height: number;
      /**
       * So many blocks before, run by this worker, need not be stored yet: their writes are read before the store.
       */
      readonly unstored: number;
    }
  | {
      readonly id: number;
      readonly kind: 'view';
      readonly name: string;
      readonly input: Uint8Array;
      /** The view's height argument. */
      readonly height: number;
      /** Height of the state that it reads. */
      readonly stateHeight: number;
    }
  /** `height`: of the block, and the view's argument. The block runs on the state after `stateHeight`. */
  | ({ readonly id: number; readonly kind: 'preview'; readonly stateHeight: number } & PreviewRequest);

/** A module's error as plain data that can be sent between threads. */
export interface PlainError {
  readonly code: ProgramCode;
  readonly message: string;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;
}

export type WorkerReply =
  | {
      readonly kind: 'block';
      readonly id: number;
      readonly flushes: readonly Uint8Array[];
      /** See `FlushedPairs.at`. */
      readonly places: Int32Array<ArrayBuffer>;
      /** What the thread prepares if nothing else is asked of it; undefined where nothing is stored. */
      readonly preparation: Preparation | undefined;
      /** What the module has read of what it replaces; undefined where nothing is stored. */
      readonly before: RowsBefore<ArrayBuffer> | undefined;
      readonly pairCount: number;
      readonly ms: number;
      readonly error: PlainError | undefined;
    }
  /** Of a view or a preview. */
  | { readonly kind: 'view'; readonly id: number; readonly output: Uint8Array; readonly memoryBytes: number }
  /** By what the module did. */
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError; readonly fault?: undefined }
  /** By a fault of the host. */
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Failure };

/** A line of the module's log: not a reply, it is sent while the module runs. */
export interface WorkerLine {
  readonly kind: 'log';
  readonly line: GuestLine;
}

export function toPlain(error: ProgramError): PlainError {
  return { code: error.code, message: error.message, facts: error.facts, hint: error.hint };
}

export function fromPlain(error: PlainError): ProgramError {
  return new ProgramError(error.code, error.message, { facts: error.facts, hint: error.hint });
}
