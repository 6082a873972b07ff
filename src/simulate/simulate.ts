/** Runs a message, or a transaction, on the lane's state at a height, without keeping anything. */
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import type { Transaction } from '../bitcoin/types.js';
import { StoreError } from '../errors/errors.js';
import type { CpuRunner } from '../execute/tasks/drive.js';
import { transactionFuel } from '../lane/allowance.js';
import { sheetKey } from '../lane/keys.js';
import { MapOverlay } from '../lane/overlay.js';
import { LANE_TAG, type LaneTransaction, protostonesOf } from '../lane/scan.js';
import type { LaneKey, MessageReceipt, StateReader } from '../lane/types.js';
import { LANE_TARGET } from '../protocol/cellpack.js';
import { encodeVarints } from '../protocol/encode.js';
import { encodeSheet, Sheet, type SheetEntry } from '../protocol/sheet.js';
import type { Protostone } from '../protocol/types.js';
import type { StoreReader } from '../store/reader.js';
import { concatBytes, EMPTY_BYTES, toDisplayHash, toHex } from '../util/bytes.js';
import { AnswerBudget } from './answer-budget.js';
import { changesOf, type StateChanges } from './changes.js';
import { type Driven, drive } from './drive.js';
import type { SimulatedMessage, SimulationRequest } from './request.js';
import { plausibleBlock, plausibleTransaction } from './surroundings.js';

/** Calldata has no length: it fills whole chunks, the last one with zeros. */
const CALLDATA_CHUNK = 15;
/** A place behind the transaction's outputs takes what the message gives and what it gives back. */
const PLACE = { value: 0n, script: EMPTY_BYTES };

/** What the parts of an answer have, about, beside what is counted. */
const END_CHARACTERS = 300;
const TRANSFER_CHARACTERS = 100;
const CALL_CHARACTERS = 300;

/** Where a simulation reads, and how far it may go. */
export interface SimulationBase {
  /** The state after the block of the request. */
  readonly state: StateReader;
  readonly chain: Pick<StoreReader, 'identity' | 'blockRecord'>;
  readonly runner: CpuRunner;
  /** Characters that the answer may have, about. */
  readonly answerBytes: number;
}

/** How a message ended: its receipt with all of its data, and what it transfers. */
export interface SimulatedEnd {
  readonly receipt: MessageReceipt;
  /** What goes to the pointer, in the order in which the contract gave it; no zero amounts. */
  readonly transfers: readonly SheetEntry[];
}

/** What would happen. */
export interface Simulation extends StateChanges {
  /** The state that it ran on is that after this block. */
  readonly height: number;
  /** Of the transaction around it, in display order. */
  readonly txid: string;
  /** Why the whole transaction is undone, undefined if it is not. */
  readonly undone: string | undefined;
  /** What the messages of the transaction may use together, and what they used. */
  readonly fuelLimit: number;
  readonly fuel: number;
  readonly messages: readonly SimulatedEnd[];
}

/**
 * Runs what `request` says as in the block after `request.height`. Only the sequential executor's own parts are used:
 * what a message means is said in src/lane alone. Throws InputError `TX_*` for a transaction that cannot be read,
 * StoreError STORE_HISTORY_PRUNED, ProgramError VIEW_ANSWER_TOO_LARGE.
 */
export function simulate(request: SimulationRequest, base: SimulationBase): Simulation {
  const budget = new AnswerBudget(base.answerBytes);
  const ready = prepare(request, base.state);
  const { input, state, around } = ready;
  const { laneStartHeight, dependent } = base.chain.identity();
  const context = {
    height: request.height + 1,
    block: request.block ?? blockAround(request.height, around, base.chain),
    laneStartHeight,
    dependent,
  };
  const driven = drive(input, context, state, base.runner);
  const { outcome } = driven;
  const writes = ready.isMessage ? withoutSheets(outcome.writes) : outcome.writes;
  return {
    height: request.height,
    txid: toDisplayHash(around.txid),
    undone: outcome.undone,
    fuelLimit: transactionFuel(around),
    fuel: outcome.messages.reduce((sum, { fuelUsed }) => sum + fuelUsed, 0),
    messages: outcome.messages.map((receipt) => endOf(receipt, driven, budget)),
    ...changesOf(writes, state, budget),
  };
}

