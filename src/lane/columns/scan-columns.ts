/** Which transactions of a block are lane transactions (docs/lane-rules.md, section 1), found from its offsets. */
import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { OP_RETURN } from '../../protocol/script.js';
import type { Protostone } from '../../protocol/types.js';
import { sheetKeyAt } from '../keys.js';
import { LANE_TAG, protostonesOf, type SheetLookup } from '../scan.js';
import type { LaneKey } from '../types.js';
import { type LaneColumns, LOST } from './lane-columns.js';
import type { RunestoneRows } from './runestone-rows.js';
import { NONE, outsideInputs, type ScanAhead, scanAhead } from './scan-ahead.js';

/** What is known of the sheets on the outpoints of inputs. */
export interface KnownSheets {
  /** Whether the outpoint of `input`, of no transaction of the block, has a sheet in the state before the block. */
  has(input: number): boolean;
}

/**
 * The same transactions as `scanBlock` finds in the parsed block. `ahead` and `known`: what was found before the
 * block's turn.
 */
export function scanColumns(
  block: BlockOffsets,
  before: SheetLookup,
  ahead: ScanAhead = scanAhead(block),
  known?: KnownSheets,
): LaneColumns {
  const { parentOf, firstOf } = ahead;
  const messages = new Messages(block, ahead);
  const sheets = known ?? readSheets(block, messages, parentOf, before);
  const index = new Uint32Array(block.count);
  const firstParent = new Uint32Array(block.count + 1);
  let count = 0;
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
        // An outpoint of a transaction that comes later in the block may have the sheet of an earlier block.
        isLane =
          parent === NONE ? sheets.has(input) : before.get(sheetKeyAt(block.raw, block.inputs[input])) !== undefined;
      }
    }
    if (!isLane && parents.length === first) continue;
    if (parents.length - first > 1) sortFrom(parents, first);
    rows[firstOf[at]] = count;
    index[count++] = at;
    firstParent[count] = parents.length;
  }
  return messages.columns(index.slice(0, count), firstParent.slice(0, count + 1), new Uint32Array(parents));
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

  constructor(block: BlockOffsets, { mayCall, rows }: ScanAhead) {
    this.#block = block;
    this.#rows = rows;
    this.#rowOf = new Int32Array(block.count).fill(NONE);
    for (let row = 0; row < mayCall.length; row++) {
      const at = mayCall[row];
      if (this.#isCommon(row, at)) this.#rowOf[at] = row;
      else this.#decoded.set(at, protostonesOf(block.transaction(at)));
    }
  }

  callsLane(at: number): boolean {
    if (this.#rowOf[at] !== NONE) return true;
    return this.#decoded.get(at)?.some(({ protocolTag }) => protocolTag === LANE_TAG) ?? false;
  }

  columns(index: Uint32Array, firstParent: Uint32Array, parents: Uint32Array): LaneColumns {
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
      pointer[i] = this.#placeOf(rows.pointer[row], index[i]);
      refund[i] = this.#placeOf(rows.refund[row], index[i]);
    }
    return {
      block: this.#block,
      count,
      index,
      contextStart,
      contextEnd,
      contexts: rows.contexts,
      pointer,
      refund,
      firstParent,
      parents,
      decoded: this.#decoded,
    };
  }

  #isCommon(row: number, at: number): boolean {
    const { contextStart, contextEnd, pointer, refund } = this.#rows;
    if (contextEnd[row] === contextStart[row]) return false;
    const outputs = this.#block.firstOutput[at + 1] - this.#block.firstOutput[at];
    return pointer[row] < outputs && refund[row] < outputs;
  }

  #placeOf(vout: number, at: number): number {
    return isOrdinary(this.#block, at, vout) ? vout : LOST;
  }
}

/** Whether output `vout` of the transaction keeps a sheet. */
function isOrdinary({ raw, scripts, firstOutput }: BlockOffsets, at: number, vout: number): boolean {
  const output = firstOutput[at] + vout;
  const start = scripts[2 * output];
  return start === scripts[2 * output + 1] || raw[start] !== OP_RETURN;
}

/** Asks the state for all sheets that will be wanted. */
function readSheets(block: BlockOffsets, messages: Messages, parentOf: Int32Array, before: SheetLookup): KnownSheets {
  const keys = new Map<number, LaneKey>();
  for (const input of outsideInputs(block, parentOf, (index) => messages.callsLane(index))) {
    keys.set(input, sheetKeyAt(block.raw, block.inputs[input]));
  }
  before.prefetch?.([...keys.values()]);
  return { has: (input) => before.get(keys.get(input) ?? sheetKeyAt(block.raw, block.inputs[input])) !== undefined };
}
