/**
 * Some results of the kernel are recomputed on the CPU before they are used. A call is a function of its program,
 * context, height, fuel and of the values that it reads; what the kernel says it read, the CPU is given. Whether those
 * values were the right ones is looked at for every call, when its outcome becomes a record.
 */
import { EnvironmentError } from '../../errors/errors.js';
import {
  type CallColumns,
  callFuel,
  contextBytes,
  isWritten,
  keyAt,
  keyBytes,
  keyCount,
  keyFlags,
  programOf,
} from '../../gpu/pack/records.js';
import type { CallOutcomes, GpuCall, GpuStatus } from '../../gpu/pack/types.js';
import { KEY_READ, KEY_RECORD, NONE } from '../../gpu/translate/layout.js';
import type { ProgramRunner } from '../../program/runner.js';
import { NO_TEXTS, type Program, type RevertReason, type RunHost } from '../../program/types.js';
import { bytesEqual, EMPTY_BYTES, toBinaryString, toDisplayHash, writeU32 } from '../../util/bytes.js';
import { hashOfWords } from '../../util/word-hash.js';
import { viewOf } from '../../util/words.js';

const TXID_BYTES = 32;

/** How a call ended on one side. */
export interface CallEnd {
  readonly status: GpuStatus;
  readonly reason: RevertReason;
  readonly fuelLeft: number;
  readonly result: Uint8Array | undefined;
  /** Per declared read: whether the call read it. */
  readonly touched: readonly boolean[];
}

/** A call on which the kernel and the CPU disagree, with all that is needed to run it again. */
export interface DisputedCall {
  /** Display order, hex. */
  readonly txid: string;
  /** Its reads have the values that the kernel read, or would have read. */
  readonly call: GpuCall;
  readonly kernel: CallEnd;
  readonly cpu: CallEnd;
}

/** Ends the use of the kernel for the whole block: nothing that it said of the block is to be used. */
export class KernelMismatch extends EnvironmentError {
  constructor(readonly disputed: DisputedCall) {
    const { txid, call, kernel, cpu } = disputed;
    super('GPU_MISMATCH', 'the kernel and the CPU disagree on a call', {
      facts: { txid, height: call.height, program: call.program.hash, kernel: textOf(kernel), cpu: textOf(cpu) },
      hint: 'The CPU runs the whole block. Please report this with the dump in the folder of the database.',
    });
  }
}

/** Chooses calls, and compares what the kernel says of them. */
export class CrossCheck {
  readonly #below: number;
  readonly #room = new Uint8Array(TXID_BYTES + 4);
  readonly #view = viewOf(this.#room);

  /** `percent` of all calls are checked: 0 to 100. */
  constructor(percent: number) {
    this.#below = (percent / 100) * 2 ** 32;
  }

