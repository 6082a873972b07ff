/** What runs a program once: a V8 instance of it, or a frame of the interpreter. */
import type { Frame } from './frame.js';
import type { HostFunctions } from './host-functions.js';
import type { RunState } from './run-state.js';
import type { Program, RunHost, RunResult } from './types.js';

export interface ProgramRun {
  readonly functions: HostFunctions;
  /** Why it trapped: see counters.ts. */
  readonly why: { readonly value: number };
  /** Bytes that its memory has grown by in this run. */
  readonly grownBytes: number;
  /** Functions that making another one like it takes references of. */
  readonly references: number;
  /** Results of up to so many bytes are copied out of its memory. */
  readonly copiedBytes: number;
  /** Fuel that the frames inside this run have used. */
  fuelInside: number;
  /** What a run that it calls now may take. */
  readonly frameInside: Frame;
  /** Makes it ready for one run in `frame` with `fuel`, over `state`. */
  begin(state: RunState, fuel: number, frame: Frame): void;
  /** Runs `__execute` and gives what it returns. Throws `WebAssembly.RuntimeError` where the program traps. */
  readonly execute: () => number;
  /** The run is over. */
  finish(): void;
}

/** Runs `program` in a frame inside of that of `caller`; undefined: not enough pages are left. */
export type RunInner = (caller: ProgramRun, program: Program, host: RunHost, fuel: number) => RunResult | undefined;
