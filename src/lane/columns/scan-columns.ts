/** Which transactions of a block are lane transactions (docs/lane-rules.md, section 1), found from its offsets. */
import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { TxidTable } from '../../bitcoin/txid-table.js';
import { isRunestone, mayHaveProtocol } from '../../protocol/protocol-field.js';
import { OP_RETURN } from '../../protocol/script.js';
import type { Protostone } from '../../protocol/types.js';
import { sheetKeyAt } from '../keys.js';
import { LANE_TAG, protostonesOf, type SheetLookup } from '../scan.js';
import type { LaneKey } from '../types.js';
import type { LaneColumns } from './lane-columns.js';
import { decodeRunestoneRows, type RunestoneRows } from './runestone-rows.js';

/** A transaction that is not in a list. */
const NONE = -1;

/** The same transactions as `scanBlock` finds in the parsed block. */
export function scanColumns(block: BlockOffsets, before: SheetLookup): LaneColumns {
  const messages = new Messages(block);
  const table = new TxidTable(block.txids);
  const parentOf = spentTransactions(block, table);
  const keys = outsideKeys(block, messages, parentOf);
  before.prefetch?.([...keys.values()]);
  const index: number[] = [];
  const firstParent: number[] = [0];
  const parents: number[] = [];
  /** By transaction (the first one with its txid): its row. */
  const rows = new Int32Array(block.count).fill(NONE);
  for (let at = 0; at < block.count; at++) {
    let isLane = messages.callsLane(at);
    const first = parents.length;
    for (let input = block.firstInput[at]; input < block.firstInput[at + 1]; input++) {
      const parent = parentOf[input];
      if (parent !== NONE && parent < at) {
        const row = rows[parent];
        if (row !== NONE && parents.indexOf(row, first) < 0) parents.push(row);
      } else if (!isLane) {
        isLane = before.get(keys.get(input) ?? sheetKeyAt(block.raw, block.inputs[input])) !== undefined;
      }
    }
    if (!isLane && parents.length === first) continue;
    if (parents.length - first > 1) sortFrom(parents, first);
    rows[table.find(block.txids, at * 32)] = index.length;
    index.push(at);
    firstParent.push(parents.length);
  }
  return messages.columns(index, firstParent, parents);
}

/** Sorts the numbers of `list` from `first` on, ascending. */
function sortFrom(list: number[], first: number): void {
  const sorted = list.splice(first).sort((a, b) => a - b);
  for (const number of sorted) list.push(number);
}

/** What the runestones of a block say. */
class Messages {
  readonly #block: BlockOffsets;
  readonly #rows: RunestoneRows;
  /** By transaction: its row among the runestones of the common kind, or {@link NONE}. */
  readonly #rowOf: Int32Array;
  readonly #decoded = new Map<number, readonly Protostone[]>();

  constructor(block: BlockOffsets) {
    this.#block = block;
    this.#rowOf = new Int32Array(block.count).fill(NONE);
    const scripts = runestones(block);
    this.#rows = decodeRunestoneRows(scripts);
    for (let row = 0; row < scripts.count; row++) {
      const at = scripts.transactions[row];
      if (this.#isCommon(row, at)) this.#rowOf[at] = row;
      else this.#decoded.set(at, protostonesOf(block.transaction(at)));
    }
  }

  callsLane(at: number): boolean {
    if (this.#rowOf[at] !== NONE) return true;
    return this.#decoded.get(at)?.some(({ protocolTag }) => protocolTag === LANE_TAG) ?? false;
  }

  columns(index: readonly number[], firstParent: readonly number[], parents: readonly number[]): LaneColumns {
    const count = index.length;
    const contextStart = new Uint32Array(count);
    const contextEnd = new Uint32Array(count);
    const pointer = new Uint32Array(count);
    const refund = new Uint32Array(count);
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const row = this.#rowOf[index[i]];
      if (row === NONE) continue;
      contextStart[i] = rows.contextStart[row];
      contextEnd[i] = rows.contextEnd[row];
      pointer[i] = rows.pointer[row];
      refund[i] = rows.refund[row];
    }
    return {
      block: this.#block,
      count,
      index: Uint32Array.from(index),
      contextStart,
      contextEnd,
      contexts: rows.contexts,
      pointer,
      refund,
      firstParent: Uint32Array.from(firstParent),
      parents: Uint32Array.from(parents),
      decoded: this.#decoded,
    };
  }

  #isCommon(row: number, at: number): boolean {
    const { contextStart, contextEnd, pointer, refund } = this.#rows;
    if (contextEnd[row] === contextStart[row]) return false;
    return isOrdinary(this.#block, at, pointer[row]) && isOrdinary(this.#block, at, refund[row]);
  }
}

/** Whether `vout` is an output of the transaction that keeps a sheet. */
function isOrdinary({ raw, scripts, firstOutput }: BlockOffsets, at: number, vout: number): boolean {
  const output = firstOutput[at] + vout;
  if (output >= firstOutput[at + 1]) return false;
  const start = scripts[2 * output];
  return start === scripts[2 * output + 1] || raw[start] !== OP_RETURN;
}

/** The runestones that may have a protocol field, with the transactions that they are of. */
function runestones({ raw, count, scripts, firstOutput }: BlockOffsets) {
  const transactions: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const outputs: number[] = [];
  for (let at = 0; at < count; at++) {
    for (let output = firstOutput[at]; output < firstOutput[at + 1]; output++) {
      const start = scripts[2 * output];
      const end = scripts[2 * output + 1];
      if (!isRunestone(raw, start, end)) continue;
      // Only the first one of a transaction counts.
      if (mayHaveProtocol(raw, start, end)) {
        transactions.push(at);
        starts.push(start);
        ends.push(end);
        outputs.push(firstOutput[at + 1] - firstOutput[at]);
      }
      break;
    }
  }
  return {
    raw,
    count: transactions.length,
    transactions,
    starts: Uint32Array.from(starts),
    ends: Uint32Array.from(ends),
    outputs: Uint32Array.from(outputs),
  };
}

/** By input: the transaction of the block that it names, at whatever position; {@link NONE} if there is none. */
function spentTransactions({ raw, inputs }: BlockOffsets, table: TxidTable): Int32Array {
  const spent = new Int32Array(inputs.length);
  for (let input = 0; input < inputs.length; input++) spent[input] = table.find(raw, inputs[input]);
  return spent;
}

/** By input: the keys that will be read unless something else makes their transaction a lane transaction. */
function outsideKeys(
  { raw, count, inputs, firstInput }: BlockOffsets,
  messages: Messages,
  parentOf: Int32Array,
): ReadonlyMap<number, LaneKey> {
  const keys = new Map<number, LaneKey>();
  for (let at = 0; at < count; at++) {
    if (messages.callsLane(at)) continue;
    for (let input = firstInput[at]; input < firstInput[at + 1]; input++) {
      if (parentOf[input] === NONE) keys.set(input, sheetKeyAt(raw, inputs[input]));
    }
  }
  return keys;
}
