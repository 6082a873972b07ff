/** What of a scan needs no state: it can be made in another thread, while the state is not known yet. */
import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { TxidTable } from '../../bitcoin/txid-table.js';
import { isRunestone, mayHaveProtocol } from '../../protocol/protocol-field.js';
import { decodeRunestoneRows, type RunestoneRows } from './runestone-rows.js';

/** No transaction. */
export const NONE = -1;

/** The transactions whose runestone may have a protocol field, and what was read of each. */
export interface Runestones {
  readonly mayCall: Uint32Array;
  readonly rows: RunestoneRows;
}

/** Plain data; the lists are columns of the block's. */
export interface ScanAhead extends Runestones {
  /** By input: the transaction of the block that it names, at whatever position; {@link NONE} if there is none. */
  readonly parentOf: Int32Array;
  /** By transaction: the first one with its txid. */
  readonly firstOf: Uint32Array;
}

/** Scans `block`; `runestones`: what was read of it before. */
export function scanAhead(block: BlockOffsets, runestones: Runestones = readRunestones(block)): ScanAhead {
  const { raw, inputs, txids, count } = block;
  const table = new TxidTable(txids);
  const parentOf = new Int32Array(inputs.length);
  for (let input = 0; input < inputs.length; input++) parentOf[input] = table.find(raw, inputs[input]);
  const firstOf = new Uint32Array(count);
  for (let index = 0; index < count; index++) firstOf[index] = table.find(txids, index * 32);
  return { parentOf, firstOf, ...runestones };
}

/** The buffers of all lists, for a message that hands them over; the contexts lie in shared memory. */
export function buffersOfScan({ parentOf, firstOf, mayCall, rows }: ScanAhead): ArrayBuffer[] {
  const { pointer, refund, contextStart, contextEnd } = rows;
  const lists = [parentOf, firstOf, mayCall, pointer, refund, contextStart, contextEnd];
  return lists.map(({ buffer }) => buffer as ArrayBuffer);
}

/** The inputs that name no transaction of the block, but for those of the transactions that `isExcept` says. */
export function* outsideInputs(
  { count, firstInput }: BlockOffsets,
  parentOf: Int32Array,
  isExcept: (index: number) => boolean,
): Generator<number, void, void> {
  for (let index = 0; index < count; index++) {
    if (isExcept(index)) continue;
    for (let input = firstInput[index]; input < firstInput[index + 1]; input++) {
      if (parentOf[input] === NONE) yield input;
    }
  }
}

/** Where transactions and their output scripts lie; of outputs as in `BlockColumns`. */
type Scripts = Pick<BlockOffsets, 'raw' | 'count' | 'scripts' | 'firstOutput'>;

/** Reads the first runestone of each transaction, if it may have a protocol field. */
export function readRunestones({ raw, count, scripts, firstOutput }: Scripts): Runestones {
  const mayCall = new Uint32Array(count);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const outputs = new Uint32Array(count);
  let found = 0;
  for (let index = 0; index < count; index++) {
    for (let output = firstOutput[index]; output < firstOutput[index + 1]; output++) {
      const start = scripts[2 * output];
      const end = scripts[2 * output + 1];
      if (!isRunestone(raw, start, end)) continue;
      // Only the first one of a transaction counts.
      if (mayHaveProtocol(raw, start, end)) {
        mayCall[found] = index;
        starts[found] = start;
        ends[found] = end;
        outputs[found++] = firstOutput[index + 1] - firstOutput[index];
      }
      break;
    }
  }
  const rows = decodeRunestoneRows({ raw, count: found, starts, ends, outputs });
  // A copy of its own: another thread may be given it.
  return { mayCall: mayCall.slice(0, found), rows };
}
