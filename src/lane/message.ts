/** One message of a lane transaction: a call of a contract (docs/lane-rules.md, sections 3 to 5). */

import type { Program, RunHost, RunResult } from '../program/types.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeCellpack } from '../protocol/cellpack.js';
import { Sheet, type SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId, Protostone } from '../protocol/types.js';
import { EMPTY_BYTES, toBinaryString, toHex, writeU128 } from '../util/bytes.js';
import { CREATION_FUEL } from './allowance.js';
import { credit, debit } from './balances.js';
import { CallTree } from './call-tree.js';
import { isCreation, resolveTarget } from './creation.js';
import { endOfFrame, Frame, FrameHost } from './frame.js';
import { makeCall } from './inner-call.js';
import { RECEIPT_DATA_BYTES } from './receipt.js';
import type { RunningTransaction } from './running.js';
import { textsOf } from './texts.js';
import type { MessageReceipt, MessageStatus } from './types.js';

export type { DeclaredKeys, LaneContext, RunningTransaction, TransactionWatch } from './running.js';

const LANE_BLOCK = 8n;
const LANE_TX = 8n;
/** Who calls the contract of a message. */
const NOBODY: AlkaneId = { block: 0n, tx: 0n };

/**
 * A contract must run: the driver of the transaction runs `program` and resumes the generator with the result. Storage
 * keys are the contract's own.
 */
export interface MessageCall {
  readonly program: Program;
  readonly target: AlkaneId;
  readonly context: Uint8Array;
  readonly height: number;
  /** The transaction's fuel that earlier messages left, minus the charge of a creation. */
  readonly fuel: number;
  /** The program's host functions; reads are recorded in the transaction. */
  host(isDryRun: boolean): RunHost;
  /** A value of the contract's storage as the transaction sees it now, not recorded. */
  peekStorage(key: Uint8Array): Uint8Array | undefined;
}

/** How the run ended, on any executor. */
export type MessageEnd = RunResult;

/** A message's result: what goes to `pointer`, or undefined if the message failed and is refunded. */
export interface MessageResult {
  readonly receipt: MessageReceipt;
  readonly parcel: Sheet | undefined;
}

/**
 * Runs the message of `protostone` in the order of lane rules 4: calldata, target, start height; the charge of a
 * creation; resolve or create; credit the incoming; the run. All its writes lie in the running message of the view; the
 * caller keeps or drops them. What it took from the allowance stays spent whatever its status.
 */
export function* runMessage(
  running: RunningTransaction,
  protostone: Protostone,
  incoming: Sheet,
): Generator<MessageCall, MessageResult, MessageEnd> {
  const { input, context, view, allowance } = running;
  const fuelBefore = allowance.fuelLeft;
  const tree = new CallTree();
  const receipt = (
    status: MessageStatus,
    target?: AlkaneId,
    error?: string,
    data: Uint8Array = EMPTY_BYTES,
  ): MessageReceipt => receiptOf(protostone, { status, target, error, data }, fuelBefore - allowance.fuelLeft, tree);
  const failed = (status: MessageStatus, error: string, target?: AlkaneId): MessageResult => ({
    receipt: receipt(status, target, error),
    parcel: undefined,
  });

  const outer = decodeCellpack(protostone.message ?? EMPTY_BYTES);
  if (outer === undefined) return failed('REJECTED', 'bad calldata');
  if (outer.target.block !== LANE_BLOCK || outer.target.tx !== LANE_TX) {
    return failed('STANDARD', 'the target is not 8:8', outer.target);
  }
  if (outer.inputs.length < 2) return failed('REJECTED', 'bad calldata');
  if (context.height < context.laneStartHeight) return failed('REJECTED', 'below the lane start height');
  if (context.dependent === 'reject' && input.parents.length > 0) {
    return failed('REJECTED', 'depends on a lane transaction of this block');
  }

  const target = { block: outer.inputs[0], tx: outer.inputs[1] };
  if (isCreation(target) && !allowance.charge(CREATION_FUEL)) return failed('OUT_OF_FUEL', 'out of fuel');
  const resolved = resolveTarget(target, input.tx, view, allowance);
  if (!resolved.ok) return failed('REJECTED', resolved.error, resolved.id);
  const { id, program } = resolved;
  const entries = incoming.entries();
  for (const entry of entries) {
    if (!credit(view, id, entry)) return failed('REJECTED', 'sum over u128 on a balance', id);
  }

  const assets = numberBytes(entries.flatMap((entry) => [entry.id.block, entry.id.tx, entry.amount]));
  const frame = new Frame(running, id, NOBODY, protostone.shadowVout, assets, numberBytes(outer.inputs.slice(2)));
  const run = yield new Call(program, frame, tree, allowance.fuelLeft);
  allowance.leave(run.fuelLeft);
  const end = endOfFrame(run, tree);
  if (!end.ok) {
    const { status, error } = end.failure;
    if (status === 'OUT_OF_FUEL') allowance.leave(0);
    return failed(status, error, id);
  }
  const { result } = end;
  allowance.charge(result.fuel);
  frame.store(result.storage);
  const parcel = new Sheet();
  for (const transfer of result.transfers) {
    const error = payOut(frame, transfer, parcel);
    if (error !== undefined) return failed('REJECTED', error, id);
  }
  return { receipt: receipt('OK', id, undefined, result.data), parcel };
}

/** The receipt of a message; also used where the sum on the pointer turns a success into a failure. */
function receiptOf(
  protostone: Protostone,
  end: {
    readonly status: MessageStatus;
    readonly target: AlkaneId | undefined;
    readonly error: string | undefined;
    readonly data: Uint8Array;
  },
  fuelUsed: number,
  { calls, total, texts }: CallTree,
): MessageReceipt {
  const { status, target, error, data } = end;
  return {
    protostone: protostone.index,
    shadowVout: protostone.shadowVout,
    status,
    target: target && formatId(target),
    error,
    fuelUsed,
    data: toHex(data.subarray(0, RECEIPT_DATA_BYTES)),
    dataBytes: data.length,
    calls,
    callTotal: total,
    ...textsOf(texts),
  };
}

/** Numbers as u128 LE. */
function numberBytes(numbers: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(numbers.length * 16);
  numbers.forEach((number, i) => {
    writeU128(out, i * 16, number);
  });
  return out;
}

class Call implements MessageCall {
  constructor(
    readonly program: Program,
    readonly frame: Frame,
    readonly tree: CallTree,
    readonly fuel: number,
  ) {}

  get target(): AlkaneId {
    return this.frame.myself;
  }

  get context(): Uint8Array {
    return this.frame.context;
  }

  get height(): number {
    return this.frame.running.context.height;
  }

  // Fields rather than methods: callers detach them from the call.
  readonly host = (isDryRun: boolean): RunHost => new FrameHost(this.frame, this.tree, isDryRun, makeCall);
  readonly peekStorage = (key: Uint8Array): Uint8Array | undefined =>
    this.frame.running.view.peek(this.frame.prefix + toBinaryString(key));
}

/**
 * Takes one transfer off the contract's balance (the own id beyond it is minted) into `parcel`; returns why it cannot.
 */
function payOut({ myself, running }: Frame, transfer: SheetEntry, parcel: Sheet): string | undefined {
  if (transfer.amount === 0n) return undefined;
  if (!debit(running.view, myself, transfer)) return 'transfer beyond the balance';
  return parcel.add(transfer.id, transfer.amount) ? undefined : 'sum over u128 of a parcel';
}