function blockAround(height: number, tx: Transaction, chain: SimulationBase['chain']): Uint8Array {
  const record = chain.blockRecord(height);
  if (record === undefined) {
    throw new StoreError('STORE_REORG_UNDER_WAY', 'the block was undone meanwhile', {
      facts: { height },
      hint: 'Ask again.',
    });
  }
  const { hash, header } = record;
  return plausibleBlock({ height, hash, header, network: chain.identity().network }, tx);
}

interface Ready {
  readonly input: LaneTransaction;
  readonly state: StateReader;
  /** The transaction as it would be mined. */
  readonly around: Transaction;
  readonly isMessage: boolean;
}

function prepare({ message, incoming, transaction }: SimulationRequest, stored: StateReader): Ready {
  const given = transaction && parseTransaction(transaction);
  if (message === undefined) {
    const around = given ?? plausibleTransaction(EMPTY_BYTES);
    const state = incoming === undefined ? stored : holding(incoming, around, stored);
    const input = { index: 1, tx: around, protostones: protostonesOf(around), parents: [] };
    return { input, state, around, isMessage: false };
  }
  const calldata = calldataOf(message);
  const around = given ?? plausibleTransaction(calldata);
  // The lane's own order of things: the inputs' sheets go to the first protostone, its parcel to its pointer.
  const place = around.outputs.length;
  const tx = { ...around, outputs: [...around.outputs, PLACE] };
  const protostones = [messageStone(calldata, message.protostone, place)];
  const input = { index: 1, tx, protostones, parents: [] };
  return { input, state: holding(incoming ?? [], around, stored), around, isMessage: true };
}

/** `state`, but the outputs that `tx` spends hold `incoming` and nothing else. */
function holding(
  incoming: NonNullable<SimulationRequest['incoming']>,
  tx: Transaction,
  state: StateReader,
): StateReader {
  const held = new MapOverlay(state);
  const sheet = encodeSheet(Sheet.of(incoming));
  tx.inputs.forEach(({ prevTxid, prevVout }, at) => {
    const isFirst = at === 0 && sheet.length > 0;
    held.changes.set(sheetKey(prevTxid, prevVout), isFirst ? sheet : undefined);
  });
  return held;
}

function calldataOf({ target, inputs }: SimulatedMessage): Uint8Array {
  const bytes = encodeVarints([LANE_TARGET.block, LANE_TARGET.tx, target.block, target.tx, ...inputs]);
  const rest = bytes.length % CALLDATA_CHUNK;
  return rest === 0 ? bytes : concatBytes(bytes, new Uint8Array(CALLDATA_CHUNK - rest));
}

/** `place`: the number of the transaction's outputs, behind which it puts what comes of the message. */
function messageStone(message: Uint8Array, index: number, place: number): Protostone {
  return {
    ...{
      index,
      shadowVout: place + 1 + index,
      protocolTag: LANE_TAG,
      length: 0n,
      message,
      pointer: place,
      refund: place,
    },
    ...{ burn: undefined, from: undefined, edicts: [] },
  };
}

function withoutSheets<V>(writes: ReadonlyMap<LaneKey, V>): ReadonlyMap<LaneKey, V> {
  return new Map([...writes].filter(([key]) => !key.startsWith('sheet/')));
}

function endOf(receipt: MessageReceipt, { results }: Driven, budget: AnswerBudget): SimulatedEnd {
  const result = receipt.status === 'OK' ? results.get(receipt.shadowVout) : undefined;
  const transfers = result?.transfers.filter(({ amount }) => amount > 0n) ?? [];
  budget.take(END_CHARACTERS + 2 * (result?.data.length ?? 0));
  budget.take(TRANSFER_CHARACTERS * transfers.length + CALL_CHARACTERS * receipt.calls.length);
  for (const { data } of receipt.logs) budget.take(data.length);
  const data = result === undefined ? receipt.data : toHex(result.data);
  return { receipt: { ...receipt, data }, transfers };
}
