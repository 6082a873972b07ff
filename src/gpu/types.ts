import type { Program, RevertReason } from '../program/types.js';

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

export interface GpuTimings {
  packMs: number;
  uploadMs: number;
  kernelMs: number;
  readbackMs: number;
}

/** The kernel side of the parallel lane. One instance per process. */
export interface GpuLane {
  readonly adapter: { readonly vendor: string; readonly description: string; readonly software: boolean };
  /** Whether `program` has a translated kernel, or why not. */
  supports(program: Program): { readonly ok: true } | { readonly ok: false; readonly reason: string };
  /** Runs independent messages (one colour); results in the order of `calls`. Never throws for a program's sake; a lost device rejects with `GPU_DEVICE_LOST`. */
  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]>;
  /** Sums since creation. */
  readonly timings: GpuTimings;
  close(): Promise<void>;
}
