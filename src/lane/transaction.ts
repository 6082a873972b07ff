/**
 * The semantics of one lane transaction (docs/lane-rules.md, sections 1 to 4 and 7), as a generator: it does everything
 * but run contracts. Where one must run, it yields a {@link MessageCall}; its driver runs the program (on V8, in the
 * kernel, in a dry run) and resumes it with the result. So every executor shares the same semantics.
 */
import type { Transaction } from '../bitcoin/types.js';
import { applyEdicts, applyPointer, type LaterEdicts, OutputSheets, SHEET_ENTRY_LIMIT } from '../protocol/edicts.js';
import { decodeSheet, encodeSheet, Sheet } from '../protocol/sheet.js';
import type { Protostone } from '../protocol/types.js';
import { toDisplayHash } from '../util/bytes.js';
import { Allowance } from './allowance.js';
import { sheetKey } from './keys.js';
import {
  type DeclaredKeys,
  type LaneContext,
  type MessageCall,
  type MessageEnd,
  type RunningTransaction,
  runMessage,
} from './message.js';
import { TransactionView } from './overlay.js';
import { withinReceipt } from './receipt.js';
import { LANE_TAG, type LaneTransaction } from './scan.js';
import type { LaneOutcome, MessageReceipt, StateReader } from './types.js';

/** Shadow outputs of messages lie below n + this. */
const SHADOW_LIMIT = 100;

/**
 * Runs `input` over `state`, which must not change until the generator has returned.
 * `declared` collects what programs declare beyond what they touch.
 */
export function* laneTransaction(
  input: LaneTransaction,
  context: LaneContext,
  state: StateReader,
  declared?: DeclaredKeys,
): Generator<MessageCall, LaneOutcome, MessageEnd> {
  context.watch?.begin(input.index, input.tx.txid, 0);
  const view = new TransactionView(state);
  const running = { input, context, view, declared, allowance: new Allowance(input.tx) };
  const messages: MessageReceipt[] = [];
  const spent = spendSheets(input.tx, view);
  const undone = yield* runProtostones(running, spent, messages);
  if (undone !== undefined) {
    view.undo();
    messages.length = 0;
  }
  context.watch?.end();
  const { reads, writes } = view.end();
  return {
    index: input.index,
    txid: toDisplayHash(input.tx.txid),
    undone,
    messages,
    reads,
    writes,
  };
}

/** Deletes the sheets of the spent outpoints for good, and returns their sum (undefined: over u128). */
function spendSheets(tx: Transaction, view: TransactionView): Sheet | undefined {
  let sum: Sheet | undefined = new Sheet();
  for (const { prevTxid, prevVout } of tx.inputs) {
    const key = sheetKey(prevTxid, prevVout);
    const value = view.get(key);
    if (value === undefined) continue;
    view.deleteSpent(key);
    if (sum !== undefined && !sum.absorb(decodeSheet(value))) sum = undefined;
  }
  return sum;
}

/** Everything after the deletion of the spent sheets. Returns why the transaction is undone, or undefined. */
function* runProtostones(
  running: RunningTransaction,
  spent: Sheet | undefined,
  messages: MessageReceipt[],
): Generator<MessageCall, string | undefined, MessageEnd> {
  const { tx, protostones } = running.input;
  const first = protostones.find((p) => p.protocolTag === LANE_TAG);
  if (first === undefined) return undefined;
  if (spent === undefined) return 'sum over u128 of the inputs';
  const sheets = new OutputSheets(tx.outputs);
  sheets.put(first.shadowVout, spent);

  for (const protostone of protostones) {
    let working: Sheet;
    if (isMessage(protostone)) {
      const bad = checkMessage(protostone, tx.outputs.length, protostones.length);
      if (bad !== undefined) return bad;
      const settled = yield* settleMessage(running, sheets, protostone, messages);
      if (settled === 'failed') continue;
      if (settled !== 'ok') return settled;
      working = sheets.take(protostone.pointer as number);
    } else {
      working = sheets.take(protostone.shadowVout);
    }
    const error = applyEdicts(working, protostone.edicts, sheets) ?? applyPointer(working, protostone.pointer, sheets);
    if (error !== undefined) return error;
  }
  return writeSheets(tx, sheets, running.view);
}

/** Writes the final sheets of the ordinary outputs, unless they are too many: then the transaction is undone. */
function writeSheets(tx: Transaction, sheets: OutputSheets, view: TransactionView): string | undefined {
  const unsettled = sheets.settle();
  if (unsettled !== undefined) return unsettled;
  const kept = sheets.kept();
  const entries = kept.reduce((sum, { sheet }) => sum + sheet.size, 0);
  if (entries > SHEET_ENTRY_LIMIT) return 'more than 10,000 sheet entries';
  for (const { vout, sheet } of kept) view.set(sheetKey(tx.txid, vout), encodeSheet(sheet));
  return undefined;
}

function isMessage({ protocolTag, message }: Protostone): boolean {
  return protocolTag === LANE_TAG && message !== undefined;
}

/** What the message at `from` and those after it may take off real outputs. There is no message beyond the limit. */
function laterEdicts(protostones: readonly Protostone[], from: number, outputs: number): LaterEdicts {
  const later = new Map<number, number>();
  for (let at = from; at < Math.min(protostones.length, SHADOW_LIMIT); at++) {
    const { pointer, edicts } = protostones[at];
    if (!isMessage(protostones[at]) || pointer === undefined || pointer >= outputs) continue;
    later.set(pointer, (later.get(pointer) ?? 0) + edicts.length);
  }
  return later;
}

/** The checks of a message that undo the whole transaction. */
function checkMessage(protostone: Protostone, outputs: number, protostones: number): string | undefined {
  const { pointer, refund, shadowVout } = protostone;
  if (pointer === undefined) return 'message without pointer';
  if (refund === undefined) return 'message without refund';
  if (pointer > outputs + protostones) return 'pointer out of range';
  if (refund > outputs + protostones) return 'refund out of range';
  return shadowVout < outputs + SHADOW_LIMIT ? undefined : 'too many protostones before a message';
}

/**
 * Runs a checked message and moves its assets: the parcel to `pointer`, or the incoming to `refund`. `ok` and `failed`
 * are how the message ended; anything else is why the transaction is undone.
 */
function* settleMessage(
  running: RunningTransaction,
  sheets: OutputSheets,
  protostone: Protostone,
  messages: MessageReceipt[],
): Generator<MessageCall, string, MessageEnd> {
  const { view, input } = running;
  const incoming = sheets.take(protostone.shadowVout);
  view.beginMessage();
  let { receipt, parcel } = yield* runMessage(running, protostone, incoming);
  if (parcel !== undefined) {
    // The sums on the pointer decide how the message ends; afterwards everything there is taken.
    const unsettled = sheets.settle(laterEdicts(input.protostones, protostone.index, input.tx.outputs.length));
    if (unsettled !== undefined) return unsettled;
    if (!sheets.put(protostone.pointer as number, parcel)) {
      receipt = { ...receipt, status: 'REJECTED', error: 'sum over u128 of a parcel', data: '', dataBytes: 0 };
      parcel = undefined;
    }
  }
  messages.push(withinReceipt(receipt, messages));
  if (parcel !== undefined) {
    view.keepMessage();
    return 'ok';
  }
  view.dropMessage();
  return sheets.put(protostone.refund as number, incoming) ? 'failed' : 'sum over u128 of a refund';
}
