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
/** A transaction that is not of the lane. */
const NONE = -1;

/** The lane transactions of a block in either form. */
export function scanAny(block: Block | BlockOffsets, before: SheetLookup): LaneTransaction[] {
  return 'transactions' in block ? scanBlock(block, before) : scanOffsets(block, before);
}

/** The same list as `scanBlock` gives for the parsed block. */
export function scanOffsets(block: BlockOffsets, before: SheetLookup): LaneTransaction[] {
  const decoded = protostonesByIndex(block);
  const table = new TxidTable(block.txids);
  const parentOf = spentTransactions(block, table);
  const keys = outsideKeys(block, decoded, parentOf);
  before.prefetch?.([...keys.values()]);
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
        isLane = before.get(keys.get(input) ?? sheetKeyAt(block.raw, block.inputs[input])) !== undefined;
      }
    }
    if (!isLane && parents === undefined) continue;
    positions[table.find(block.txids, index * 32)] = found.length;
    const sorted = parents === undefined ? [] : [...parents].sort((a, b) => a - b);
    found.push({ index, tx: block.transaction(index), protostones, parents: sorted });
  }
  return found;
}

function callsLane(protostones: readonly Protostone[]): boolean {
  return protostones.some(({ protocolTag }) => protocolTag === LANE_TAG);
}

/** The protostones of the transactions that have any. */
function protostonesByIndex(block: BlockOffsets): ReadonlyMap<number, readonly Protostone[]> {
  const { raw, scripts, firstOutput } = block;
  const decoded = new Map<number, readonly Protostone[]>();
  for (let index = 0; index < block.count; index++) {
    for (let output = firstOutput[index]; output < firstOutput[index + 1]; output++) {
      const start = scripts[2 * output];
      const end = scripts[2 * output + 1];
      if (!isRunestone(raw, start, end)) continue;
      // Only the first one of a transaction counts.
      if (mayHaveProtocol(raw, start, end)) decoded.set(index, protostonesOf(block.transaction(index)));
      break;
    }
  }
  return decoded;
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
  decoded: ReadonlyMap<number, readonly Protostone[]>,
  parentOf: Int32Array,
): ReadonlyMap<number, LaneKey> {
  const keys = new Map<number, LaneKey>();
  for (let index = 0; index < count; index++) {
    if (callsLane(decoded.get(index) ?? NO_PROTOSTONES)) continue;
    for (let input = firstInput[index]; input < firstInput[index + 1]; input++) {
      if (parentOf[input] === NONE) keys.set(input, sheetKeyAt(raw, inputs[input]));
    }
  }
  return keys;
}
