import type { ProgramCode } from '../error-codes/registry.js';
import { type ErrorFacts, ProgramError } from '../errors.js';
import type { GuestLine } from './guest-log.js';
import type { ViewLimits } from './module.js';

/** What a worker of the standard lane is given at its start. */
export interface WorkerSetup {
  readonly compiled: WebAssembly.Module;
  readonly hash: string;
  /** Handle of the store to read from; without it the worker keeps the state itself, beginning empty. */
  readonly storeHandle: bigint | undefined;
  /** Lines of the module's log a second that are sent; `print`: all go to standard error. */
  readonly log: number | 'print';
  /** Of a thread for views: `compiled` is bounded in its memory. */
  readonly views: ViewLimits | undefined;
}

export type WorkerRequest =
  | {
      readonly id: number;
      readonly kind: 'block';
      readonly raw: Uint8Array;
      readonly height: number;
      /** The block before, run by this worker, need not be stored yet: its writes are read before the store. */
      readonly ahead: boolean;
    }
  | {
      readonly id: number;
      readonly kind: 'view';
      readonly name: string;
      readonly input: Uint8Array;
      /** What the view is told. */
      readonly height: number;
      /** Whose state it reads. */
      readonly stateHeight: number;
    };

/** A module's error as it crosses threads. */
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
      readonly pairCount: number;
      readonly ms: number;
      readonly error: PlainError | undefined;
    }
  | { readonly kind: 'view'; readonly id: number; readonly output: Uint8Array; readonly memoryBytes: number }
  /** `error` undefined: a fault of the host, described by `text`. */
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError | undefined; readonly text: string };

/** A line of the module's log: no reply, it comes while the module runs. */
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
