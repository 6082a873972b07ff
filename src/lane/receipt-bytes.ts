/**
 * Receipts as they are stored. All numbers are little-endian; a text is its length u16 and Latin-1, none is ffff.
 *
 * height u32, index u32, txid (wire order) 32, executor u8, flags u8 (1: repaired, 2: predicted, 4: mispredicted, 8:
 * texts follow; the upper four bits: why it ran so, 0: not told), colour u32, fuel u32, undone (text), number of
 * messages u16, for each: protostone u32, shadow output u32, status u8, target (u8: 1 and 32 bytes of id, or 0),
 * error (text), fuel used u32, bytes of data returned u32, those kept (u16, bytes). Then of the keys read and those
 * written: total u32, hash (u8: 1 and 32 bytes, or 0), number listed u16, each key (u16, bytes).
 *
 * Where contracts have called others, that follows: number of messages with calls u16, for each: its place u16, calls
 * u32, those listed u16, for each of these: depth u8, kind u8, target 32, hash of the module 32, opcode (u8: 1 and 16
 * bytes, or 0), fuel used u32, status u8, triples in u16, triples out u16, bytes of data returned u32.
 *
 * Where contracts have said something, the part on calls is there in any case, and behind it: number of messages with
 * texts u16, for each: its place u16, what it gave to `abort` (u16, UTF-8; ffff: nothing), texts of `__log` u32, those
 * listed u16, for each of these: frame u32, its bytes u32, those kept (u16, bytes).
 */
import { CALL_KINDS } from '../program/types.js';
import { formatId, ID_LENGTH, idBytes, idFromBytes, parseId } from '../protocol/alkane-id.js';
import { fromDisplayHash, fromHex, readU128, toDisplayHash, toHex, u128Bytes, writeU32 } from '../util/bytes.js';
import type { ExecutionDetails } from './receipt.js';
import { ReceiptReader, ReceiptWriter } from './receipt-parts.js';
import { RUN_REASONS } from './run-reason.js';
import { EXECUTORS } from './statistics.js';
import type { MessageTexts } from './texts.js';
import { CALL_STATUSES, type CallReceipt, MESSAGE_STATUSES, type MessageReceipt, type Receipt } from './types.js';

const HASH_BYTES = 32;
const U128_BYTES = 16;

const EXECUTOR_AT = 40;
const REPAIRED = 1;
const PREDICTED = 2;
const MISPREDICTED = 4;
/** Flag of a receipt that tells of texts. */
export const HAS_TEXTS = 8;
const REASON_SHIFT = 4;

function flagsOf({ repaired, predicted, mispredicted, reason }: Omit<ExecutionDetails, 'colour' | 'executor'>): number {
  const code = reason === undefined ? 0 : RUN_REASONS.indexOf(reason) + 1;
  const flags = (repaired ? REPAIRED : 0) | (predicted ? PREDICTED : 0) | (mispredicted ? MISPREDICTED : 0);
  return flags | (code << REASON_SHIFT);
}

/** Sets how the transaction was run in the receipt that begins at `at`. */
export function setExecution(bytes: Uint8Array, at: number, how: ExecutionDetails): void {
  bytes[at + EXECUTOR_AT] = EXECUTORS.indexOf(how.executor);
  bytes[at + EXECUTOR_AT + 1] = (bytes[at + EXECUTOR_AT + 1] & HAS_TEXTS) | flagsOf(how);
  writeU32(bytes, at + EXECUTOR_AT + 2, how.colour);
}

/** Whether contracts have said something, by the receipt that begins at `at`. */
export function hasTexts(bytes: Uint8Array, at = 0): boolean {
  return (bytes[at + EXECUTOR_AT + 1] & HAS_TEXTS) !== 0;
}

