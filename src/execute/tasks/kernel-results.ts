import { type CallColumns, callFuel, contextBytes, keyAt, keyCount, programOf } from '../../gpu/pack/records.js';
import type { CallOutcomes, GpuStatus } from '../../gpu/pack/types.js';
import { KEY_RECORD } from '../../gpu/translate/layout.js';
import type { CallRunner, RunEnd, RunState } from '../../program/run-state.js';
import type { Program, RunStatus } from '../../program/types.js';
import { wordsEqual } from '../../util/word-hash.js';
import { LastView, viewOf } from '../../util/words.js';

const { KEY_AT, KEY_BYTES } = KEY_RECORD.offset;

/**
 * Stands in for V8 with what the kernel has found: the transaction goes on with that, as far as the kernel ran the call
 * that it makes, and read the values that it reads.
 */
export class KernelResults implements CallRunner {
  /** Whether the call that was asked for last ended as the kernel says. */
  wasTaken = false;
  #outcomes: CallOutcomes | undefined;
  #outcome = 0;
  #call = 0;
  #room = new Uint8Array(1_024);
  readonly #roomView = new LastView();

  constructor(readonly calls: CallColumns) {}

  /** What is asked next is call `call`, whose outcome is number `outcome` of `outcomes`. */
  expect(call: number, outcomes: CallOutcomes, outcome: number): void {
    this.wasTaken = false;
    this.#call = call;
    this.#outcomes = outcomes;
    this.#outcome = outcome;
  }

  runInPlace(program: Program, state: RunState, fuel: number, end: RunEnd): void {
    const outcomes = this.#outcomes;
    const status = outcomes?.status(this.#outcome);
    if (outcomes === undefined || status === undefined || !isEnd(status)) return;
    if (!this.#isSameCall(program, state, fuel)) return;
    for (let k = 0; k < keyCount(this.calls, this.#call); k++) {
      const seen = outcomes.seen(this.#outcome, k);
      // The read is made here as well: it belongs to the receipt.
      if (seen !== undefined && !this.#reads(state, k, seen)) return;
    }
    const result = outcomes.result(this.#outcome);
    this.wasTaken = true;
    const memory = result ?? this.#room;
    const length = result?.length ?? -1;
    end.ended(status, outcomes.reason(this.#outcome), outcomes.fuelLeft(this.#outcome), false, memory, 0, length, 0);
  }

  #isSameCall(program: Program, state: RunState, fuel: number): boolean {
    const context = contextBytes(this.calls, this.#call);
    if (program.hash !== programOf(this.calls, this.#call) || fuel !== callFuel(this.calls, this.#call)) return false;
    if (state.contextBytes !== context.length) return false;
    state.writeContext(this.#roomFor(context.length), 0);
    return this.#hasInRoom(context);
  }

  /** Reads key `k` of the call; false: there is another value than `seen`. */
  #reads(state: RunState, k: number, seen: Uint8Array | null): boolean {
    const { keys, bytes } = this.calls;
    const key = keyAt(this.calls, this.#call, k);
    const length = state.findStorage(bytes, keys[key + KEY_AT], keys[key + KEY_AT] + keys[key + KEY_BYTES]);
    if (length !== (seen?.length ?? 0)) return false;
    if (seen === null) return true;
    state.writeFound(this.#roomFor(length), 0);
    return this.#hasInRoom(seen);
  }

  #roomFor(length: number): Uint8Array {
    if (this.#room.length < length) this.#room = new Uint8Array(2 * length);
    return this.#room;
  }

  #hasInRoom(bytes: Uint8Array): boolean {
    return wordsEqual(viewOf(bytes), 0, this.#roomView.of(this.#room), 0, bytes.length);
  }
}

/** Whether a call has ended, rather than been given up. */
function isEnd(status: GpuStatus): status is RunStatus {
  return status !== 'PUNT' && status !== 'ACCESS_VIOLATION';
}