  /**
   * Whether the call of the transaction whose txid lies at `at` of `txids` is checked in a block of this height. The
   * hash has a secret of the process: whoever makes transactions, or a driver, can compute that of a txid, and could
   * let only those be wrong that nobody looks at.
   */
  isChosen(txids: Uint8Array, at: number, height: number): boolean {
    if (this.#below === 0) return false;
    this.#room.set(txids.subarray(at, at + TXID_BYTES));
    writeU32(this.#room, TXID_BYTES, height);
    return hashOfWords(this.#view, 0, this.#room.length) >>> 0 < this.#below;
  }
}

/** A call of a block and its outcome. */
export interface CheckedCall {
  readonly calls: CallColumns;
  readonly programs: ReadonlyMap<string, Program>;
  readonly call: number;
  readonly outcomes: CallOutcomes;
  readonly outcome: number;
  readonly height: number;
  /** Internal byte order. */
  readonly txid: Uint8Array;
}

/**
 * Runs a call once more on the CPU; false: the kernel gave it up, and there is nothing to check. Throws KernelMismatch.
 */
export function checkCall(checked: CheckedCall, runner: ProgramRunner): boolean {
  const { outcomes, outcome, txid } = checked;
  const status = outcomes.status(outcome);
  if (status === 'PUNT' || status === 'ACCESS_VIOLATION') return false;
  const { call, touched } = callOf(checked);
  const cpu = endOnCpu(runner, call);
  const result = outcomes.result(outcome);
  const kernel: CallEnd = {
    status,
    reason: outcomes.reason(outcome),
    fuelLeft: outcomes.fuelLeft(outcome),
    result,
    touched,
  };
  if (endsEqual(kernel, cpu)) return true;
  // The block's memory goes to the next one.
  throw new KernelMismatch({ txid: toDisplayHash(txid), call, kernel: { ...kernel, result: result?.slice() }, cpu });
}

function callOf({ calls, programs, call, outcomes, outcome, height }: CheckedCall): {
  readonly call: GpuCall;
  readonly touched: boolean[];
} {
  const program = programs.get(programOf(calls, call));
  if (program === undefined) throw new RangeError('a call of a program that the block does not have');
  const reads: { key: Uint8Array; value: Uint8Array | undefined }[] = [];
  const touched: boolean[] = [];
  const writes: Uint8Array[] = [];
  for (let k = 0; k < keyCount(calls, call); k++) {
    const key = keyBytes(calls, call, k).slice();
    if (isWritten(calls, call, k)) writes.push(key);
    if ((keyFlags(calls, call, k) & KEY_READ) === 0) continue;
    const seen = outcomes.seen(outcome, k);
    touched.push(seen !== undefined);
    reads.push({ key, value: seen === undefined ? valueBefore(calls, call, k) : (seen?.slice() ?? undefined) });
  }
  const context = contextBytes(calls, call).slice();
  return { call: { program, context, height, fuel: callFuel(calls, call), reads, writes }, touched };
}

/** Value of key `k` of `call` before the block. */
function valueBefore(calls: CallColumns, call: number, k: number): Uint8Array | undefined {
  const at = keyAt(calls, call, k);
  const length = calls.keys[at + KEY_RECORD.offset.VALUE_BYTES];
  const from = calls.keys[at + KEY_RECORD.offset.VALUE_AT];
  return length === NONE ? undefined : calls.bytes.slice(from, from + length);
}

/** Thrown through a program that does what no call of the kernel may do. */
class Refused extends Error {
  constructor(readonly status: 'PUNT' | 'ACCESS_VIOLATION') {
    super(status);
  }
}

/** How `call` ends on the CPU, under the rules that the kernel has: declared reads, no other state. */
export function endOnCpu(runner: ProgramRunner, call: GpuCall): CallEnd {
  const places = new Map(call.reads.map(({ key }, i) => [toBinaryString(key), i]));
  const touched = call.reads.map(() => false);
  let refused: Refused | undefined;
  const refuse = (status: Refused['status']): never => {
    refused ??= new Refused(status);
    throw refused;
  };
  const host: RunHost = {
    isDryRun: false,
    height: call.height,
    context: call.context,
    get transaction() {
      return refuse('PUNT');
    },
    get block() {
      return refuse('PUNT');
    },
    storage: (key) => {
      const place = places.get(toBinaryString(key));
      if (place === undefined) return refuse('ACCESS_VIOLATION');
      touched[place] = true;
      return call.reads[place].value;
    },
    sequence: () => refuse('PUNT'),
    balance: () => refuse('PUNT'),
    declareRead: () => {},
    declareWrite: () => {},
    texts: NO_TEXTS,
    call: () => refuse('PUNT'),
  };
  const given = (status: Refused['status']): CallEnd => {
    return { status, reason: 'none', fuelLeft: 0, result: undefined, touched };
  };
  try {
    const { status, reason, fuelLeft, result } = runner.run(call.program, host, call.fuel);
    return refused === undefined ? { status, reason, fuelLeft, result, touched } : given(refused.status);
  } catch (error) {
    if (refused !== undefined) return given(refused.status);
    throw error;
  }
}

/** Whether two ends are the same to the bit. */
export function endsEqual(a: CallEnd, b: CallEnd): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.fuelLeft === b.fuelLeft &&
    (a.result === undefined) === (b.result === undefined) &&
    bytesEqual(a.result ?? EMPTY_BYTES, b.result ?? EMPTY_BYTES) &&
    a.touched.length === b.touched.length &&
    a.touched.every((touched, i) => touched === b.touched[i])
  );
}

/** One line for people. */
export function textOf({ status, reason, fuelLeft, result, touched }: CallEnd): string {
  const why = reason === 'none' ? '' : ` (${reason})`;
  const bytes = result === undefined ? 'no result' : `${result.length} bytes`;
  return `${status}${why}, ${fuelLeft} fuel left, ${bytes}, ${touched.filter((one) => one).length} reads`;
}