/** Appends a receipt. */
export function writeReceipt(out: ReceiptWriter, receipt: Receipt): void {
  out.u32(receipt.height);
  out.u32(receipt.index);
  const txid = fromDisplayHash(receipt.txid);
  out.part(txid, 0, HASH_BYTES);
  out.u8(EXECUTORS.indexOf(receipt.executor));
  const says = receipt.messages.some((message) => saysSomething(message));
  out.u8(flagsOf(receipt) | (says ? HAS_TEXTS : 0));
  out.u32(receipt.colour);
  out.u32(receipt.fuel);
  out.text(receipt.undone);
  out.u16(receipt.messages.length);
  for (const message of receipt.messages) writeMessage(out, message);
  writeKeys(out, receipt.reads, receipt.readTotal, receipt.readHash);
  writeKeys(out, receipt.writes, receipt.writeTotal, receipt.writeHash);
  writeCalls(out, receipt.messages, says);
  if (says) writeTexts(out, receipt.messages);
}

function saysSomething({ abort, logTotal }: MessageReceipt): boolean {
  return abort !== undefined || logTotal > 0;
}

function writeMessage(out: ReceiptWriter, message: MessageReceipt): void {
  out.u32(message.protostone);
  out.u32(message.shadowVout);
  out.u8(MESSAGE_STATUSES.indexOf(message.status));
  out.optional(message.target === undefined ? undefined : idBytes(parseId(message.target)));
  out.text(message.error);
  out.u32(message.fuelUsed);
  out.u32(message.dataBytes);
  out.sized(fromHex(message.data));
}

function writeKeys(out: ReceiptWriter, keys: readonly string[], total: number, hash: string | undefined): void {
  out.u32(total);
  out.optional(hash === undefined ? undefined : fromHex(hash));
  out.u16(keys.length);
  for (const key of keys) out.sized(fromHex(key));
}

function writeCalls(out: ReceiptWriter, messages: readonly MessageReceipt[], isNeeded: boolean): void {
  const places = messages.flatMap(({ callTotal }, place) => (callTotal > 0 ? [place] : []));
  if (places.length === 0 && !isNeeded) return;
  out.u16(places.length);
  for (const place of places) {
    const { calls, callTotal } = messages[place];
    out.u16(place);
    out.u32(callTotal);
    out.u16(calls.length);
    for (const call of calls) writeCall(out, call);
  }
}

function writeCall(out: ReceiptWriter, call: CallReceipt): void {
  out.u8(call.depth);
  out.u8(CALL_KINDS.indexOf(call.kind));
  out.part(idBytes(parseId(call.target)), 0, ID_LENGTH);
  out.part(fromHex(call.codeHash), 0, HASH_BYTES);
  out.optional(call.opcode === undefined ? undefined : u128Bytes(BigInt(call.opcode)));
  out.u32(call.fuelUsed);
  out.u8(CALL_STATUSES.indexOf(call.status));
  out.u16(call.parcel);
  out.u16(call.transfers);
  out.u32(call.dataBytes);
}

function writeTexts(out: ReceiptWriter, messages: readonly MessageReceipt[]): void {
  out.u16(messages.filter(saysSomething).length);
  messages.forEach((message, place) => {
    if (!saysSomething(message)) return;
    const { abort, logTotal: total, logs } = message;
    const listed = logs.map((log) => ({ ...log, data: fromHex(log.data) }));
    writeTextsOf(out, place, { abort, total, logs: listed });
  });
}

/** Appends the texts of the message at `place`. */
export function writeTextsOf(
  out: ReceiptWriter,
  place: number,
  { abort, total, logs }: Pick<MessageTexts, 'abort' | 'total' | 'logs'>,
): void {
  out.u16(place);
  out.text(abort && Buffer.from(abort).toString('latin1'));
  out.u32(total);
  out.u16(logs.length);
  for (const { frame, data, bytes } of logs) {
    out.u32(frame);
    out.u32(bytes);
    out.sized(data);
  }
}

