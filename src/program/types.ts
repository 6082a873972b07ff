import type { WasmModule } from './module.js';
import type { Reuse } from './reuse.js';

/** A program after the pipeline validate → instrument; immutable and cached by `hash`. */
export interface Program {
  /** SHA-256 of the original WASM, hex. */
  readonly hash: string;
  /** The module as it came. Of a program that is stored and not kept it is read on each use. */
  readonly source: Uint8Array;
  /** Its bytes. */
  readonly sourceBytes: number;
  /**
   * The instrumented module's bytes, its table as numbers if it changes (erasure.ts), with `reset` (reuse.ts) where it
   * can be reused: what V8 compiles. Made (almost always anew) when it is asked for: compiled code is kept for longer.
   */
  readonly instrumented: Uint8Array;
  /** Bytes that an engine takes for it once all its code is compiled, by an estimate. */
  readonly compiledBytes: number;
  /** The same for a lent memory (lent-memory.ts), made on first use. */
  readonly instrumentedToLend: Uint8Array;
  /**
   * The instrumented module decoded (almost always anew), with its table as it came, for the translator. It takes many
   * times its bytes.
   */
  readonly module: WasmModule;
  /** What every run pays first (lane rules 5). */
  readonly entryFuel: number;
  /** Slots of each function's frame (lane rules 4), imported functions not counted. */
  readonly slots: Uint32Array;
  /** Bytes that the side tables of all functions take at most (wasm/native/interpreter/layout.ts). */
  readonly sideBytes: number;
  /** Whether one instance can serve many runs. */
  readonly reuse: Reuse;
  /** Names of the imports it uses. */
  readonly imports: ReadonlySet<string>;
  /** Pages of memory that a run begins with. */
  readonly minPages: number;
  /** Its segments of data are in bounds: it can run in a lent memory (lent-memory.ts). */
  readonly fitsLent: boolean;
  /** It had better run there, as far as can be told before it has run. */
  readonly lendsFirst: boolean;
  /** It imports a function that calls other contracts. */
  readonly makesCalls: boolean;
}

/**
 * Why a run ended with REVERT (lane rules 4). Number = code in the kernel's status word, so CPU and GPU name the same
 * reason.
 */
export const REVERT_REASONS = [
  'none',
  'abort',
  'bad-pointer',
  'short-id',
  /** A frame below has failed, and the host knows how: so the message does. */
  'inner-call',
  'host-error',
  'malformed-call',
  'call-depth',
] as const;
export type RevertReason = (typeof REVERT_REASONS)[number];

/**
 * How `__execute` ended. OK: returned; `result` is what its pointer designates, or undefined if the pointer or length
 * is bad (the message is then REJECTED).
 */
export type RunStatus = 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL';

export interface RunResult {
  readonly status: RunStatus;
  readonly reason: RevertReason;
  /** Fuel left when the run ended; 0 for OUT_OF_FUEL. */
  readonly fuelLeft: number;
  /** OK only: the bytes returned by `__execute`. No later run changes them. */
  readonly result: Uint8Array | undefined;
  /** True if `__is_dry_run` was called. */
  readonly askedDryRun: boolean;
}

/** The host functions that call another contract, without their underscores. */
export const CALL_KINDS = ['call', 'delegatecall', 'staticcall'] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** What a program gives to a call: views of its memory, which stays as it is until the call has ended. */
export interface CallBuffers {
  readonly kind: CallKind;
  readonly cellpack: Uint8Array;
  readonly parcel: Uint8Array;
  readonly checkpoint: Uint8Array;
}

/** The frame that makes a call, for the host that carries it out. */
export interface CallingFrame {
  /** 0: the message's own. */
  readonly depth: number;
  readonly fuelLeft: number;
  /** Takes `amount` of its fuel, or throws to end the run with OUT_OF_FUEL. */
  charge(amount: number): void;
  /**
   * Runs `program` in a frame inside this one, with all the fuel, slots and pages that are left; the fuel that the run
   * leaves is this frame's again. Undefined, and nothing ran: there are not enough pages left for its memory. The bytes
   * of the result are those of its memory: the next run that this frame makes may change them.
   */
  run(program: Program, host: RunHost): RunResult | undefined;
  /** `parts` one behind the other, as the return data of a call that it makes: good until it makes the next one. */
  returned(...parts: readonly Uint8Array[]): Uint8Array;
}

/** Hears what programs say: for people, no rule depends on it. */
export interface TextSink {
  /** What `__log` was given: from `start` to `end` of the program's memory, which must not be kept. */
  log(memory: Uint8Array, start: number, end: number): void;
  /** What `abort` was given: see abort-text.ts. */
  aborted(text: string): void;
}

/** Hears nothing. */
export const NO_TEXTS: TextSink = { log: () => undefined, aborted: () => undefined };

/**
 * What a run needs from outside. Storage keys are the contract's own (without the `store/` prefix). Keys and ids are
 * views of the program's memory and must not be kept.
 */
export interface RunHost {
  readonly isDryRun: boolean;
  readonly height: number;
  /** Bytes of `__load_context`. */
  readonly context: Uint8Array;
  readonly transaction: Uint8Array;
  readonly block: Uint8Array;
  /** Value of `key` in own storage, undefined if absent. Recorded by the callee. */
  storage(key: Uint8Array): Uint8Array | undefined;
  /** Next sequence number (key `sequence`, absent = 1). Recorded by the callee. */
  sequence(): bigint;
  /** Balance bytes (16, or empty if 0) of `what` held by `who`; both 32-byte ids. Recorded by the callee. */
  balance(who: Uint8Array, what: Uint8Array): Uint8Array;
  declareRead(key: Uint8Array): void;
  declareWrite(key: Uint8Array): void;
  readonly texts: TextSink;
  /**
   * Carries out a call of another contract (lane rules 9), all of it but the reading of its buffers. Gives the return
   * data; throws `RunStop` where the calling run ends.
   */
  call(buffers: CallBuffers, frame: CallingFrame): Uint8Array;
}
