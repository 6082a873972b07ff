/**
 * The meaning of one lane transaction (docs/lane-rules.md, sections 1 to 4 and 7), as a generator: it does everything
 * but run contracts. Where one must run it yields a {@link MessageCall}; whoever drives it runs the program (on V8, in
 * the kernel, in a dry run) and resumes it with how the run ended. So every executor shares one meaning.
 */
import type { Transaction } from '../bitcoin/types.js';
import { applyEdicts, applyPointer, OutputSheets } from '../protocol/edicts.js';
import { decodeSheet, encodeSheet, Sheet } from '../protocol/sheet.js';
import type { Protostone } from '../protocol/types.js';
import { toDisplayHash } from '../util/bytes.js';
import { sheetKey } from './keys.js';
import { type DeclaredKeys, type LaneContext, type MessageCall, type MessageEnd, runMessage } from './message.js';
import { TransactionView } from './overlay.js';
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
  context.watch?.begin(input);
  const view = new TransactionView(state);
  const messages: MessageReceipt[] = [];
  const spent = spendSheets(input.tx, view);
  const undone = yield* runProtostones(input, context, view, spent, messages, declared);
  if (undone !== undefined) {
    view.undo();
    messages.length = 0;
  }
  context.watch?.end();
  return {
    index: input.index,
    txid: toDisplayHash(input.tx.txid),
    undone,
    messages,
    reads: view.reads,
    writes: view.writes(),
  };
}

/** Deletes the sheets of the spent outpoints, for good, and gives their sum (undefined: over u128). */
function spendSheets(tx: Transaction, view: TransactionView): Sheet | undefined {
  let sum: Sheet | undefined = new Sheet();
  for (const { prevTxid, prevVout } of tx.inputs) {
    const key = sheetKey(prevTxid, prevVout);
    const value = view.get(key);
    if (value === undefined) continue;
    view.deleteSpent(key);
    if (sum !== undefined && !sum.addAll(decodeSheet(value))) sum = undefined;
  }
  return sum;
}

/** Everything after the deletion of the spent sheets. Returns why the transaction is undone, or undefined. */
function* runProtostones(
  input: LaneTransaction,
  context: LaneContext,
  view: TransactionView,
  spent: Sheet | undefined,
  messages: MessageReceipt[],
  declared: DeclaredKeys | undefined,
): Generator<MessageCall, string | undefined, MessageEnd> {
  const { tx, protostones } = input;
  const first = protostones.find((p) => p.protocolTag === LANE_TAG);
  if (first === undefined) return undefined;
  if (spent === undefined) return 'sum over u128 of the inputs';
  const sheets = new OutputSheets(tx.outputs);
  sheets.at(first.shadowVout).addAll(spent);

  for (const protostone of protostones) {
    let working: Sheet;
    if (protostone.protocolTag === LANE_TAG && protostone.message !== undefined) {
      const bad = checkMessage(protostone, tx.outputs.length, protostones.length);
      if (bad !== undefined) return bad;
      const settled = yield* settleMessage(input, context, view, sheets, protostone, messages, declared);
      if (settled === 'undone') return 'sum over u128 of a refund';
      if (settled === 'failed') continue;
      working = sheets.take(protostone.pointer as number);
    } else {
      working = sheets.take(protostone.shadowVout);
    }
    const error = applyEdicts(working, protostone.edicts, sheets) ?? applyPointer(working, protostone.pointer, sheets);
    if (error !== undefined) return error;
  }
  for (const { vout, sheet } of sheets.kept()) view.set(sheetKey(tx.txid, vout), encodeSheet(sheet));
  return undefined;
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

/** Runs a checked message and moves its assets: the parcel to `pointer`, or the incoming to `refund`. */
function* settleMessage(
  input: LaneTransaction,
  context: LaneContext,
  view: TransactionView,
  sheets: OutputSheets,
  protostone: Protostone,
  messages: MessageReceipt[],
  declared: DeclaredKeys | undefined,
): Generator<MessageCall, 'ok' | 'failed' | 'undone', MessageEnd> {
  const incoming = sheets.take(protostone.shadowVout);
  view.beginMessage();
  let { receipt, parcel } = yield* runMessage(input, context, view, protostone, incoming, declared);
  if (parcel !== undefined && !sheets.at(protostone.pointer as number).addAll(parcel)) {
    receipt = { ...receipt, status: 'REJECTED', error: 'sum over u128 of a parcel', data: '' };
    parcel = undefined;
  }
  messages.push(receipt);
  if (parcel !== undefined) {
    view.keepMessage();
    return 'ok';
  }
  view.dropMessage();
  return sheets.at(protostone.refund as number).addAll(incoming) ? 'failed' : 'undone';
}