/** The bytes of one receipt. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const out = new ReceiptWriter();
  writeReceipt(out, receipt);
  return out.bytes.slice(0, out.length);
}

/** Inverse of {@link encodeReceipt}. Throws `RangeError` if the bytes are none. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const from = new ReceiptReader(bytes);
  const receipt = {
    height: from.u32(),
    index: from.u32(),
    txid: toDisplayHash(from.part(HASH_BYTES)),
    ...readExecution(from),
    fuel: from.u32(),
    undone: from.text(),
    messages: from.list(() => readMessage(from)),
  };
  const [reads, writes] = [readKeys(from), readKeys(from)];
  const calling = from.left > 0 ? withCalls(from, receipt.messages) : receipt.messages;
  const messages = hasTexts(bytes) ? withTexts(from, calling) : calling;
  if (from.left > 0) throw new RangeError('bytes follow the receipt');
  return {
    height: receipt.height,
    index: receipt.index,
    txid: receipt.txid,
    undone: receipt.undone,
    messages,
    fuel: receipt.fuel,
    reads: reads.keys,
    readTotal: reads.total,
    readHash: reads.hash,
    writes: writes.keys,
    writeTotal: writes.total,
    writeHash: writes.hash,
    colour: receipt.colour,
    executor: receipt.executor,
    repaired: receipt.repaired,
    predicted: receipt.predicted,
    mispredicted: receipt.mispredicted,
    reason: receipt.reason,
  };
}

function readExecution(from: ReceiptReader): ExecutionDetails {
  const executor = from.oneOf(EXECUTORS);
  const flags = from.u8();
  return {
    executor,
    repaired: (flags & REPAIRED) !== 0,
    predicted: (flags & PREDICTED) !== 0,
    mispredicted: (flags & MISPREDICTED) !== 0,
    reason: flags >> REASON_SHIFT === 0 ? undefined : RUN_REASONS[(flags >> REASON_SHIFT) - 1],
    colour: from.u32(),
  };
}

function readMessage(from: ReceiptReader): MessageReceipt {
  const [protostone, shadowVout, status] = [from.u32(), from.u32(), from.oneOf(MESSAGE_STATUSES)];
  const target = from.optional(2 * 16);
  const error = from.text();
  const [fuelUsed, dataBytes] = [from.u32(), from.u32()];
  return {
    protostone,
    shadowVout,
    status,
    target: target && formatId(idFromBytes(target)),
    error,
    fuelUsed,
    data: toHex(from.sized()),
    dataBytes,
    calls: [],
    callTotal: 0,
    abort: undefined,
    logs: [],
    logTotal: 0,
  };
}

/** `messages` with the calls that follow in `from`. */
function withCalls(from: ReceiptReader, messages: readonly MessageReceipt[]): MessageReceipt[] {
  const all = [...messages];
  for (let left = from.u16(); left > 0; left--) {
    const place = from.u16();
    if (place >= all.length) throw new RangeError('the receipt has calls of a message that it has not');
    all[place] = { ...all[place], callTotal: from.u32(), calls: from.list(() => readCall(from)) };
  }
  return all;
}

/** `messages` with the texts that follow in `from`. */
function withTexts(from: ReceiptReader, messages: readonly MessageReceipt[]): MessageReceipt[] {
  const all = [...messages];
  for (let left = from.u16(); left > 0; left--) {
    const place = from.u16();
    if (place >= all.length) throw new RangeError('the receipt has texts of a message that it has not');
    const abort = from.text();
    all[place] = {
      ...all[place],
      abort: abort && Buffer.from(abort, 'latin1').toString(),
      logTotal: from.u32(),
      logs: from.list(() => ({ frame: from.u32(), bytes: from.u32(), data: toHex(from.sized()) })),
    };
  }
  return all;
}

function readCall(from: ReceiptReader): CallReceipt {
  const [depth, kind] = [from.u8(), from.oneOf(CALL_KINDS)];
  const target = formatId(idFromBytes(from.part(ID_LENGTH)));
  const codeHash = toHex(from.part(HASH_BYTES));
  const opcode = from.optional(U128_BYTES);
  return {
    ...{ depth, kind, target, codeHash },
    opcode: opcode && readU128(opcode, 0).toString(),
    fuelUsed: from.u32(),
    status: from.oneOf(CALL_STATUSES),
    parcel: from.u16(),
    transfers: from.u16(),
    dataBytes: from.u32(),
  };
}

function readKeys(from: ReceiptReader): { total: number; hash: string | undefined; keys: string[] } {
  const total = from.u32();
  const hash = from.optional(HASH_BYTES);
  return { total, hash: hash && toHex(hash), keys: from.list(() => toHex(from.sized())) };
}
