/** Receipts of transactions of the common kind, from where everything lies to the bytes that are stored. */
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { fromHex } from '../../util/bytes.js';
import { listKeys, RECEIPT_DATA_BYTES, RECEIPT_KEY_BYTES } from '../receipt.js';
import { HAS_TEXTS, writeTextsOf } from '../receipt-bytes.js';
import type { ReceiptWriter } from '../receipt-parts.js';
import { EXECUTORS, type Executor } from '../statistics.js';
import { MESSAGE_STATUSES } from '../types.js';
import type { BlockState } from './block-state.js';
import type { CommonRunner } from './common-run.js';
import type { LaneColumns } from './lane-columns.js';

/** More keys than this are listed the general way. */
const FEW_KEYS = 64;
const sorted = new Uint32Array(FEW_KEYS);

/** Writes the receipt of the transaction at `row`, which `run` has run last; executor, colour and repaired as given. */
export function writeCommonReceipt(
  out: ReceiptWriter,
  height: number,
  columns: LaneColumns,
  row: number,
  run: CommonRunner,
  state: BlockState,
  executor: Executor,
): void {
  const { block, contexts, contextStart, index } = columns;
  const at = index[row];
  out.u32(height);
  out.u32(at);
  out.part(block.txids, at * ID_LENGTH, (at + 1) * ID_LENGTH);
  out.u8(EXECUTORS.indexOf(executor));
  out.u8(run.texts.isEmpty ? 0 : HAS_TEXTS);
  out.u32(0);
  out.u32(run.fuelUsed);
  out.text(undefined);
  out.u16(1);
  out.u32(0);
  out.u32(block.firstOutput[at + 1] - block.firstOutput[at] + 1);
  out.u8(MESSAGE_STATUSES.indexOf(run.status));
  out.u8(run.hasTarget ? 1 : 0);
  if (run.hasTarget) out.part(contexts, contextStart[row], contextStart[row] + ID_LENGTH);
  out.text(run.error);
  out.u32(run.fuelUsed);
  out.u32(run.dataBytes);
  const kept = Math.min(run.dataBytes, RECEIPT_DATA_BYTES);
  out.u16(kept);
  out.part(run.data, 0, kept);
  writeKeys(out, state, run.reads.list, run.reads.count);
  writeKeys(out, state, run.writes.keys, run.writes.count);
  if (run.texts.isEmpty) return;
  // No calls, and the texts of one message.
  out.u16(0);
  out.u16(1);
  writeTextsOf(out, 0, run.texts);
}

function writeKeys(out: ReceiptWriter, state: BlockState, keys: Uint32Array, count: number): void {
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += state.keyEnd(keys[i]) - state.keyStart(keys[i]);
  if (count > FEW_KEYS || bytes > RECEIPT_KEY_BYTES) {
    writeMany(out, state, keys.subarray(0, count));
    return;
  }
  for (let i = 0; i < count; i++) {
    let place = i;
    for (; place > 0 && compareKeys(state, sorted[place - 1], keys[i]) > 0; place--) sorted[place] = sorted[place - 1];
    sorted[place] = keys[i];
  }
  out.u32(count);
  out.u8(0);
  out.u16(count);
  for (let i = 0; i < count; i++) {
    const [start, end] = [state.keyStart(sorted[i]), state.keyEnd(sorted[i])];
    out.u16(end - start);
    out.part(state.bytes, start, end);
  }
}

function writeMany(out: ReceiptWriter, state: BlockState, keys: Uint32Array): void {
  const { listed, total, hash } = listKeys(Array.from(keys, (key) => state.keyText(key)));
  out.u32(total);
  out.optional(hash === undefined ? undefined : fromHex(hash));
  out.u16(listed.length);
  for (const key of listed) out.sized(fromHex(key));
}

function compareKeys(state: BlockState, a: number, b: number): number {
  const { bytes } = state;
  const [startA, startB] = [state.keyStart(a), state.keyStart(b)];
  const [lengthA, lengthB] = [state.keyEnd(a) - startA, state.keyEnd(b) - startB];
  for (let i = 0; i < lengthA && i < lengthB; i++) {
    const difference = bytes[startA + i] - bytes[startB + i];
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
