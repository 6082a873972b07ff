/** Receipts and counters of lane transactions. */
import { createHash } from 'node:crypto';
import { u32Bytes, writeBinaryString, writeU32 } from '../util/bytes.js';
import { keyHex } from './keys.js';
import type { RunReason } from './run-reason.js';
import type { Executor, LaneCounters } from './statistics.js';
import { textsWithin } from './texts.js';
import type { LaneKey, LaneOutcome, MessageReceipt, MessageStatus, Receipt } from './types.js';

/** Keys of one kind (read, written) that a receipt lists at most. */
const RECEIPT_KEYS = 256;
/** Bytes of the keys of one kind that a receipt lists at most. */
export const RECEIPT_KEY_BYTES = 8_192;
/** Bytes of returned data that a receipt keeps at most, of all its messages together. */
export const RECEIPT_DATA_BYTES = 4_096;
/** Calls of contracts that a receipt keeps at most, of all its messages together. */
export const RECEIPT_CALLS = 256;

/** How a transaction was run: differs between policies, never part of a comparison. */
export interface ExecutionDetails {
  readonly colour: number;
  readonly executor: Executor;
  readonly repaired: boolean;
  /** It ran with a value that was predicted, and one of those was wrong. */
  readonly predicted: boolean;
  readonly mispredicted: boolean;
  /** Why it ran so; undefined: whoever ran it did not say. */
  readonly reason: RunReason | undefined;
}

/** Of a transaction that nothing was done for ahead: it ran once, when all before it were final. */
export const IN_TURN: ExecutionDetails = {
  colour: 0,
  executor: 'sequential',
  repaired: false,
  predicted: false,
  mispredicted: false,
  reason: undefined,
};

/**
 * The receipt of an outcome. It takes at most about 100 KB plus 300 bytes per message, whatever the transaction touched
 * and returned: keys that do not fit are counted and hashed.
 */
export function makeReceipt(height: number, outcome: LaneOutcome, how: ExecutionDetails): Receipt {
  const reads = listKeys(outcome.reads.keys());
  const writes = listKeys(outcome.writes.keys());
  return {
    height,
    index: outcome.index,
    txid: outcome.txid,
    undone: outcome.undone,
    messages: outcome.messages,
    fuel: outcome.messages.reduce((sum, message) => sum + message.fuelUsed, 0),
    reads: reads.listed,
    readTotal: reads.total,
    readHash: reads.hash,
    writes: writes.listed,
    writeTotal: writes.total,
    writeHash: writes.hash,
    ...how,
  };
}

/** A message's receipt with as much of what it lists as the earlier messages (`earlier`) leave room for. */
export function withinReceipt(message: MessageReceipt, earlier: readonly MessageReceipt[]): MessageReceipt {
  const receipt = textsWithin(message, earlier);
  const room = Math.max(0, RECEIPT_DATA_BYTES - sumOf(earlier, ({ data }) => data.length / 2));
  const callRoom = Math.max(0, RECEIPT_CALLS - sumOf(earlier, ({ calls }) => calls.length));
  const { data, calls } = receipt;
  if (data.length <= 2 * room && calls.length <= callRoom) return receipt;
  return { ...receipt, data: data.slice(0, 2 * room), calls: calls.slice(0, callRoom) };
}

function sumOf(receipts: readonly MessageReceipt[], of: (receipt: MessageReceipt) => number): number {
  return receipts.reduce((sum, receipt) => sum + of(receipt), 0);
}

/** Keys are hashed in pieces of this size: a call for each costs more than hashing it. */
const PIECE_BYTES = 16_384;
const piece = Buffer.alloc(PIECE_BYTES);

/** SHA-256, hex, over the keys in ascending order, each as its length (u32 LE) and its bytes. */
function keysHash(ascending: readonly LaneKey[]): string {
  const hash = createHash('sha256');
  let at = 0;
  for (const key of ascending) {
    const bytes = 4 + key.length;
    if (at + bytes > PIECE_BYTES) {
      hash.update(piece.subarray(0, at));
      at = 0;
    }
    if (bytes > PIECE_BYTES) {
      hash.update(u32Bytes(key.length)).update(key, 'latin1');
      continue;
    }
    writeU32(piece, at, key.length);
    writeBinaryString(piece, at + 4, key);
    at += bytes;
  }
  return hash.update(piece.subarray(0, at)).digest('hex');
}

/** The first of `keys` in hex, ascending; `hash` of all of them where that is not all. */
export function listKeys(keys: Iterable<LaneKey>): { listed: string[]; total: number; hash: string | undefined } {
  // Binary strings sort as their bytes do.
  const all = [...keys].sort();
  const listed: string[] = [];
  let bytes = 0;
  for (const key of all) {
    bytes += key.length;
    if (listed.length === RECEIPT_KEYS || bytes > RECEIPT_KEY_BYTES) break;
    listed.push(keyHex(key));
  }
  return { listed, total: all.length, hash: listed.length < all.length ? keysHash(all) : undefined };
}

/** Counts lane transactions and the ends of their (8,8) messages (docs/lane-rules.md, section 4). */
export function countOutcomes(outcomes: readonly Pick<LaneOutcome, 'messages'>[]): LaneCounters {
  const counters: LaneCounters = { txs: outcomes.length, ok: 0, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 };
  for (const { messages } of outcomes) for (const { status } of messages) countMessage(counters, status);
  return counters;
}

export function countMessage(counters: LaneCounters, status: MessageStatus): void {
  if (status === 'OK') counters.ok++;
  else if (status === 'REVERT') counters.revert++;
  else if (status === 'TRAP') counters.trap++;
  else if (status === 'OUT_OF_FUEL') counters.outOfFuel++;
  else if (status === 'REJECTED') counters.malformed++;
}
