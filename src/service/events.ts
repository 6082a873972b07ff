/** Events that the engine's thread sends to the main thread, by structured clone. */

import type { SourceStatistics } from '../chain/open.js';
import type { ErrorFacts, Failure } from '../errors/errors.js';
import type { EngineHealth } from '../execute/health/engine-health.js';
import type { KernelTransition } from '../execute/health/kernel-health.js';
import type { FollowerState } from '../follow/status.js';
import type { LaneStatistics } from '../lane/statistics.js';
import type { GuestLine } from '../standard/guest-log.js';
import type { Namespace, StateRoots } from '../store/types.js';
import type { Niceness } from '../util/niceness.js';
import type { ContractLine } from './contract-log.js';
import type { SnapshotOutcome } from './snapshots.js';

export { errorOf, type Failure, failureOf } from '../errors/errors.js';

/** `starting`: the store is being opened. */
export type Phase = 'starting' | FollowerState;

export type EngineEvent =
  /** The store is open: other threads may attach to it until they send `released`. */
  | {
      readonly kind: 'opened';
      readonly storeHandle: bigint;
      readonly source: string;
      readonly network: string;
      readonly adapter: string | undefined;
      /** Why there is no GPU although the policy uses one. */
      readonly noGpu: string | undefined;
      readonly niceness: Niceness;
    }
  | { readonly kind: 'phase'; readonly phase: Phase }
  /** Height of the source's best chain, each time that it changed. */
  | { readonly kind: 'source-tip'; readonly height: number; readonly statistics: SourceStatistics }
  | {
      readonly kind: 'block';
      readonly height: number;
      /** Display order, hex. */
      readonly hash: string;
      readonly bytes: number;
      /** Undefined for a block that is stored with one that follows. */
      readonly roots: StateRoots | undefined;
      readonly statistics: LaneStatistics;
      /** Milliseconds by phase, except those of `statistics`. */
      readonly ms: Readonly<Record<string, number>>;
      readonly gpu: EngineHealth;
      /** Counters of the source so far. */
      readonly source: SourceStatistics;
    }
  /** The standard module wrote a line to its log. */
  | { readonly kind: 'module-log'; readonly line: GuestLine }
  /** A contract of the lane said something. */
  | { readonly kind: 'contract-log'; readonly line: ContractLine }
  | { readonly kind: 'rollback'; readonly from: number; readonly to: number }
  /** Something is tried again, after an error or because the source contradicted itself. */
  | {
      readonly kind: 'retry';
      readonly note: string;
      readonly failure: Failure | undefined;
      /** How long it is still retried, in milliseconds; undefined: for ever. */
      readonly leftMs: number | undefined;
    }
  /** The service continues, but something is not as it should be. */
  | { readonly kind: 'warning'; readonly message: string; readonly facts: ErrorFacts }
  /** A snapshot was made, or failed. */
  | { readonly kind: 'snapshot'; readonly report: SnapshotOutcome }
  /** The stored rows of a state tree did not give it: it is made from the state. */
  | { readonly kind: 'tree-remade'; readonly namespace: Namespace }
  /** The thread that hashes state trees beside the engine's is gone, or did not start: the engine's hashes them. */
  | { readonly kind: 'store-thread-lost'; readonly reason: string }
  /** A driver of a GPU printed something. */
  | { readonly kind: 'driver-noise'; readonly line: string }
  /** The kernel failed as a whole; its block went on on the CPU. */
  | { readonly kind: 'gpu-failure'; readonly failure: Failure; readonly gpu: EngineHealth }
  /** The kernel's health has changed. */
  | { readonly kind: 'kernel-health'; readonly transition: KernelTransition; readonly gpu: EngineHealth }
  /** A program lost its kernel to a failure; sent once per program. */
  | { readonly kind: 'kernel-failure'; readonly failure: Failure; readonly gpu: EngineHealth }
  /**
   * Nothing more is indexed; the store stays open for readers. `failure` undefined: asked to stop, or --exit-at is
   * reached.
   */
  | { readonly kind: 'ended'; readonly failure: Failure | undefined }
  /** Opening failed: there is nothing to attach to, and the thread ends. */
  | { readonly kind: 'not-opened'; readonly failure: Failure }
  /** The store is closed: the thread has nothing left to do. */
  | { readonly kind: 'closed' }
  /** The thread is gone, and the open store with it. */
  | { readonly kind: 'crashed'; readonly failure: Failure };

/** `stop`: stop indexing. `released`: no thread is attached any more; close the store and end. */
export type EngineCommand = { readonly kind: 'stop' } | { readonly kind: 'released' };

/** `CODE: message`. */
export function failureText({ code, message }: Failure): string {
  return `${code}: ${message}`;
}
