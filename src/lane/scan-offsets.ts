/** `scanBlock` over the offsets of a block: transactions become objects only when they are lane transactions. */
import type { BlockOffsets } from '../bitcoin/block-offsets.js';
import { TxidTable } from '../bitcoin/txid-table.js';
import type { Block } from '../bitcoin/types.js';
import { isRunestone, mayHaveProtocol } from '../protocol/protocol-field.js';
import type { Protostone } from '../protocol/types.js';
import { sheetKeyAt } from './keys.js';
import { LANE_TAG, type LaneTransaction, protostonesOf, type SheetLookup, scanBlock } from './scan.js';
import type { LaneKey } from './types.js';

const NO_PROTOSTONES: readonly Protostone[] = [];
/** No transaction; a transaction that is not of the lane. */
const NONE = -1;

/**
 * What of a scan needs no state: it is made in another thread, while the state is not known yet. Plain data; the lists
 * are columns of the block's.
 */
export interface ScanColumns {
  /** By input: the transaction of the block that it names, at whatever position; {@link NONE} if there is none. */
  readonly parentOf: Int32Array;
  /** By transaction: the first one with its txid. */
  readonly firstOf: Uint32Array;
  /** The transactions whose runestone may have a protocol field. */
  readonly mayCall: Uint32Array;
}

/** What is known of the sheets on the outpoints of inputs. */
export interface KnownSheets {
  /** Whether the outpoint of `input`, of no transaction of the block, has a sheet in the state before the block. */
  has(input: number): boolean;
}

/** The lane transactions of a block in either form. `columns` and `known`: what was found ahead of its turn. */
export function scanAny(
  block: Block | BlockOffsets,
  before: SheetLookup,
  columns?: ScanColumns,
  known?: KnownSheets,
): LaneTransaction[] {
  return 'transactions' in block ? scanBlock(block, before) : scanOffsets(block, before, columns, known);
}

/** The same list as `scanBlock` gives for the parsed block. */
export function scanOffsets(
  block: BlockOffsets,
  before: SheetLookup,
  columns = scanColumns(block),
  known?: KnownSheets,
): LaneTransaction[] {
  const { parentOf, firstOf } = columns;
  const decoded = protostonesByIndex(block, columns);
  const sheets = known ?? readSheets(block, decoded, parentOf, before);
  const found: LaneTransaction[] = [];
  /** By transaction (the first one with its txid): its position in `found`. */
  const positions = new Int32Array(block.count).fill(NONE);
  for (let index = 0; index < block.count; index++) {
    const protostones = decoded.get(index) ?? NO_PROTOSTONES;
    let isLane = callsLane(protostones);
    let parents: Set<number> | undefined;
    for (let input = block.firstInput[index]; input < block.firstInput[index + 1]; input++) {
      const parent = parentOf[input];
      if (parent !== NONE && parent < index) {
        if (positions[parent] !== NONE) parents = (parents ?? new Set()).add(positions[parent]);
      } else if (!isLane) {
        // An outpoint of a transaction that comes later in the block may have the sheet of an earlier block.
        isLane =
          parent === NONE ? sheets.has(input) : before.get(sheetKeyAt(block.raw, block.inputs[input])) !== undefined;
      }
    }
    if (!isLane && parents === undefined) continue;
    positions[firstOf[index]] = found.length;
    const sorted = parents === undefined ? [] : [...parents].sort((a, b) => a - b);
    found.push({ index, tx: block.transaction(index), protostones, parents: sorted });
  }
  return found;
}

/** What a scan of the block needs beside the state. */
export function scanColumns(block: BlockOffsets): ScanColumns {
  const { raw, inputs, txids, count } = block;
  const table = new TxidTable(txids);
  const parentOf = new Int32Array(inputs.length);
  for (let input = 0; input < inputs.length; input++) parentOf[input] = table.find(raw, inputs[input]);
  const firstOf = new Uint32Array(count);
  for (let index = 0; index < count; index++) firstOf[index] = table.find(txids, index * 32);
  return { parentOf, firstOf, mayCall: Uint32Array.from(mayCallOf(block)) };
}

function callsLane(protostones: readonly Protostone[]): boolean {
  return protostones.some(({ protocolTag }) => protocolTag === LANE_TAG);
}

/** The transactions whose first runestone may have a protocol field. */
function* mayCallOf({ raw, count, scripts, firstOutput }: BlockOffsets): Generator<number, void, void> {
  for (let index = 0; index < count; index++) {
    for (let output = firstOutput[index]; output < firstOutput[index + 1]; output++) {
      const start = scripts[2 * output];
      const end = scripts[2 * output + 1];
      if (!isRunestone(raw, start, end)) continue;
      // Only the first one of a transaction counts.
      if (mayHaveProtocol(raw, start, end)) yield index;
      break;
    }
  }
}

/** The protostones of the transactions that have any. */
function protostonesByIndex(block: BlockOffsets, { mayCall }: ScanColumns): Map<number, readonly Protostone[]> {
  const decoded = new Map<number, readonly Protostone[]>();
  for (const index of mayCall) decoded.set(index, protostonesOf(block.transaction(index)));
  return decoded;
}

/** Asks the state for all sheets that will be wanted. */
function readSheets(
  block: BlockOffsets,
  decoded: ReadonlyMap<number, readonly Protostone[]>,
  parentOf: Int32Array,
  before: SheetLookup,
): KnownSheets {
  const calls = new Set<number>();
  for (const [index, protostones] of decoded) if (callsLane(protostones)) calls.add(index);
  const keys = new Map<number, LaneKey>();
  for (const input of outsideInputs(block, parentOf, calls)) {
    keys.set(input, sheetKeyAt(block.raw, block.inputs[input]));
  }
  before.prefetch?.([...keys.values()]);
  return { has: (input) => before.get(keys.get(input) ?? sheetKeyAt(block.raw, block.inputs[input])) !== undefined };
}

/** The inputs that name no transaction of the block, but for those of the transactions in `except`. */
export function* outsideInputs(
  { count, firstInput }: BlockOffsets,
  parentOf: Int32Array,
  except: ReadonlySet<number>,
): Generator<number, void, void> {
  for (let index = 0; index < count; index++) {
    if (except.has(index)) continue;
    for (let input = firstInput[index]; input < firstInput[index + 1]; input++) {
      if (parentOf[input] === NONE) yield input;
    }
  }
}
