import type { Program, RevertReason } from '../../program/types.js';
import type { KernelState } from '../device/kernel-cache.js';
import type { KernelFailure, KernelStage } from '../device/kernel-failures.js';
import type { CallRecords } from './records.js';

/** One message for the kernel. Storage keys are the contract's own (without the `store/` prefix). */
export interface GpuCall {
  readonly program: Program;
  readonly context: Uint8Array;
  readonly height: number;
  readonly fuel: number;
  /** Declared read set with the values to see (undefined = absent). A key outside it is an ACCESS_VIOLATION. */
  readonly reads: readonly { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[];
  /** Declared write set: a returned storage map with another key is an ACCESS_VIOLATION. */
  readonly writes: readonly Uint8Array[];
}

export type GpuStatus = 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'ACCESS_VIOLATION' | 'PUNT';

export interface GpuCallResult {
  readonly status: GpuStatus;
  readonly reason: RevertReason;
  readonly fuelLeft: number;
  /** OK: the bytes returned by `__execute`; undefined if its pointer is bad (then the message is REJECTED). */
  readonly result: Uint8Array | undefined;
  /** Per declared read: was it asked for? */
  readonly touched: readonly boolean[];
  /** PUNT only: why, one word. */
  readonly puntReason: string | undefined;
}

/** The calls of one block, in the order in which the kernel is to run them. */
export interface GpuBlock {
  /** Start of the key hashes of all records. */
  readonly seed: number;
  readonly records: readonly CallRecords[];
  /** By program hash. */
  readonly programs: ReadonlyMap<string, Program>;
  /**
   * Segments → colours → calls, each call as a pair (index into `records`, number of the call there). Calls of one colour are
   * independent; a later colour sees what earlier ones wrote; between two segments the host may set values.
   */
  readonly segments: readonly (readonly Uint32Array[])[];
  /** Every call has keys of its own, whatever their names; else equal keys of one contract are one. */
  readonly independent?: boolean;
}

/** How the calls of a segment ended, by their number in its colours. Byte views are good until the block is closed. */
export interface GpuOutcomes {
  readonly count: number;
  status(call: number): GpuStatus;
  reason(call: number): RevertReason;
  fuelLeft(call: number): number;
  /** OK: the bytes returned, undefined if the pointer was bad. */
  result(call: number): Uint8Array | undefined;
  puntReason(call: number): string | undefined;
  /** The value that the call saw at its declared key number `key`; null if it was absent, undefined if it did not ask. */
  seen(call: number, key: number): Uint8Array | null | undefined;
  /** All writes of the segment's messages applied, as the kernel applied them: what the messages of a later batch would see. */
  writes(): WrittenValues;
}

/** Values by slot, in columns. */
export interface WrittenValues {
  readonly count: number;
  get(slot: number): Uint8Array | undefined;
}

/** A block on the device. */
export interface GpuBlockRun {
  /** Runs segment `number`; segments are run in order. Rejects with GPU_DEVICE_LOST, GPU_FAILED or GPU_TIMEOUT. */
  run(number: number): Promise<GpuOutcomes>;
  /**
   * Sets what later segments see at the key numbered `key` of call (`records`, `call`), where the host knows better than the
   * kernel: written on the CPU, or written by a message that failed after all.
   */
  set(records: number, call: number, key: number, value: Uint8Array | undefined): void;
  /** Gives the buffers back. */
  close(): void;
}

/** Milliseconds since creation. Phases apart only where `measure` is set: then every phase waits for the one before it. */
export interface GpuTimings {
  packMs: number;
  uploadMs: number;
  kernelMs: number;
  readbackMs: number;
  /** From the first command to the mapped results. */
  deviceMs: number;
  dispatches: number;
}

/** The kernel side of the parallel lane. One instance per process. */
export interface GpuExecutor {
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  /** Whether `program` has a translated kernel, or why not. */
  supports(program: Program): { readonly ok: true } | { readonly ok: false; readonly reason: string };
  /**
   * How the kernel of `program` stands, which `calls` calls want now. From the second call on it is translated and compiled in the
   * background, unless too many others are. Never throws.
   */
  kernelState(program: Program, calls: number): KernelState;
  /** Resolves when the kernel of `program` is compiled, or refused: for tests and measurements, without a time limit. */
  prepare(program: Program): Promise<void>;
  /** The program with this hash has no kernel from now on, for something failed that should not; counted, and told once. */
  dropKernel(hash: string, stage: KernelStage, error: unknown): void;
  /** Programs that lost their kernel to a failure. */
  readonly kernelFailures: { readonly count: number; readonly last: KernelFailure | undefined };
  /** Has `listener` hear of each of them once. */
  onKernelFailure(listener: (failure: KernelFailure) => void): void;
  /** Puts a block on the device; one at a time. Waits for kernels that are not compiled yet: ask {@link kernelState} first. */
  begin(block: GpuBlock): Promise<GpuBlockRun>;
  /** Runs independent messages, each with keys of its own; results in the order of `calls`. Never throws for a program's sake; a lost device rejects with `GPU_DEVICE_LOST`. */
  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]>;
  readonly timings: GpuTimings;
  close(): Promise<void>;
}
