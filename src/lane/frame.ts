/** One frame: a contract that runs in a message or a call, and what it is answered (docs/lane-rules.md, 4 and 9). */
import { type ProgramResult, parseResult } from '../program/result.js';
import type { CallBuffers, CallingFrame, RunHost, RunResult, TextSink } from '../program/types.js';
import { idBytes } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { EMPTY_BYTES, toBinaryString, writeU32 } from '../util/bytes.js';
import type { CallTree, Failure } from './call-tree.js';
import { readSequence } from './creation.js';
import { balanceKeyOfBytes, storageKeyOfBytes, storagePrefix } from './keys.js';
import type { TransactionView } from './overlay.js';
import type { RunningTransaction } from './running.js';
import type { LaneKey } from './types.js';

const MYSELF_AT = 0;
const CALLER_AT = 32;
const VOUT_AT = 64;
const COUNT_AT = 80;
const HEAD_BYTES = 96;
const TRIPLE_BYTES = 48;

/** What a frame works on. */
export class Frame {
  /** The prefix of its own keys. */
  readonly prefix: LaneKey;
  /** Bytes of `__load_context`: myself, caller, shadow output, incoming, inputs; every number u128 LE. */
  readonly context: Uint8Array;

  /** `incoming`: triples of block, tx and amount; `inputs`: the numbers behind the target; both as u128 LE. */
  constructor(
    readonly running: RunningTransaction,
    /** Whose storage, balances and own id it has. */
    readonly myself: AlkaneId,
    readonly caller: AlkaneId,
    readonly shadowVout: number,
    incoming: Uint8Array,
    inputs: Uint8Array,
  ) {
    this.prefix = storagePrefix(myself);
    const context = new Uint8Array(HEAD_BYTES + incoming.length + inputs.length);
    context.set(idBytes(myself), MYSELF_AT);
    context.set(idBytes(caller), CALLER_AT);
    writeU32(context, VOUT_AT, shadowVout);
    writeU32(context, COUNT_AT, incoming.length / TRIPLE_BYTES);
    context.set(incoming, HEAD_BYTES);
    context.set(inputs, HEAD_BYTES + incoming.length);
    this.context = context;
  }

  /** Applies a storage map. */
  store(map: ProgramResult['storage']): void {
    const { view } = this.running;
    for (const [key, value] of map) view.set(this.prefix + key, value.length === 0 ? undefined : value.slice());
  }
}

/** Carries out the call that a program of `frame` makes: see {@link RunHost.call}. */
export type MakeCall = (
  frame: Frame,
  tree: CallTree,
  isDryRun: boolean,
  buffers: CallBuffers,
  from: CallingFrame,
) => Uint8Array;

/** Answers the program of a frame from the transaction's view. */
export class FrameHost implements RunHost {
  /** The 32 bytes of myself: a context begins with them. */
  readonly #id: Uint8Array;
  readonly #view: TransactionView;

  constructor(
    readonly frame: Frame,
    readonly tree: CallTree,
    readonly isDryRun: boolean,
    readonly makeCall: MakeCall,
  ) {
    this.#id = frame.context.subarray(MYSELF_AT, CALLER_AT);
    this.#view = frame.running.view;
  }

  get height(): number {
    return this.frame.running.context.height;
  }

  get context(): Uint8Array {
    return this.frame.context;
  }

  get texts(): TextSink {
    return this.tree.texts;
  }

  get transaction(): Uint8Array {
    return this.frame.running.input.tx.raw;
  }

  get block(): Uint8Array {
    return this.frame.running.context.block;
  }

  storage(key: Uint8Array): Uint8Array | undefined {
    return this.#view.get(storageKeyOfBytes(this.#id, key));
  }

  sequence(): bigint {
    return readSequence(this.#view);
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.#view.get(balanceKeyOfBytes(what, who)) ?? EMPTY_BYTES;
  }

  declareRead(key: Uint8Array): void {
    this.frame.running.declared?.reads.add(this.frame.prefix + toBinaryString(key));
  }

  declareWrite(key: Uint8Array): void {
    this.frame.running.declared?.writes.add(this.frame.prefix + toBinaryString(key));
  }

  call(buffers: CallBuffers, from: CallingFrame): Uint8Array {
    return this.makeCall(this.frame, this.tree, this.isDryRun, buffers, from);
  }
}

/** How a frame ended: with what it returned, which is not paid yet, or why it failed. */
export type FrameEnd =
  | { readonly ok: true; readonly result: ProgramResult }
  | { readonly ok: false; readonly failure: Failure };

/** What the end of a run means. */
export function endOfFrame(end: RunResult, tree: CallTree): FrameEnd {
  const failed = (status: Failure['status'], error: string): FrameEnd => ({ ok: false, failure: { status, error } });
  switch (end.status) {
    case 'REVERT':
      if (end.reason === 'inner-call' && tree.failure !== undefined) return { ok: false, failure: tree.failure };
      return failed('REVERT', end.reason);
    case 'TRAP':
      return failed('TRAP', 'trap');
    case 'OUT_OF_FUEL':
      return failed('OUT_OF_FUEL', 'out of fuel');
  }
  if (end.result === undefined) return failed('REJECTED', 'bad result pointer');
  const result = parseResult(end.result);
  if (result === undefined) return failed('REJECTED', 'malformed result');
  if (result.fuel > end.fuelLeft) return failed('OUT_OF_FUEL', 'out of fuel');
  return { ok: true, result };
}
