/** What a run asks for, by places in memory: nothing is made for a call of a host function. */
import type {
  CallBuffers,
  CallingFrame,
  Program,
  RevertReason,
  RunHost,
  RunResult,
  RunStatus,
  TextSink,
} from './types.js';

/**
 * What a run needs from outside. `memory` is all of the program's; places in it are in bounds, and `memory` must not be
 * kept. Storage keys are the contract's own.
 */
export interface RunState {
  readonly isDryRun: boolean;
  readonly height: number;
  /** Bytes of the context, and the context written to `memory` from `at` on. */
  readonly contextBytes: number;
  writeContext(memory: Uint8Array, at: number): void;
  readonly transaction: Uint8Array;
  readonly block: Uint8Array;
  /** Finds the value of the key from `start` to `end` and gives its length, 0 if it is absent. Records the read. */
  findStorage(memory: Uint8Array, start: number, end: number): number;
  /** The same for the balance of the 32-byte id at `what` held by that at `who`: 16, or 0 if there is none. */
  findBalance(memory: Uint8Array, who: number, what: number): number;
  /** Writes what was found last to `memory` from `at` on. */
  writeFound(memory: Uint8Array, at: number): void;
  /** Next sequence number (key `sequence`, absent = 1). Records the read. */
  sequence(): bigint;
  declareRead(memory: Uint8Array, start: number, end: number): void;
  declareWrite(memory: Uint8Array, start: number, end: number): void;
  readonly texts: TextSink;
  /** See {@link RunHost.call}. */
  call(buffers: CallBuffers, frame: CallingFrame): Uint8Array;
}

/** Hears how a run ended, while the memory of its instance is still its own. */
export interface RunEnd {
  /**
   * `memory` from `at` on has the `length` bytes that `__execute` returned; -1: there are none (not OK, or a bad
   * pointer). True: `memory` is kept, and nothing may run in it again; results of up to `copied` bytes had better be
   * copied.
   */
  ended(
    status: RunStatus,
    reason: RevertReason,
    fuelLeft: number,
    askedDryRun: boolean,
    memory: Uint8Array,
    at: number,
    length: number,
    copied: number,
  ): boolean;
}

/** What runs programs; `ProgramRunner` is one. */
export interface CallRunner {
  /** Runs `program` with at most `fuel` over `state`; `end` hears how it ended. */
  runInPlace(program: Program, state: RunState, fuel: number, end: RunEnd): void;
}

const ID_BYTES = 32;
const NOTHING = new Uint8Array(0);

/** A {@link RunHost} as a {@link RunState}. */
export class HostState implements RunState {
  #found: Uint8Array = NOTHING;

  constructor(readonly host: RunHost) {}

  get isDryRun(): boolean {
    return this.host.isDryRun;
  }

  get height(): number {
    return this.host.height;
  }

  get contextBytes(): number {
    return this.host.context.length;
  }

  get texts(): TextSink {
    return this.host.texts;
  }

  get transaction(): Uint8Array {
    return this.host.transaction;
  }

  get block(): Uint8Array {
    return this.host.block;
  }

  writeContext(memory: Uint8Array, at: number): void {
    memory.set(this.host.context, at);
  }

  findStorage(memory: Uint8Array, start: number, end: number): number {
    this.#found = this.host.storage(memory.subarray(start, end)) ?? NOTHING;
    return this.#found.length;
  }

  findBalance(memory: Uint8Array, who: number, what: number): number {
    this.#found = this.host.balance(memory.subarray(who, who + ID_BYTES), memory.subarray(what, what + ID_BYTES));
    return this.#found.length;
  }

  writeFound(memory: Uint8Array, at: number): void {
    memory.set(this.#found, at);
  }

  sequence(): bigint {
    return this.host.sequence();
  }

  declareRead(memory: Uint8Array, start: number, end: number): void {
    this.host.declareRead(memory.subarray(start, end));
  }

  declareWrite(memory: Uint8Array, start: number, end: number): void {
    this.host.declareWrite(memory.subarray(start, end));
  }

  call(buffers: CallBuffers, frame: CallingFrame): Uint8Array {
    return this.host.call(buffers, frame);
  }
}

/**
 * Keeps how a run ended. A long result may be more than its message can pay for: it stays where it is. That of an inner
 * call always does, in memory that the next run at its depth writes to: whoever is called copies what was paid for
 * before.
 */
export class KeptEnd implements RunEnd {
  #end: RunResult | undefined;
  readonly #isInner: boolean;

  constructor(isInner = false) {
    this.#isInner = isInner;
  }

  ended(
    status: RunStatus,
    reason: RevertReason,
    fuelLeft: number,
    askedDryRun: boolean,
    memory: Uint8Array,
    at: number,
    length: number,
    copied: number,
  ): boolean {
    const stays = length > copied;
    const isCopied = !stays && !this.#isInner;
    const result = length < 0 ? undefined : isCopied ? memory.slice(at, at + length) : memory.subarray(at, at + length);
    this.#end = { status, reason, fuelLeft, result, askedDryRun };
    return stays && !this.#isInner;
  }

  get result(): RunResult {
    if (this.#end === undefined) throw new RangeError('the run has not ended');
    return this.#end;
  }
}
