/** The host calls of a transaction that runs again, with what they were given and what came of them. */
import type { CallTree } from '../lane/call-tree.js';
import { abortText } from '../program/abort-text.js';
import type { EnvName } from '../program/env.js';
import type { HostCallWatch, WatchedFrame, WatchedStop } from '../program/watched-imports.js';
import { type BufferKind, shownBuffer } from './shown.js';

/** Host calls that are kept, the first ones, and characters of what is shown of them. */
export const MOST_STEPS = 2_000;
const MOST_CHARACTERS = 1 << 20;
/** Characters of a step beside what is shown, about. */
const STEP_CHARACTERS = 150;

/** One host call. */
export interface Step {
  /** Index of the protostone whose message runs. */
  readonly protostone: number;
  /** The frame that makes it: 0 is the message's own, n that of its n-th call. */
  readonly frame: number;
  readonly depth: number;
  readonly call: EnvName;
  /** By the names of docs/lane-rules.md, 5.4 and 6.1: hex, decimal, `block:tx`, or as text; long ones are cut. */
  readonly given: Readonly<Record<string, string>>;
  /** What it gave or wrote; null if there is nothing. */
  readonly result: string | null;
  /** What was left before it, and what it used, frames below included. */
  readonly fuel: number;
  readonly fuelUsed: number;
  /** Why it ended the run, null if it did not; `inside`: the message failed in a frame below. */
  readonly stop: string | null;
}

interface CallShape {
  /** Names of the parameters that are buffers, and what they hold, by place. */
  readonly given: Readonly<Record<string, readonly [place: number, kind: BufferKind]>>;
  /** The parameter that names where the result is written. */
  readonly out?: readonly [place: number, kind: BufferKind];
}

const ONE_KEY: CallShape = { given: { key: [0, 'bytes'] } };
const HASH: CallShape = { given: { in: [0, 'bytes'] }, out: [1, 'bytes'] };
const CALL: CallShape = { given: { cellpack: [0, 'cellpack'], parcel: [1, 'parcel'], checkpoint: [2, 'map'] } };
const LOAD: CallShape = { given: {}, out: [0, 'bytes'] };
const NUMBER: CallShape = { given: {}, out: [0, 'number'] };
const NOTHING: CallShape = { given: {} };

const SHAPES: Readonly<Record<EnvName, CallShape>> = {
  abort: NOTHING,
  __request_storage: ONE_KEY,
  __load_storage: { ...ONE_KEY, out: [1, 'bytes'] },
  __request_context: NOTHING,
  __load_context: LOAD,
  __request_transaction: NOTHING,
  __load_transaction: LOAD,
  __request_block: NOTHING,
  __load_block: LOAD,
  __sequence: NUMBER,
  __fuel: LOAD,
  __height: LOAD,
  __balance: { given: { who: [0, 'id'], what: [1, 'id'] }, out: [2, 'number'] },
  __returndatacopy: LOAD,
  __log: { given: { text: [0, 'text'] } },
  __call: CALL,
  __delegatecall: CALL,
  __staticcall: CALL,
  __is_dry_run: NOTHING,
  __record_get: ONE_KEY,
  __record_put: ONE_KEY,
  __sha256: HASH,
  __sha256d: HASH,
  __u128_mul_div: { given: { a: [0, 'number'], b: [1, 'number'], c: [2, 'number'] }, out: [3, 'number'] },
  __schnorr_verify: { given: { message: [0, 'bytes'], key: [1, 'bytes'], signature: [2, 'bytes'] } },
};

/** Keeps the first host calls of a transaction, and counts all. */
export class StepRecorder implements HostCallWatch {
  readonly steps: Step[] = [];
  total = 0;
  #characters = 0;
  #protostone = 0;
  #tree: Pick<CallTree, 'frame'> | undefined;
  /** By step: where its result will be. */
  readonly #outs: number[] = [];

  /** The message of `protostone` runs next. */
  begin(protostone: number, tree: Pick<CallTree, 'frame'>): void {
    this.#protostone = protostone;
    this.#tree = tree;
  }

  begun(call: EnvName, values: readonly (number | bigint)[], frame: WatchedFrame): number | undefined {
    this.total++;
    if (this.steps.length === MOST_STEPS || this.#characters > MOST_CHARACTERS) return undefined;
    const shape = SHAPES[call];
    const given = call === 'abort' ? abortGiven(values, frame) : buffersOf(shape, values, frame);
    this.#characters += STEP_CHARACTERS + Object.values(given).reduce((sum, text) => sum + text.length, 0);
    const { depth, fuelLeft: fuel } = frame;
    this.#outs.push(Number(values[shape.out?.[0] ?? 0] ?? 0));
    const at = this.#tree?.frame ?? 0;
    const begun = { protostone: this.#protostone, frame: at, depth, call, given, result: null };
    return this.steps.push({ ...begun, fuel, fuelUsed: 0, stop: null }) - 1;
  }

  ended(call: number, result: number | undefined, frame: WatchedFrame): void {
    const step = this.steps[call];
    const shown = this.#result(step.call, this.#outs[call], result, frame);
    this.#characters += shown?.length ?? 0;
    this.steps[call] = { ...step, result: shown, fuelUsed: step.fuel - frame.fuelLeft };
  }

  stopped(call: number, stop: WatchedStop, frame: WatchedFrame): void {
    const step = this.steps[call];
    // OUT_OF_FUEL uses all that there was.
    const left = stop === 'out-of-fuel' ? 0 : frame.fuelLeft;
    this.steps[call] = { ...step, stop, fuelUsed: step.fuel - left };
  }

  #result(name: EnvName, out: number, result: number | undefined, frame: WatchedFrame): string | null {
    const kind = SHAPES[name].out?.[1];
    if (kind === undefined) return result === undefined ? null : String(result >>> 0);
    // A quotient that does not fit is not written.
    if (name === '__u128_mul_div' && result === 0) return null;
    const bytes = frame.memory.view(out);
    if (bytes === undefined) return null;
    if (name === '__fuel' || name === '__height') return Buffer.from(bytes).readBigUInt64LE(0).toString();
    return shownBuffer(bytes, kind);
  }
}

function buffersOf(
  { given }: CallShape,
  values: readonly (number | bigint)[],
  { memory }: WatchedFrame,
): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, [place, kind]] of Object.entries(given)) {
    const bytes = memory.view(Number(values[place]));
    shown[name] = bytes === undefined ? 'a bad pointer' : shownBuffer(bytes, kind);
  }
  return shown;
}

function abortGiven(values: readonly (number | bigint)[], { memory }: WatchedFrame): Record<string, string> {
  const [message, file, line, column] = values.map(Number);
  const text = abortText(memory, message, file, line, column);
  return text === undefined ? {} : { text: JSON.stringify(text) };
}
