/** Receipts of transactions of the common kind, from where everything lies to the bytes that are stored. */
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { fromHex, writeBinaryString } from '../../util/bytes.js';
import { copyWords } from '../../util/words.js';
import { listKeys, RECEIPT_DATA_BYTES, RECEIPT_KEY_BYTES } from '../receipt.js';
import { HAS_TEXTS, writeTextsOf } from '../receipt-bytes.js';
import { NO_TEXT, type ReceiptWriter } from '../receipt-parts.js';
import { EXECUTORS, type Executor } from '../statistics.js';
import { MESSAGE_STATUSES } from '../types.js';
import type { BlockState } from './block-state.js';
import type { CommonRunner } from './common-run.js';
import { KeyOrder, MOST_SORTED } from './key-order.js';
import type { LaneColumns } from './lane-columns.js';

const HASH_BYTES = 32;
/** Bytes in front of the keys of a receipt, without error and data, at most; and in front of each list of keys. */
const HEAD_ROOM = 160;
const LIST_HEAD = 7;

/** Transactions that follow each other touch keys of the same kinds in the same order. */
const reads = new KeyOrder();
const writes = new KeyOrder();

/** Writes the receipt of the transaction at `row`, which `run` has run last; executor, colour and repaired as given. */
export function writeCommonReceipt(
  out: ReceiptWriter,
  height: number,
  { block, contextStart, index }: LaneColumns,
  row: number,
  run: CommonRunner,
  state: BlockState,
  executor: Executor,
): void {
  const tx = index[row];
  const { error } = run;
  const errorBytes = error === undefined ? 0 : error.length;
  const kept = Math.min(run.dataBytes, RECEIPT_DATA_BYTES);
  let at = out.room(HEAD_ROOM + errorBytes + kept);
  const { view } = out;
  view.setUint32(at, height, true);
  view.setUint32(at + 4, tx, true);
  copyWords(run.txids, tx * HASH_BYTES, (tx + 1) * HASH_BYTES, view, at + 8);
  view.setUint8(at + 40, EXECUTORS.indexOf(executor));
  view.setUint8(at + 41, run.texts.isEmpty ? 0 : HAS_TEXTS);
  view.setUint32(at + 42, 0, true);
  view.setUint32(at + 46, run.fuelUsed, true);
  view.setUint16(at + 50, NO_TEXT, true);
  // One message.
  view.setUint16(at + 52, 1, true);
  view.setUint32(at + 54, 0, true);
  view.setUint32(at + 58, block.firstOutput[tx + 1] - block.firstOutput[tx] + 1, true);
  view.setUint8(at + 62, MESSAGE_STATUSES.indexOf(run.status));
  view.setUint8(at + 63, run.hasTarget ? 1 : 0);
  at += 64;
  if (run.hasTarget) {
    copyWords(run.contexts, contextStart[row], contextStart[row] + ID_LENGTH, view, at);
    at += ID_LENGTH;
  }
  view.setUint16(at, error === undefined ? NO_TEXT : errorBytes, true);
  if (error !== undefined) writeBinaryString(out.bytes, at + 2, error);
  at += 2 + errorBytes;
  view.setUint32(at, run.fuelUsed, true);
  view.setUint32(at + 4, run.dataBytes, true);
  view.setUint16(at + 8, kept, true);
  copyWords(run.dataView, 0, kept, view, at + 10);
  out.length = at + 10 + kept;
  writeKeys(out, state, run.reads.list, run.reads.count, reads);
  writeKeys(out, state, run.writes.keys, run.writes.count, writes);
  if (run.texts.isEmpty) return;
  // No calls, and the texts of one message.
  out.u16(0);
  out.u16(1);
  writeTextsOf(out, 0, run.texts);
}

function writeKeys(out: ReceiptWriter, state: BlockState, keys: Uint32Array, count: number, order: KeyOrder): void {
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += state.keyEnd(keys[i]) - state.keyStart(keys[i]);
  if (count > MOST_SORTED || bytes > RECEIPT_KEY_BYTES) {
    writeMany(out, state, keys.subarray(0, count));
    return;
  }
  order.sort(state, keys, count);
  const { sorted } = order;
  let at = out.room(LIST_HEAD + 2 * count + bytes);
  const { view } = out;
  view.setUint32(at, count, true);
  view.setUint8(at + 4, 0);
  view.setUint16(at + 5, count, true);
  at += LIST_HEAD;
  for (let i = 0; i < count; i++) {
    const start = state.keyStart(sorted[i]);
    const end = state.keyEnd(sorted[i]);
    view.setUint16(at, end - start, true);
    copyWords(state.view, start, end, view, at + 2);
    at += 2 + end - start;
  }
  out.length = at;
}

function writeMany(out: ReceiptWriter, state: BlockState, keys: Uint32Array): void {
  const { listed, total, hash } = listKeys(Array.from(keys, (key) => state.keyText(key)));
  out.u32(total);
  out.optional(hash === undefined ? undefined : fromHex(hash));
  out.u16(listed.length);
  for (const key of listed) out.sized(fromHex(key));
}
