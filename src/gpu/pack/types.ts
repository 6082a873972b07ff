import type { Program, RevertReason } from '../../program/types.js';
import type { KernelState } from '../device/kernel-cache.js';
import type { KernelFailure, KernelStage } from '../device/kernel-failures.js';
import type { CallColumns } from './records.js';

/** One message call for the kernel. Storage keys are the contract's own (without the `store/` prefix). */
export interface GpuCall {
  readonly program: Program;
  readonly context: Uint8Array;
  readonly height: number;
  readonly fuel: number;
  /** Declared read set with the values to read (undefined = absent). Reading any other key is an ACCESS_VIOLATION. */
  readonly reads: readonly { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[];
  /** Declared write set. A returned storage map with any other key is an ACCESS_VIOLATION. */
  readonly writes: readonly Uint8Array[];
}

export type GpuStatus = 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'ACCESS_VIOLATION' | 'PUNT';

export interface GpuCallResult {
  readonly status: GpuStatus;
  readonly reason: RevertReason;
  readonly fuelLeft: number;
  /** OK: the bytes that `__execute` returned; undefined if its pointer is bad (then the message is REJECTED). */
  readonly result: Uint8Array | undefined;
  /** Per declared read: whether the call read it. */
  readonly touched: readonly boolean[];
  /** PUNT only: the reason, in one word. */
  readonly puntReason: string | undefined;
}

/** The calls of one block, in the order in which the kernel is to run them. */
export interface GpuBlock {
  /** The seed that the hashes of its keys start from. */
  readonly seed: number;
  readonly records: CallColumns;
  /** By program hash. */
  readonly programs: ReadonlyMap<string, Program>;
  /**
   * Segments → colours → numbers of calls in `records`. Calls of one colour are independent. A later colour sees what
   * earlier ones wrote. Between two segments the CPU may set values.
   */
  readonly segments: readonly (readonly Uint32Array[])[];
  /** Whether every call has its own values, even of keys that calls share; otherwise each listed key has one value. */
  readonly independent?: boolean;
}

/** How the calls of a segment ended, by their number in its colours. Byte views are valid until the block is closed. */
export interface CallOutcomes {
  readonly count: number;
  status(call: number): GpuStatus;
  reason(call: number): RevertReason;
  fuelLeft(call: number): number;
  /** OK: the bytes returned; undefined if the pointer was bad. */
  result(call: number): Uint8Array | undefined;
  puntReason(call: number): string | undefined;
  /** The value that the call read at its declared key number `key`: null if absent, undefined if it did not read it. */
  seen(call: number, key: number): Uint8Array | null | undefined;
}

/** Outcomes of a segment and all calls of the block, for other threads: every list lies in shared memory. */
export interface SharedOutcomes {
  readonly calls: CallColumns;
  /** The packed calls of the segment. */
  readonly segment: { readonly first: number; readonly end: number };
  /** Of the packed block: see `PackedBlock`. */
  readonly packed: { readonly packedOf: Uint32Array; readonly firstAccess: Uint32Array; readonly outAt: Uint32Array };
  /** What was read back: see `SegmentReadback`. */
  readonly readback: { readonly results: Uint32Array; readonly seen: Uint32Array; readonly output: Uint8Array };
}

export interface GpuOutcomes extends CallOutcomes {
  /** The same for other threads; undefined where something lies elsewhere than in the records and this output. */
  shared?(): SharedOutcomes | undefined;
  /** The segment's writes, applied as the kernel applied them: what messages of a later batch would read. */
  writes(): WrittenValues;
}

/** Results of a segment, as they lie in the mapped staging buffer. */
export interface SegmentReadback {
  /** The results of the segment's calls. */
  readonly results: Uint32Array;
  /** Address of what each of the segment's accesses read. */
  readonly seen: Uint32Array;
  readonly output: Uint8Array;
}

/** Outcomes with what they are read from. */
export interface ReadbackOutcomes extends GpuOutcomes {
  /** In the order that the block is packed in; valid until the block is closed. */
  readonly readback: SegmentReadback;
}

/** Values in columns, by number of the key; by access if the calls are independent. */
export interface WrittenValues {
  readonly count: number;
  get(slot: number): Uint8Array | undefined;
}

/** A block on the device. */
export interface GpuBlockRun {
  /** Runs segment `number`; segments are run in order. Rejects with GPU_DEVICE_LOST, GPU_FAILED or GPU_TIMEOUT. */
  run(number: number): Promise<GpuOutcomes>;
  /**
   * Sets what later segments read at key number `key` of the block's records, where the kernel's value is out of date:
   * the CPU has written the key, or the message whose write the kernel applied has failed.
   */
  set(key: number, value: Uint8Array | undefined): void;
  /** Returns the buffers. */
  close(): void;
}

/** The same where the columns that a device leaves are to be had. */
export interface ReadbackRun extends GpuBlockRun {
  run(number: number): Promise<ReadbackOutcomes>;
}

/**
 * Milliseconds since creation. Phases are told apart only with `measure`, which makes every phase wait for the last.
 */
export interface GpuTimings {
  packMs: number;
  uploadMs: number;
  kernelMs: number;
  readbackMs: number;
  /** From the first command to the mapped results. */
  deviceMs: number;
  dispatches: number;
  /** Bytes that were written to the device, and that were read back. */
  bytesUp: number;
  bytesDown: number;
}

/** Runs message calls in the kernel. One instance per process. */
export interface GpuExecutor {
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  /** Whether the translator takes `program`, or why it has no kernel. */
  supports(program: Program): { readonly ok: true } | { readonly ok: false; readonly reason: string };
  /**
   * State of the kernel of `program`, which `calls` calls ask for now. From a program's second call on, its kernel is
   * translated and compiled in the background, unless the queue is full. Never throws.
   */
  kernelState(program: Program, calls: number): KernelState;
  /** Resolves when `program` has its kernel, or will have none. No time limit: for tests and measurements. */
  prepare(program: Program): Promise<void>;
  /** Takes the kernel from the program with this hash after an unexpected failure; counted, and reported once. */
  dropKernel(hash: string, stage: KernelStage, error: unknown): void;
  /** Programs that lost their kernel to a failure. */
  readonly kernelFailures: { readonly count: number; readonly last: KernelFailure | undefined };
  /** Calls `listener` once for each of them. */
  onKernelFailure(listener: (failure: KernelFailure) => void): void;
  /** Puts a block on the device, one at a time. Waits for kernels not compiled yet: ask {@link kernelState} first. */
  begin(block: GpuBlock): Promise<GpuBlockRun>;
  /**
   * Runs independent message calls, each with keys of its own; results in the order of `calls`. Nothing that a program
   * does makes it reject. Rejects with GPU_DEVICE_LOST if the device is lost.
   */
  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]>;
  readonly timings: GpuTimings;
  /**
   * Measures what waking the device takes, in microseconds, beside whatever else runs; undefined: it cannot be told.
   * Rejects with GPU_MISMATCH, GPU_TIMEOUT, GPU_FAILED or GPU_DEVICE_LOST.
   */
  calibrate?(): Promise<number>;
  close(): Promise<void>;
}

/** An executor on a device of this process. */
export interface DeviceExecutor extends GpuExecutor {
  begin(block: GpuBlock): Promise<ReadbackRun>;
}
